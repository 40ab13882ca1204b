"""The browser's door: `ws/todo/<list>/?after=<offset>&id=<id of the entry there>`, with JSON as text frames.

In, `{"add": "milk", "client_id": "…"}` or `{"done": 3}`. Out, an entry each, `{"kind": "start_over", …}`, or an
`error`; and `{"added": 3, "client_id": "…"}` once it is stored.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from chat.actions.rate_limits import check_frame
from chat.connections.close_codes import close_code
from chat.connections.socket_consumer import SocketConsumer
from chat.connections.sockets import Sockets, is_gone
from chat.delivery.entries import StartOver
from chat.delivery.hub import Hub
from chat.delivery.recent_renderings import RecentRenderings
from chat.delivery.socket_listener import SocketListener
from chat.delivery.text_frames import text_frame
from chat.domain import people
from chat.domain.grants import Scope
from chat.domain.positions import Position
from chat.errors import ChatError, unforeseen
from chat.per_loop import PerLoop
from chat.query_strings import check_path, last, read_query
from chat.storage.history import check_position
from tests.example_app import actions, lists
from tests.example_app.lists import Contents, InvalidEntry, TodoEntry, TodoList


def as_json(entry: TodoEntry | StartOver) -> dict[str, Any]:
    """An entry as clients get it. Who it is about, if it is about a person, is nobody's business."""
    about = {"kind": entry.kind, "offset": entry.offset, "id": entry.id}
    if isinstance(entry, StartOver):
        return about
    return {**about, "text": entry.text, "by": entry.by, "target": entry.target, "client_id": entry.client_id}


def as_frame(contents: Contents) -> dict[str, Any]:
    things = [{"offset": offset, "text": text} for offset, text in contents.things.items()]
    return {"things": things, "offset": contents.position.offset, "id": contents.position.id}


class Frames(PerLoop):
    """The frames of the last entries, each made once for all who listen."""

    def __init__(self) -> None:
        self.recent: RecentRenderings[bytes] = RecentRenderings()


class TodoListener(SocketListener[TodoList, Any]):
    """Writes what comes to a list to one socket."""

    def __init__(self, consumer: "TodoConsumer", todo: TodoList, after: Position | None, person: people.Person) -> None:
        missed = {} if after is None else {todo: after}
        super().__init__([todo], missed, person, scope=consumer.scope, send=consumer.base_send)
        self.consumer = consumer

    def render(self, event: Any) -> bytes:
        recent = Frames.here().recent
        frame = recent.get(event)
        if frame is None:
            frame = text_frame(json.dumps(as_json(event)).encode())
            recent.keep(event, frame)
        return frame

    async def fail(self, error: Exception) -> None:
        if not is_gone(error):
            await self.consumer.refuse(unforeseen(error))
        await self.consumer.leave()


class TodoConsumer(SocketConsumer):
    """One browser at one list."""

    listener: TodoListener | None = None

    async def connect(self) -> None:
        person = people.of_scope(self.scope)
        try:
            check_path(self.scope)
            self.todo = lists.find(self.scope["url_route"]["kwargs"]["name"])
            actions.admit(person, Scope.READ)
            Sockets.here().admit(person.address)
            self.listener = TodoListener(self, self.todo, read_position(self.scope), person)
            await Hub.here().join(self.listener)
        except Exception as error:
            await self.accept()  # a browser can't read why it was refused, but it can read a frame
            await self.refuse(unforeseen(error))
            await self.leave()
            return
        await self.accept()
        try:
            await self.listener.recover()
        except Exception as error:
            await self.refuse(unforeseen(error))
            await self.leave()

    @property
    def busy(self) -> bool:
        return self.handling or (self.listener is not None and self.listener.waiting)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.listener is None:
            return  # refused, and closing
        frame: dict[str, Any] = {}
        try:
            frame = read_frame(text_data)
            await self.take(frame)
        except Exception as error:
            await self.tell(unforeseen(error), frame.get("client_id"))

    async def take(self, frame: dict[str, Any]) -> None:
        person, client_id = people.of_scope(self.scope), frame.get("client_id")
        match frame:
            case {"add": text}:
                entry = await actions.add(self.todo, text, person=person, client_id=client_id)
                await self.send(text_data=json.dumps({"added": entry.offset, "client_id": client_id}))
            case {"done": target}:
                await actions.finish(self.todo, target, person=person)
            case {"show": True}:
                await self.send(text_data=json.dumps(as_frame(await actions.show(self.todo, person=person))))
            case _:
                raise InvalidEntry("A frame says what to `add`, what is `done`, or to `show` the list.")

    async def tell(self, error: ChatError, client_id: object = None) -> None:
        about = {**error.details, "message": str(error), "client_id": client_id}
        await self.send(text_data=json.dumps({"error": about}))

    async def refuse(self, error: ChatError) -> None:
        with contextlib.suppress(OSError):
            await self.tell(error)
            await self.close(code=close_code(error), reason=error.code)

    async def leave(self) -> None:
        if listener := self.listener:
            self.listener = None
            await listener.close()
            await Hub.here().leave(listener)


def read_frame(text: str | None) -> dict[str, Any]:
    """Raises FrameTooLong or InvalidEntry."""
    check_frame(text or "")  # the server itself takes longer ones
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        frame = None
    if not isinstance(frame, dict) or not isinstance(frame.get("client_id"), str | None):
        raise InvalidEntry("A frame is a JSON object.")
    return frame


def read_position(scope: Mapping[str, Any]) -> Position | None:
    """Raises InvalidPosition or InvalidQuery."""
    query = read_query(scope)
    after = last(query, "after")
    return None if after is None else check_position(after, last(query, "id"))
