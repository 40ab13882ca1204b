"""The browser's door where a proxy lets no WebSocket through: `/chat/<room>/events/`.

`GET` is a stream of events that bring the frames of a browser's socket. `POST` takes one frame, and is answered by the
frames that would answer it there. Both are served by the socket's own consumer. Each may come to another process: what
a socket remembers of its frames (typing, and whether the page is visible) has no effect here.
"""

import json
from http import HTTPStatus
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.utils.http import parse_header_parameters

from chat.connections.answers import answer_early
from chat.connections.authentication import AuthMiddlewareStack
from chat.connections.bodies import Body, BodyTooLong, BodyTooSlow, read_body
from chat.connections.event_streams import CONTENT_TYPE, RESTARTING, retry, served
from chat.connections.registration import registered
from chat.connections.sockets import Sockets
from chat.consumers import ChatConsumer
from chat.domain import rooms
from chat.errors import FrameTooLong, unforeseen

NORMAL = 1000
DOOR = "browser-events"
JSON = "application/json"


class PostedFrame(ChatConsumer):
    """Answers one frame, the body of a request, and closes."""

    async def connect(self) -> None:
        await self.accept()
        if self.scope["socket"].closing:
            return  # the server is about to stop, and takes nothing more
        try:
            person = self.person
            self.recognise(person)
            Sockets.here().admit(person.address)
            room = rooms.enter(self.scope["url_route"]["kwargs"]["room_name"], person)
        except Exception as error:
            await self.refuse(unforeseen(error))
            return
        await self.take(room, self.scope["body"].decode(errors="replace"))
        for task in tuple(self.reacting):
            await task
        await self.close(NORMAL)


class Form:
    """Frames as events: each in `data`, with the entry's offset and id as the event's id."""

    def event(self, text: str) -> bytes:
        frame = json.loads(text)
        offset, id = frame.get("offset"), frame.get("id")
        id_line = f"id: {offset}:{id}\n" if isinstance(offset, int) and isinstance(id, str) else ""
        return f"{id_line}data: {text}\n\n".encode()

    def refusal(self, scope: Any, code: int, reason: str) -> tuple[int, bytes]:
        return HTTPStatus.FORBIDDEN, json.dumps({"error": reason}).encode()

    def farewell(self, scope: Any, code: int, reason: str) -> bytes:
        """`close`, with the code and the reason with which a socket would be closed."""
        wait = retry() if code == RESTARTING else b""
        return wait + f"event: close\ndata: {json.dumps({'code': code, 'reason': reason})}\n\n".encode()


def served_with_person(consumer: Any) -> Any:
    return served(AuthMiddlewareStack(registered(consumer, door=DOOR)), Form())


class EventDoor:
    """ASGI application. `pages` answers all other requests: a room may be called “a/events”."""

    def __init__(self, pages: ASGI3Application) -> None:
        self.pages = pages
        self.listen = served_with_person(ChatConsumer.as_asgi())
        self.post = served_with_person(PostedFrame.as_asgi())

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        if scope["method"] == "GET" and CONTENT_TYPE in headers.get(b"accept", ""):
            await self.listen(scope, receive, send)
        # Forms of foreign sites can send anything but JSON: to insist on it is what keeps them out.
        elif scope["method"] == "POST" and parse_header_parameters(headers.get(b"content-type", ""))[0] == JSON:
            await self._take_post(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    async def _take_post(self, scope: Any, receive: Any, send: Any) -> None:
        sent = Body(receive)
        try:
            body = await read_body(scope, sent.receive, settings.CHAT_FRAME_MAX)
        except BodyTooLong:
            await _refuse(sent.receive, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, FrameTooLong.code)
        except BodyTooSlow as error:
            await _refuse(sent.receive, send, HTTPStatus.REQUEST_TIMEOUT, error.code)
        else:
            await self.post({**scope, "body": body}, receive, send)


async def _refuse(receive: Any, send: Any, status: HTTPStatus, code: str) -> None:
    headers = [(b"content-type", JSON.encode()), (b"connection", b"close")]
    await answer_early(receive, send, status, headers, json.dumps({"error": code}).encode())
