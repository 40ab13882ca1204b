"""Django's pages, as the site serves them, and their connections to the database."""

import asyncio

import pytest
from channels.testing import HttpCommunicator
from django.db import connection

from mysite import asgi
from tests.test_private_rooms import user


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/rooms/bots/", 403)])
async def test_error_page_keeps_no_connection(path: str, status: int) -> None:
    ann = await user("ann")
    headers = [(b"host", b"localhost"), *ann.headers]
    request = HttpCommunicator(asgi.application, "GET", path, headers=headers)
    response = await request.get_response(timeout=10)
    await request.wait(timeout=10)
    assert response["status"] == status
    assert b"ann" in response["body"]
    # The thread of pages with errors, which is free again.
    assert await asyncio.to_thread(lambda: connection.connection) is None
