"""Reporting messages to the moderators of a room, who are told at once, and dismissing reports."""

from chat.actions import rate_limits
from chat.delivery.rooms import report_counts
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import clean_reason
from chat.storage import reports
from chat.storage.database import in_database


async def report(*, room: Room, offset: int, reason: object, person: Person) -> None:
    """Has `person` report the message at `offset`. Once more, it gives their report another reason.

    Raises InsufficientScope, InvalidReason, NoSuchMessage, NotAllowed, RateLimited, Banned, NotAMember or Unavailable.
    """
    person.require(Scope.WRITE)
    text = clean_reason(reason)
    await rate_limits.spend(person, on="report")
    await in_database(reports.report, room, offset, text, by=person)
    await report_counts.tell(room)


async def dismiss(*, room: Room, offset: int, person: Person) -> None:
    """Deletes the reports of the message at `offset`.

    Raises InsufficientScope, NotAllowed, RateLimited, Banned, NotAMember or Unavailable.
    """
    person.require(Scope.MODERATE)
    await rate_limits.spend(person)
    await in_database(reports.dismiss, room, offset, by=person)
    await report_counts.tell(room)
