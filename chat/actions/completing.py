"""Completing the names of people who are mentioned."""

from chat.delivery.rooms.source import presences
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.storage import mentions
from chat.storage.database import in_database


async def complete(room: Room, beginning: str, *, person: Person) -> list[Person]:
    """A few people one of whose names has a word that begins so: see `chat.storage.mentions`.

    Those who are there now are among them as far as this process knows. Raises Banned, NotAMember or Unavailable.
    """
    here = presences().people(room)
    return await in_database(mentions.candidates, room, beginning, by=person, here=here)
