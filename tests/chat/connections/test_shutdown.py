"""Requests to a process that stops."""

import json

import pytest
from channels.testing import HttpCommunicator

from chat.connections.shutdown import refuse

GERMAN = [(b"accept-language", b"de")]


@pytest.mark.parametrize("path", ["/graphql", "/hooks/chat_x/", "/chat/room1/files/"])
async def test_program_is_told_in_json_to_try_again(path: str) -> None:
    response = await HttpCommunicator(refuse, "POST", path, headers=[(b"accept", b"*/*")]).get_response()
    headers = dict(response["headers"])
    assert (response["status"], headers[b"retry-after"]) == (503, b"1")
    assert headers[b"content-type"] == b"application/json"
    answer = json.loads(response["body"])
    assert answer["error"] == answer["errors"][0]["extensions"]["code"] == "unavailable"


async def test_person_is_told_in_their_language_to_try_again() -> None:
    asked = [(b"accept", b"text/html,*/*;q=0.8"), *GERMAN]
    response = await HttpCommunicator(refuse, "GET", "/chat/", headers=asked).get_response()
    assert response["status"] == 503
    assert dict(response["headers"])[b"content-type"].startswith(b"text/plain")
    assert "startet gerade neu" in response["body"].decode()
