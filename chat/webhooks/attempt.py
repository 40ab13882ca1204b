"""One attempt to deliver: the request, and how it went."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.conf import settings

from chat.domain import webhook_secrets
from chat.domain.webhooks import Webhook
from chat.outgoing.client import OutgoingError, Stopped
from chat.outgoing.deliveries import DeliveryClient
from chat.outgoing.retry_after import asked_delay
from chat.per_loop import PerLoop

AT_ONCE = 50  # attempts under way by webhooks of one pace
LATE_AT_ONCE = 200  # attempts under way beside those, that turned out to be slow
SLOW = 2.0  # seconds from which on an attempt is slow
GONE = 410
ASKED_MAX = timedelta(days=1)  # that a receiver may ask to be left alone


class Pace(Enum):
    """Outcome of a webhook's last attempt."""

    QUICK = auto()
    SLOW = auto()
    FAILING = auto()


@dataclass(frozen=True, slots=True)
class Attempt:
    """`status` is None where no answer came; then `problem` says why, and `detail` says it for logs.

    A redirect is an answer, and not followed.
    """

    took: float  # seconds
    status: int | None = None
    problem: str = ""
    detail: str = ""
    body: bytes = b""
    is_complete: bool = True
    is_too_long: bool = False
    content_type: str = ""
    asked: timedelta = timedelta()  # the delay that the receiver asks for

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def pace(self) -> Pace:
        if not self.is_delivered:
            return Pace.FAILING
        return Pace.SLOW if self.took > SLOW else Pace.QUICK


class Slots(PerLoop):
    """The attempts that may be under way at once. Webhooks wait for those of their own pace, and not for the others.

    An attempt that turns out to be slow, where the last one was quick, gives its place to others, as long as there
    aren't LATE_AT_ONCE of these.
    """

    def __init__(self) -> None:
        self.late = 0
        self._places = {pace: asyncio.Semaphore(AT_ONCE) for pace in Pace}

    @asynccontextmanager
    async def place(self, pace: Pace) -> AsyncIterator[None]:
        """Waits for a place. `pace` is that of the webhook's last attempt."""
        places = self._places[pace]
        if pace is not Pace.QUICK:
            async with places:
                yield
            return
        await places.acquire()
        is_late = False

        def give_way() -> None:
            nonlocal is_late
            if self.late < LATE_AT_ONCE:
                is_late = True
                self.late += 1
                places.release()

        timer = asyncio.get_running_loop().call_later(SLOW, give_way)
        try:
            yield
        finally:
            timer.cancel()
            if is_late:
                self.late -= 1
            else:
                places.release()


async def attempt(webhook: Webhook, message_id: str, body: str, *, now: datetime) -> Attempt:
    """Sends `body` once. Raises Stopped if this process ends meanwhile, and nothing is known of how it went."""
    headers = {
        "Content-Type": "application/json",
        **webhook_secrets.signed(message_id, body, keys=webhook.secrets, at=now),
    }
    began = time.monotonic()
    try:
        answer = await DeliveryClient.here().deliver(
            webhook.url,
            body.encode(),
            headers,
            limit=settings.CHAT_BODY_MAX,
            timeout=settings.CHAT_WEBHOOK_TIMEOUT,
        )
    except Stopped:
        raise
    except OutgoingError as error:
        return Attempt(time.monotonic() - began, problem=error.problem, detail=str(error))
    return Attempt(
        time.monotonic() - began,
        status=answer.status,
        body=answer.body,
        is_complete=answer.complete,
        is_too_long=answer.too_long,
        content_type=answer.headers.get("Content-Type", ""),
        asked=asked_delay(answer.headers.get("Retry-After", ""), most=ASKED_MAX),
    )
