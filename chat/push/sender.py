"""Sends pushes to the push services, several at once, and says how each went."""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chat import metrics
from chat.domain.alerts import Alert
from chat.models import Detail
from chat.outgoing.client import Answer, Client, OutgoingError, Refused
from chat.outgoing.retry_after import asked_delay
from chat.push.envelope import Envelopes, origin_of
from chat.push.payload import payload, smallest_payload
from chat.storage.push_subscriptions import Subscription

logger = logging.getLogger(__name__)

TOGETHER_MAX = 20  # requests under way
REQUEST_TIMEOUT = 10.0  # seconds
ANSWER_MAX = 1000  # bytes of an answer that are read
AWAY_TIME = 30.0  # seconds for which a push service is left alone that didn't answer
SERVICES_MAX = 1000  # that are remembered as being away
ATTEMPTS_MAX = 6
FIRST_RETRY = timedelta(seconds=15)  # doubled with each attempt
RETRY_MAX = timedelta(hours=1)  # from one attempt to the next, whatever the push service asks for


class Outcome(StrEnum):
    """The outcome of a push."""

    SENT = "sent"
    GONE = "gone"  # the subscription is no more
    LATER = "later"  # it is to be tried again
    REFUSED = "refused"  # the push service doesn't take it, and never will


@dataclass(frozen=True, slots=True)
class Push:
    """An alert for one device. `attempts` is how often it was tried before."""

    subscription: Subscription
    alert: Alert
    detail: Detail
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """`delay` is how long to wait until the next attempt, where there is to be one."""

    outcome: Outcome
    delay: timedelta = timedelta()


class Sender:
    def __init__(self, envelopes: Envelopes) -> None:
        self._envelopes = envelopes
        self._slots = asyncio.Semaphore(TOGETHER_MAX)
        self._away: dict[str, float] = {}  # by origin, until when on the event loop's clock

    async def send_all(self, pushes: Sequence[Push]) -> list[Result]:
        """Sends these pushes. Returns how each went, in their order; never raises for one of them."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send(push)) for push in pushes]
        return [task.result() for task in tasks]

    async def _send(self, push: Push) -> Result:
        async with self._slots:
            try:
                result = await self._try(push)
            except Exception:
                logger.exception("Can't push to %s", origin_of(push.subscription.endpoint))
                result = Result(Outcome.REFUSED)
        if result.outcome is Outcome.LATER and push.attempts + 1 >= ATTEMPTS_MAX:
            result = Result(Outcome.REFUSED)
        metrics.PUSHES.labels(result.outcome).inc()
        return result

    async def _try(self, push: Push) -> Result:
        origin = origin_of(push.subscription.endpoint)
        away = self._away.get(origin, 0.0) - asyncio.get_running_loop().time()
        if away > 0:
            return Result(Outcome.LATER, timedelta(seconds=away))
        language = push.subscription.language
        made = payload(push.alert, detail=push.detail, language=language)
        try:
            answer = await self._post(push, made)
            if answer.status == 413:
                answer = await self._post(push, smallest_payload(push.alert, language=language))
        except Refused as error:
            logger.warning("A push service is at no public address: %s", error)
            return Result(Outcome.GONE)
        except OutgoingError as error:
            logger.warning("A push service can't be reached: %s", error)
            self._note_away(origin)
            return Result(Outcome.LATER, delay_after(push.attempts))
        return self._judged(push, answer)

    async def _post(self, push: Push, made: bytes) -> Answer:
        envelope = await asyncio.to_thread(self._envelopes.make, push.subscription, push.alert, made)
        return await Client.here().post(
            push.subscription.endpoint, envelope.body, envelope.headers, limit=ANSWER_MAX, timeout=REQUEST_TIMEOUT
        )

    def _judged(self, push: Push, answer: Answer) -> Result:
        match answer.status:
            case status if 200 <= status < 300:
                return Result(Outcome.SENT)
            case 404 | 410:
                return Result(Outcome.GONE)
            case 408 | 425 | 429 | 500 | 502 | 503 | 504 as status:
                asked_for = asked_delay(answer.headers.get("Retry-After", ""), most=RETRY_MAX)
                logger.info("%s answered %d", origin_of(push.subscription.endpoint), status)
                return Result(Outcome.LATER, max(asked_for, delay_after(push.attempts)))
            case status:
                # By the first words, those who run the site see what is wrong: a contact that isn't liked, say.
                origin, said = origin_of(push.subscription.endpoint), answer.body[:200].decode(errors="replace")
                logger.warning("%s refused a push with %d: %.200r", origin, status, said)
                return Result(Outcome.REFUSED)

    def _note_away(self, origin: str) -> None:
        if len(self._away) >= SERVICES_MAX:
            self._away.clear()
        self._away[origin] = asyncio.get_running_loop().time() + AWAY_TIME


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts and one more; spread, so that not all come back at once."""
    delay: timedelta = min(FIRST_RETRY * 2**attempts, RETRY_MAX)
    return delay * random.uniform(1, 1.5)
