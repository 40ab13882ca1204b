"""Carries out what `chat.storage.moderation` does, and publishes the entries.

`by` is the person who acts; None is the site itself, as in the admin pages.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction

from chat import tracing
from chat.actions import rate_limits
from chat.actions.file_cleaning import FileCleaning
from chat.delivery.publisher import publish
from chat.delivery.rooms import followers, report_counts
from chat.domain.events import Event, Kind
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.storage import edits, moderation
from chat.storage.database import in_database

Action = Callable[..., Event | None]
AUTHORS_ACTIONS = {edits.edit_message, moderation.delete_message}  # with which people change what they said themselves


@tracing.traced("room.change")
async def carry_out(action: Action, room: Room, *args: Any, by: Person | None, **kwargs: Any) -> Event | None:
    """Runs `action` and publishes its entry.

    Raises what `action` raises, InsufficientScope, RateLimited and Unavailable.
    """
    if by is not None:
        by.require(*((Scope.WRITE, Scope.MODERATE) if action in AUTHORS_ACTIONS else (Scope.MODERATE,)))
        await rate_limits.spend(by)
    event = await in_database(action, room, *args, by=by, **kwargs)
    if event is not None:
        await _tell(event)
    return event


def carry_out_on_commit(action: Action, room: Room, *args: Any, by: Person | None, **kwargs: Any) -> Event | None:
    """Runs `action`, and publishes its entry once the surrounding transaction is committed."""
    event = action(room, *args, by=by, **kwargs)
    if event is not None:
        transaction.on_commit(partial(async_to_sync(_tell), event))
    return event


async def _tell(event: Event) -> None:
    """Everybody in the room, and the person it is about: the room may be one of theirs now, or none any more.

    And moderators, if there may be fewer reports by it. The bytes of a deleted message's files are cleaned up.
    """
    await publish(event)
    if event.kind is Kind.DELETION:  # which deletes the reports of the message
        await report_counts.tell(event.room)
        FileCleaning.here().soon()
    if event.subject:
        await followers.tell([(event.subject, event.room.name)])
