"""The WebSockets that are open in this process, at either door, and how to close one whatever its consumer does."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.delivery.rooms.source import presences
from chat.delivery.socket_listener import WRITE_TIMEOUT
from chat.domain import people
from chat.domain.addresses import address_of
from chat.domain.people import Person
from chat.errors import SlowListener, TooManyConnections
from chat.per_loop import PerLoop
from chat.storage.logins import Login

logger = logging.getLogger(__name__)

BY_CLIENT = "by the client"
LOG_IN = 4401
SLOW = 4008
POLL = 0.02  # seconds from one look whether somebody is busy to the next
LAST_WORDS = 0.5  # seconds that consumers have to end, once their sockets are closed
REASON_MAX = 123  # bytes that a close frame has for its reason (RFC 6455, 5.5)


class Gone(OSError):
    """A consumer sends something, and nobody is there any more."""


class Socket:
    """One WebSocket, from when somebody asks for it until its consumer has ended. Consumers find it in their scope.

    `door` is "browser" or "graphql"; `address` is the client's, as limits count it, None where the server is behind a
    Unix socket; `opened_at` is in seconds, as time.time() counts them.
    """

    __slots__ = (
        "_closed_with",
        "_abort",
        "_send",
        "accepted",
        "address",
        "consumer",
        "door",
        "login",
        "named_at",
        "opened_at",
        "person_id",
        "person_name",
    )

    def __init__(self, door: str, scope: Any, send: Any) -> None:
        self.door = door
        self.login = login_of(scope)
        person = people.of_scope(scope)
        self.person_id, self.person_name = person.id, person.name  # the log knows the id from here on
        self.named_at = datetime.now(UTC)  # when the guest's name was last read
        self.address = address_of(scope)
        self.opened_at = time.time()
        self.accepted = False
        self.consumer: Any = None  # if it is one that can say whether it is `busy`
        self._closed_with: tuple[int, str] | None = None
        self._send = send
        self._abort = scope.get("drop")

    @property
    def closing(self) -> bool:
        """Whether a close frame is on its way, or will be as soon as the connection is accepted."""
        return self._closed_with is not None

    @property
    def busy(self) -> bool:
        """Whether the client is owed something: an answer, or events that wait to be written."""
        return self.consumer is not None and self.consumer.busy

    def log_in(self, scope: Any) -> None:
        """Notes the login that `scope` has now: that of a token, which a client has brought after it had connected."""
        self.login = login_of(scope)
        person = people.of_scope(scope)
        self.person_id, self.person_name = person.id, person.name

    def rename(self, person: Person) -> None:
        """Has the consumer speak under the name of `person`, who is the same one, from now on."""
        if self.consumer is None or person.id != self.person_id or person.name == self.person_name:
            return
        self.person_name = person.name
        people.rename_in_scope(self.consumer.scope, person)
        presences().rename(person)

    async def close(self, code: int, reason: str) -> None:
        """Closes it, whatever its consumer is doing; the consumer is told as if the client had gone.

        A connection that isn't accepted yet is closed when it is: a browser can't read why it was refused.
        """
        if self._closed_with is None:
            self._closed_with = code, shortened(reason)
            if self.accepted:
                await self._close(*self._closed_with)

    async def send(self, message: Any) -> None:
        """Sends for the consumer, all but events, which go straight to the server. After `close` nothing is sent.

        Raises Gone.
        """
        if message["type"] == "websocket.accept":
            await self._send(message)
            self.accepted = True
            if self._closed_with is not None:
                await self._close(*self._closed_with)
        elif self._closed_with is None or not self.accepted:
            if message["type"] == "websocket.close":
                self._closed_with = message.get("code") or 1000, shortened(message.get("reason") or "")
                message = {**message, "reason": self._closed_with[1]}
                metrics.CLOSED.labels(self.door, self._closed_with[0]).inc()
            await self._hand_over(message)

    async def _hand_over(self, message: Any) -> None:
        """Has it sent. A client that doesn't take it, or what came before it, in time is dropped. Raises Gone."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT) as patience:
                await self._send(message)
        except (OSError, RuntimeError) as error:
            if patience.expired():
                self._drop()
            elif not is_gone(error):
                raise
            raise Gone from error

    def _drop(self) -> None:
        """Ends the connection without a word, where the server can: mysite.websocket."""
        if self._closed_with is None:
            self._closed_with = SLOW, SlowListener.code
            metrics.CLOSED.labels(self.door, SLOW).inc()
        if self._abort:
            self._abort()

    def ended_by_client(self, code: int | None) -> None:
        if self._closed_with is None:
            self._closed_with = code or 1005, BY_CLIENT
            metrics.CLOSED.labels(self.door, "by client").inc()

    def log_end(self, path: str) -> None:
        code, reason = self._closed_with or (1006, "")  # the server has cancelled the consumer
        if reason != BY_CLIENT and not reason.isidentifier():
            reason = "by the server"  # a library's words, which may repeat a client's
        seconds = round(time.time() - self.opened_at, 3)
        facts = {"door": self.door, "code": code, "seconds": seconds, "address": self.address}
        logger.info("%s closed with %d %s", quote(path), code, reason, extra=facts)

    async def _close(self, code: int, reason: str) -> None:
        metrics.CLOSED.labels(self.door, code).inc()
        with contextlib.suppress(Gone):
            await self._hand_over({"type": "websocket.close", "code": code, "reason": reason})


def login_of(scope: Mapping[str, Any]) -> Login:
    """The login by which AuthMiddlewareStack let this connection in, if that is around it."""
    user: Any = scope.get("user")
    session = scope.get("session")
    if (grant := scope.get(people.GRANT_KEY)) is not None:
        return Login(user.pk, token_id=grant.token_id)
    session_key = session.session_key if session is not None else None
    if user is None or not user.is_authenticated:
        return Login(session_key=session_key)
    return Login(user.pk, user.password, session_key)


def is_gone(error: Exception) -> bool:
    """Whether something could not be sent just because nobody is there any more.

    That is an OSError, says ASGI. But uvicorn, where it has closed a connection by itself because of a frame that no
    protocol knows, takes whatever the application still sends for the application's mistake.
    """
    return isinstance(error, OSError) or "after sending 'websocket.close'" in str(error)


def shortened(reason: str) -> str:
    """As much of it as a close frame can hold, which is no half of a character: a client's JSON may spell one."""
    return reason.encode(errors="replace")[:REASON_MAX].decode(errors="ignore")


async def until(condition: Callable[[], bool], patience: float) -> None:
    """Waits until the condition holds, but no longer than `patience` in seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while not condition() and loop.time() < deadline:  # noqa: ASYNC110  an event to wait for would cost each message
        await asyncio.sleep(POLL)


class Sockets(PerLoop):
    """All sockets of one event loop; `by_address` says how many there are of each address."""

    def __init__(self) -> None:
        self._all: set[Socket] = set()
        self.by_address: Counter[str | None] = Counter()
        self.ending: tuple[int, str] | None = None  # how all are closed that are here and that come yet

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Socket]:
        """Those of this moment: they may come and go meanwhile."""
        return iter(tuple(self._all))

    def add(self, socket: Socket) -> None:
        self._all.add(socket)
        self.by_address[socket.address] += 1
        metrics.CONNECTIONS.labels(socket.door).inc()

    def admit(self, address: str | None) -> None:
        """For a socket that has been added. Raises TooManyConnections if its address has too many to this process."""
        limit = settings.CHAT_CONNECTIONS_PER_ADDRESS
        if settings.CHAT_LIMITS and address is not None and self.by_address[address] > limit:
            metrics.LIMITS_HIT.labels("connections").inc()
            raise TooManyConnections(
                _("Your address has {limit} connections already: close another one first."), limit=limit
            )

    def remove(self, socket: Socket) -> None:
        self._all.remove(socket)
        self.by_address[socket.address] -= 1
        if not self.by_address[socket.address]:
            del self.by_address[socket.address]  # or every address that was ever here would stay
        metrics.CONNECTIONS.labels(socket.door).dec()

    async def end(self, code: int, reason: str, patience: float) -> None:
        """Closes all, each as soon as it has what it is owed, and waits for the consumers to end.

        `patience` is in seconds. Frames that clients send from now on are neither taken nor answered.
        """
        self.ending = code, reason
        leaving = [asyncio.create_task(self._see_off(socket, code, reason, patience)) for socket in self]
        if leaving:
            seen_off, stuck = await asyncio.wait(leaving, timeout=patience)
            for task in stuck:
                task.cancel()  # its client doesn't read
            for task in seen_off:
                if error := task.exception():
                    logger.error("Can't close a socket", exc_info=error)
        await until(lambda: not self._all, LAST_WORDS)

    async def _see_off(self, socket: Socket, code: int, reason: str, patience: float) -> None:
        await until(lambda: not socket.busy, patience / 2)
        await socket.close(code, reason)
