"""How GraphiQL goes on over another WebSocket, with the package graphql that the page has in its bundle."""

import subprocess

from tests import node


def test_graphiql_recovers_from_positions_by_valid_documents() -> None:
    command = ["node", "--test", "recovery.mjs"]
    done = subprocess.run(command, cwd=node.installed(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
