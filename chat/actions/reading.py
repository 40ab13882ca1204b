"""Acts of a person on their own rooms: reading, muting, leaving them. All devices of theirs are told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chat.actions import rate_limits
from chat.actions.moderation import carry_out
from chat.delivery.batcher import Batcher
from chat.delivery.rooms import followers
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.models import Involvement
from chat.per_loop import PerLoop
from chat.storage import moderation, own_rooms, permissions, readings
from chat.storage.database import in_database
from chat.storage.history import check_offset
from chat.storage.readings import Mark

ROOMS_PER_PAGE = 200  # that are marked as read together


class Marks(PerLoop):
    """Stores together what many people have read: one commit is under way, and the next one waits for it."""

    def __init__(self) -> None:
        self._batcher = Batcher(_store)

    async def store(self, mark: Mark) -> None:
        """Raises Banned, NotAMember or Unavailable."""
        await self._batcher.ask(mark)


async def _store(marks: list[Mark]) -> Sequence[ChatError | None]:
    problems = await in_database(readings.mark_read, marks)
    allowed = [mark for mark, problem in zip(marks, problems, strict=True) if problem is None]
    await followers.tell({(mark.person.id, mark.room.name): None for mark in allowed})
    return problems


async def mark_read(room: Room, offset: object, *, person: Person) -> None:
    """The person has read `room` up to `offset`, or further already. Makes the room one of theirs.

    A person whom the next connection makes another has no rooms. Raises InsufficientScope, InvalidPosition,
    Banned, NotAMember or Unavailable.
    """
    person.require(Scope.WRITE)
    checked = check_offset(offset)
    if person.lasting:
        await Marks.here().store(Mark(room, person, checked))


async def mark_unread(room: Room, offset: object, *, person: Person) -> None:
    """Makes the messages from `offset` on unread again. Raises as `mark_read` does, and RateLimited."""
    await _change(readings.mark_unread, room, person, check_offset(offset))


async def set_involvement(room: Room, involvement: Involvement, *, person: Person) -> None:
    """Sets what the person is told of, and makes the room one of theirs.

    Raises Banned, NotAMember, RateLimited or Unavailable.
    """
    await _change(readings.set_involvement, room, person, involvement)


async def mark_all_read(*, person: Person) -> None:
    """The person has read all that was said so far in their rooms.

    Raises InsufficientScope, RateLimited or Unavailable.
    """
    person.require(Scope.WRITE)
    person.require_all_rooms()
    await rate_limits.spend(person, on="room")
    last = None
    while found := await in_database(own_rooms.own_rooms, person, size=ROOMS_PER_PAGE, after=last):
        if marks := [Mark(own.room, person, own.last_offset) for own in found if own.read_offset < own.last_offset]:
            await _store(marks)
        last = found[-1]


async def leave(room: Room, *, person: Person) -> None:
    """The room is none of the person's any more, who is no member of it any more either.

    A direct room is theirs again as soon as something is said there: its members stay.

    Raises InsufficientScope, LastOwner, Banned, RateLimited or Unavailable.
    """
    person.require(Scope.WRITE)
    if not room.is_direct and (await in_database(permissions.permission, room, person)).role is not None:
        by = replace(person, grant=None)  # members may always go
        await carry_out(moderation.remove_member, room, person.username or person.name, by=by)
    await _change(readings.leave, room, person)


async def _change(function: Callable[..., None], room: Room, person: Person, *args: Any) -> None:
    person.require(Scope.WRITE)
    if person.lasting:
        await rate_limits.spend(person, on="room")
        await in_database(function, room, person, *args)
        await followers.tell([(person.id, room.name)])
