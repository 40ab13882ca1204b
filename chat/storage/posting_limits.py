"""Limits on posting: rooms that are read-only, and rooms in slow mode. Owners and moderators are free of both.

Owners and moderators set them; each change is an entry of the room's log, as all acts of `chat.storage.moderation` are.
They are decided in the transaction that stores a message, while the room is locked. So they hold whichever process a
person posts through, and without Redis.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import models
from chat.domain.events import Change, Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import InvalidSlowMode, NotAllowed, ReadOnly, SlowMode, grouped
from chat.models import Verb
from chat.storage import audit, notices
from chat.storage.database import writes
from chat.storage.permissions import Permission

SLOW_MODE_MAX = 6 * 3600  # seconds
READ_ONLY = _("Only the owners and moderators of “{room}” can write there.")
SLOW_MODE_SET = {
    3600: ngettext_lazy(
        "Slow mode was set by {by}: one message per person every hour.",
        "Slow mode was set by {by}: one message per person every {count} hours.",
        "count",
    ),
    60: ngettext_lazy(
        "Slow mode was set by {by}: one message per person every minute.",
        "Slow mode was set by {by}: one message per person every {count} minutes.",
        "count",
    ),
    1: ngettext_lazy(
        "Slow mode was set by {by}: one message per person every second.",
        "Slow mode was set by {by}: one message per person every {count} seconds.",
        "count",
    ),
}
"""Notices of slow mode, by the seconds of the unit in which they name its pause."""

Pair = tuple[Room, Person]


@writes
def set_read_only(room: Room, read_only: bool, *, by: Person | None) -> Event | None:
    """Has only owners and moderators post in the room, or everybody again. Raises NotAllowed."""
    with transaction.atomic():
        place, here, actor = notices.begin(room, by)
        if not actor.owns:
            raise NotAllowed(_("Only an owner of the room can make it read-only, or have everybody write again."))
        if here.read_only == read_only:
            transaction.set_rollback(True)
            return None
        here.read_only = read_only
        here.save(update_fields=["read_only"])
        audit.record(by, Verb.ROOM_READ_ONLY_CHANGED, room=room, read_only=read_only)
        if read_only:
            text = _("This room was made read-only by {by}: only owners and moderators can write here.")
        else:
            text = _("This room was opened for writing by {by}.")
        return notices.write(place, text, by, Change.READ_ONLY if read_only else Change.WRITABLE, None)


@writes
def set_slow_mode(room: Room, seconds: int, *, by: Person | None) -> Event | None:
    """Has that many seconds pass from one message of a person to their next; 0 switches slow mode off.

    Raises InvalidSlowMode or NotAllowed.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= SLOW_MODE_MAX:
        raise InvalidSlowMode(
            _("Slow mode takes a whole number of seconds from 0 to {longest}."), longest=grouped(SLOW_MODE_MAX)
        )
    with transaction.atomic():
        place, here, _actor = notices.begin(room, by)
        if here.slow_mode == seconds:
            transaction.set_rollback(True)
            return None
        here.slow_mode = seconds
        here.save(update_fields=["slow_mode"])
        audit.record(by, Verb.ROOM_SLOW_MODE_CHANGED, room=room, seconds=seconds)
        if seconds:
            size, text = next((size, text) for size, text in SLOW_MODE_SET.items() if seconds % size == 0)
            return notices.write(place, text, by, Change.SLOW_MODE, None, count=seconds // size)
        forget(place.room_id)
        return notices.write(place, _("Slow mode was switched off by {by}."), by, Change.SLOW_MODE, None)


def check_read_only(room: Room, permission: Permission) -> None:
    """Raises ReadOnly for somebody with that permission, unless they may post."""
    if not permission.may_post:
        raise ReadOnly(READ_ONLY, room=room.name)


class PostingLimits:
    """The limits for people who are about to post together, each in the room beside them.

    `permitted` has the permissions of those in rooms that limit posts, `room_ids` the ids of these rooms' rows.
    """

    def __init__(self, permitted: Mapping[Pair, Permission], room_ids: Mapping[Room, int]) -> None:
        self._now = timezone.now()
        self._permitted = permitted
        self._room_ids = room_ids
        self._last = self._read(pair for pair, permission in permitted.items() if permission.pause)
        self._posted: dict[tuple[int, str], datetime] = {}

    def problem_with(self, room: Room, person: Person) -> ReadOnly | SlowMode | None:
        """Why `person` may not post in `room` now."""
        permission = self._permitted.get((room, person))
        if permission is None:
            return None
        if not permission.may_post:
            return ReadOnly(READ_ONLY, room=room.name)
        last = self._last.get((self._room_ids[room], person.id))
        if not permission.pause or last is None:
            return None
        # By no more than the pause, though the clock of another machine may be ahead.
        wait = min(timedelta(seconds=permission.pause), last + timedelta(seconds=permission.pause) - self._now)
        return SlowMode(wait.total_seconds()) if wait > timedelta() else None

    def note(self, room: Room, person: Person) -> None:
        """`person` is going to post in `room` now."""
        permission = self._permitted.get((room, person))
        if permission is not None and permission.pause:
            key = self._room_ids[room], person.id
            self._last[key] = self._posted[key] = self._now

    def record(self) -> None:
        """Stores what was noted. One statement, if anything was."""
        if self._posted:
            models.LastPost.objects.bulk_create(
                [models.LastPost(room_id=id, person_id=person_id, at=at) for (id, person_id), at in self._in_order()],
                update_conflicts=True,
                unique_fields=["room", "person_id"],
                update_fields=["at"],
            )

    def _in_order(self) -> list[tuple[tuple[int, str], datetime]]:
        return sorted(self._posted.items())

    def _read(self, pairs: Iterable[Pair]) -> dict[tuple[int, str], datetime]:
        """When each of them posted last, by the room's id and the person's. One query, if there are any."""
        wanted = {(self._room_ids[room], person.id) for room, person in pairs}
        if not wanted:
            return {}
        rooms, people = {room_id for room_id, _ in wanted}, {person_id for _, person_id in wanted}
        found = models.LastPost.objects.filter(room__in=rooms, person_id__in=people)
        return {(room_id, person_id): at for room_id, person_id, at in found.values_list("room_id", "person_id", "at")}


def forget(room_id: int) -> None:
    """Nobody has to wait in this room any more."""
    models.LastPost.objects.filter(room=room_id).delete()
