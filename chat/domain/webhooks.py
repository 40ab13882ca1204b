"""Outgoing webhooks: what they hear, and when a delivery that failed is tried again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from chat.domain.events import STORED_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.rooms import Room

TYPES = {
    Kind.MESSAGE: "message.created",
    Kind.EDIT: "message.edited",
    Kind.DELETION: "message.deleted",
    Kind.REACTION: "message.reacted",
    Kind.NOTICE: "room.notice",
    Kind.START_OVER: "room.start_over",
}
"""The types of events, by their kinds."""
TEST_TYPE = "webhook.test"

RETRY_DELAYS = [
    *(timedelta(seconds=5), timedelta(seconds=30)),
    *(timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30)),
    *(timedelta(hours=1), timedelta(hours=2), timedelta(hours=4), timedelta(hours=8), timedelta(hours=12)),
]
"""From one attempt to the next; the last one again and again."""
GIVE_UP_AFTER = timedelta(days=3)  # from the first of the failed attempts to the last
SPREAD = 0.1  # of a delay, at most, by which it is longer: not all webhooks of a receiver come back at once


class OffReason(StrEnum):
    """Why a webhook is off."""

    BY_HAND = "by_hand"
    FAILED = "failed"  # for three days
    GONE = "gone"  # the receiver said so, by 410
    EXCLUDED = "excluded"  # the person in charge of it may not read the room any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook that is on, as it is delivered. `secrets` sign, the present one first.

    It hears the entries of `room`; with a `bot`, only mentions of it: in that room or, if that is None, in all rooms.
    What the receiver answers is posted as `author`. `attempts` have failed in a row, the first of them at
    `failing_since`; the next one is at `due_at`.
    """

    id: int
    url: str
    secrets: tuple[str, ...]
    room: Room | None
    bot: Person | None
    author: Person | None
    attempts: int = 0
    failing_since: datetime | None = None
    due_at: datetime | None = None

    def hears(self, event: Event) -> bool:
        """Whether an entry is one that it is to be told of. Its own replies aren't, or it would answer itself."""
        if event.kind is Kind.START_OVER:
            return True
        if not event.known or event.kind not in STORED_KINDS or self.is_reply(event):
            return False
        if self.bot is None:
            return True
        calls = self.bot.id in {person.id for person in event.mentions}
        return calls and event.kind in {Kind.MESSAGE, Kind.EDIT}

    def message_id(self, event: Event) -> str:
        """The event's id for the receiver: the same with each attempt, whichever process makes it."""
        if event.kind is Kind.START_OVER:  # its id is that of the entry before it, which a log may go back to again
            way = hashlib.sha256(f"{event.previous}>{event.id}".encode()).hexdigest()[:32]
            return f"msg_{self.id}_start_over_{event.offset}_{way}"
        return f"msg_{self.id}_{event.id or event.offset}"

    def is_reply(self, event: Event) -> bool:
        """Whether an entry is an answer of this webhook's receiver."""
        by_author = self.author is not None and event.person is not None and event.person.id == self.author.id
        return by_author and (event.client_id or "").startswith(reply_id(f"msg_{self.id}_"))


REPLY = "webhook-"


def reply_id(message_id: str) -> str:
    """The client id of the reply to a delivery: whoever delivers it once more, it is posted once."""
    return REPLY + message_id


def is_any_reply(event: Event) -> bool:
    """Whether a message is an answer of some webhook's receiver."""
    return (event.client_id or "").startswith(REPLY)


@dataclass(frozen=True, slots=True)
class Retry:
    """When the next attempt is; `due_at` is None where there is none any more."""

    due_at: datetime | None
    failing_since: datetime


def retry(
    *, attempts: int, failing_since: datetime | None, now: datetime, asked: timedelta = timedelta(), spread: float = 0
) -> Retry:
    """How to go on after `attempts` in a row that failed, the last of them `now`.

    `asked` is the delay that the receiver asks for. `spread` is a part of SPREAD, from 0 to 1. There is one more
    attempt at the very end.
    """
    since = failing_since or now
    end = since + GIVE_UP_AFTER
    if now >= end:
        return Retry(None, since)
    delay = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1] * (1 + SPREAD * spread)
    return Retry(min(now + max(delay, asked), end), since)


def schedule() -> list[timedelta]:
    """The times of all attempts, from the first one on, if no receiver asks for another delay."""
    delays = RETRY_DELAYS + [RETRY_DELAYS[-1]] * 10
    times = [time for time in accumulate(delays, initial=timedelta()) if time < GIVE_UP_AFTER]
    return [*times, GIVE_UP_AFTER]
