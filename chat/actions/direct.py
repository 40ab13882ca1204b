"""Direct rooms: opening one with other users."""

from collections.abc import Collection

from chat.actions import rate_limits
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.storage import direct_rooms
from chat.storage.database import in_database


async def open_room(usernames: Collection[str], *, by: Person, person_ids: Collection[str] = ()) -> Room:
    """The direct room of `by` and the users of these names, or with these ids. It is made if there is none yet.

    It becomes one of everybody's own rooms once something is said there.

    Raises InsufficientScope, LoginRequired, NoSuchPerson, InvalidPeople, RateLimited or Unavailable.
    """
    by.require(Scope.WRITE)
    by.require_all_rooms()
    await rate_limits.spend(by, on="room")
    members = await in_database(direct_rooms.people_of, usernames, by=by, person_ids=person_ids)
    room = direct_rooms.room_of(members)
    await in_database(direct_rooms.make, room, members)
    return room
