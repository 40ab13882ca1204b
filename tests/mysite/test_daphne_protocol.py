"""Daphne's own log, which isn't one of logging's."""

import io
from datetime import UTC, datetime

from daphne import cli

from chat.domain.tokens import make
from mysite import daphne_protocol


def test_access_log_of_daphne_masks_tokens() -> None:
    daphne_protocol.install()
    token, log = make(), io.StringIO()
    path = f"/hooks/{token}/"
    details = {"method": "POST", "path": path, "status": 200, "size": 92, "client": "127.0.0.1:50000"}
    cli.AccessLogGenerator(log)("http", "complete", details)
    cli.AccessLogGenerator(log).write_entry("127.0.0.1", datetime.now(UTC), f"POST {path}", status=200, length=92)
    assert log.getvalue().count("/hooks/chat_***/") == 2
    assert token not in log.getvalue()
