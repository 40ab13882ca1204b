"""Rooms as the hub follows them: their logs are in the database of `chat.storage`, and so is who may hear them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.delivery.groups import Groups
from chat.delivery.hub import Hub
from chat.delivery.rooms.presences import Presences
from chat.delivery.source import Effect, Exclusion, Look, Source
from chat.domain import events, group_events
from chat.domain.events import USUAL_KINDS, Change, Event, Kind
from chat.domain.logs import Head
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.recoveries import LogPart, Range, Recovery, RecoveryRequest
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, Removed
from chat.storage import changes, history, permissions, recoveries
from chat.storage.database import in_database

EXCLUDING: Mapping[Change | None, Callable[..., ChatError]] = {
    Change.REMOVED: partial(Removed, _("You were removed from “{room}”.")),
    Change.BANNED: partial(Banned, _("You are banned from “{room}”.")),
}
"""The errors that a person is told whom a change excludes."""

READ_ONLY: Mapping[Change | None, bool] = {Change.READ_ONLY: True, Change.WRITABLE: False}


class RoomSource(Source[Room, Event]):
    """The source of rooms' logs."""

    event_type = group_events.TYPE
    group_key = "room_id"
    usual_kinds = USUAL_KINDS

    async def heads(self, logs: Sequence[Room]) -> Mapping[Room, Head]:
        return await in_database(history.heads, logs)

    async def read(self, ranges: Mapping[Room, Sequence[Range]]) -> Mapping[Room, LogPart]:
        return await in_database(recoveries.read, ranges)

    async def recover(self, requests: Sequence[RecoveryRequest]) -> Sequence[Recovery | ChatError]:
        """In one hop with who may hear the rooms."""
        return await in_database(recoveries.recover_all, requests)

    def looks(self) -> Look:
        return partial(in_database, changes.ChangeLook().look)

    async def refused(self, pairs: Sequence[tuple[Room, Person]]) -> Mapping[tuple[Room, Person], ChatError | None]:
        return await in_database(permissions.problems_of, pairs)

    def effect(self, event: Event) -> Effect | None:
        """Only notices change who may be in a room, or be heard there."""
        if event.kind is not Kind.NOTICE:
            return None
        if not event.known:
            return Effect(recheck=True, restricted=True, read_only=True)
        error = EXCLUDING.get(event.change)
        return Effect(
            excludes=Exclusion(event.subject, partial(error, room=event.room.name)) if error else None,
            recheck=event.change is Change.CLOSED,
            restricted=True if event.change in {Change.BANNED, Change.CLOSED} else None,
            read_only=READ_ONLY.get(event.change),
        )

    def to_group(self, event: Event) -> Mapping[str, Any]:
        return group_events.to_group(event)

    def parse(self, message: Mapping[str, Any], log: Room) -> Event:
        return group_events.parse(message, log)

    def start_over(self, log: Room, position: Position) -> Event:
        return events.start_over(log, position)

    def attendance(self, groups: Groups, knows_all_may_hear: Callable[[Room], bool]) -> Presences:
        return Presences(groups, knows_all_may_hear)


def presences(hub: Hub | None = None) -> Presences:
    """The presence of the rooms that this hub follows; by default, that of the running event loop."""
    found = (hub or Hub.here()).attendance(RoomSource.here())
    assert isinstance(found, Presences)
    return found
