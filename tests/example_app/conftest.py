"""Sockets of the example app, in this process."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from chat.domain.people import Person
from chat.storage.database import in_database
from tests.conftest import close, take_frames
from tests.example_app import models, storage
from tests.example_app.asgi import application
from tests.example_app.lists import TodoEntry, TodoList

GROCERIES = TodoList("groceries")
PATH = f"/ws/todo/{GROCERIES.name}/"
ANN = Person(id="user-1", name="Ann")


class TodoSocket(WebsocketCommunicator):
    """A browser's socket at a list."""

    async def frame(self) -> dict[str, Any]:
        return await self.receive_json_from(timeout=5)

    async def entry(self) -> tuple[str, int, str]:
        frame = await self.frame()
        return frame["kind"], frame["offset"], frame.get("text", "")


async def elsewhere(kind: str = "added", *, todo: TodoList = GROCERIES, **fields: Any) -> TodoEntry:
    """Stores an entry in another process, of which the channel layer brings nothing."""
    return await in_database(storage.append, todo=todo, kind=kind, person=ANN, **fields)


def set_back(to: int) -> None:
    """Sets the list back by hand, as a copy of the database that lags would."""
    models.Entry.objects.filter(list__name=GROCERIES.name, offset__gt=to).delete()
    models.List.objects.filter(name=GROCERIES.name).update(last_offset=to)


@pytest.fixture
async def open_todo() -> AsyncIterator[Callable[..., Awaitable[TodoSocket]]]:
    """`await open_todo("?after=3")`: a socket at the list of groceries. With `direct`, it takes ready-made frames."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(
            query: str = "", *, path: str = PATH, direct: bool = False, application: Any = application
        ) -> TodoSocket:
            socket = TodoSocket(application, path + query)
            if direct:
                take_frames(socket)
            connected, _ = await socket.connect(timeout=5)
            assert connected
            stack.push_async_callback(close, socket)
            return socket

        yield connect
