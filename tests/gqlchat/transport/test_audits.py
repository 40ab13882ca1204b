"""The audits of GraphQL over HTTP that the working group's specification comes with: npm's graphql-http has them."""

import json
import subprocess
from collections.abc import Callable

from tests import node
from tests.servers import Server


def test_server_passes_all_audits_of_graphql_over_http(start_servers: Callable[[int], list[Server]]) -> None:
    folder = node.installed()
    (server,) = start_servers(1)
    command = ["node", "audits.mjs", f"http://{server.host}/graphql"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    audits = [json.loads(line) for line in done.stdout.splitlines()]
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
