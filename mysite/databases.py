"""The settings of the database: SQLite in a file, or PostgreSQL."""

from pathlib import Path
from typing import Any, NamedTuple

from mysite.environment import Environment
from mysite.page_connection import PageConnection


class DatabaseSettings(NamedTuple):
    """Django's settings of the database, and those of the chat's lanes to it (chat.storage.lanes).

    `lane_options` stand before the OPTIONS of `database` in the lanes' connections.
    """

    database: dict[str, Any]
    lanes: int
    lane_options: dict[str, Any]


def database_settings(env: Environment, folder: Path) -> DatabaseSettings:
    """As DATABASE_URL and CHAT_DATABASE_CONNECTIONS say; by default, SQLite with its files in `folder`."""
    default = f"sqlite:///{folder / 'db.sqlite3'}"
    url = env.url("DATABASE_URL", default=default, schemes=["sqlite", "postgres", "postgresql"])
    database = env.database("DATABASE_URL", url)
    connections = env.number("CHAT_DATABASE_CONNECTIONS", default=8, least=2)
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite(database, folder)
    return _postgresql(database, connections)


def _sqlite(database: dict[str, Any], folder: Path) -> DatabaseSettings:
    # Readers go on while one writes, and a writer waits its turn instead of failing half-way through a transaction.
    # Deleted text is overwritten; not every build of SQLite does that by itself.
    database["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds
    }
    # A file: live servers under test run in processes of their own and open it too.
    database["TEST"] = {"NAME": str(folder / "test.sqlite3")}
    return DatabaseSettings(database, 3, {})  # one lane that writes, since SQLite has one writer; two that read


def _postgresql(database: dict[str, Any], connections: int) -> DatabaseSettings:
    # Half of the connections, and no more than four, are the chat's own lanes. The others are for pages: Django gives
    # each a thread, and so a connection, of its own, and few are enough for all of them.
    lanes = min(connections // 2, 4)
    # While PostgreSQL is away nobody waits long for it, and it is tried at every request, not ever more seldom.
    pool: dict[str, Any] = {"timeout": 2, "reconnect_timeout": 1}  # seconds
    pool |= {"min_size": 1, "max_size": connections - lanes, "connection_class": PageConnection}
    # libpq's; a way there that is cut without a word is noticed. An option in DATABASE_URL stands before these.
    reaching = {"connect_timeout": 3, "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}  # seconds
    reaching |= {"tcp_user_timeout": 10_000}  # milliseconds
    options = reaching | database.get("OPTIONS", {})
    database["OPTIONS"] = options | {"pool": pool}
    database["CONN_HEALTH_CHECKS"] = True
    # By name: Channels' live server would make one up from a name that is the test database's already.
    database["TEST"] = {"NAME": f"test_{database['NAME']}"}
    # Milliseconds. In the lanes only: a migration may take longer.
    timeouts = "-c statement_timeout=4000 -c idle_in_transaction_session_timeout=4000"
    lane_options = {"options": f"{timeouts} {options.get('options', '')}"}
    # Statements of chat.storage.prepared are prepared at their first use.
    return DatabaseSettings(database, lanes, lane_options | {"prepare_threshold": 0})
