"""Direct rooms: opening one with other users."""

from collections.abc import Sequence

from chat.actions import rate_limits
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.storage import direct_rooms
from chat.storage.database import in_database


async def open_room(usernames: Sequence[str], *, by: Person) -> Room:
    """The direct room of `by` and the users of these names. It is made if there is none yet.

    It becomes one of everybody's own rooms once something is said there.

    Raises LoginRequired, NoSuchPerson, InvalidPeople, RateLimited or Unavailable.
    """
    await rate_limits.spend(by, on="room")
    members = await in_database(direct_rooms.people_of, usernames, by=by)
    room = direct_rooms.room_of(members)
    await in_database(direct_rooms.make, room, members)
    return room
