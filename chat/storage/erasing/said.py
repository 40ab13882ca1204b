"""A person's messages and reactions: the places at which `chat.actions.erasing` takes that back."""

from itertools import islice

from chat import models
from chat.domain.events import Kind
from chat.domain.people import Person
from chat.domain.rooms import Room

PLACES_MAX = 200  # that are given at once


def messages(person: Person) -> list[tuple[Room, int]]:
    """The next places of their messages that aren't deleted yet; room by room, since each room's log has an index."""
    found: list[tuple[Room, int]] = []
    for room in models.Room.objects.order_by("pk").iterator():
        mine = room.messages.filter(person_id=person.id, kind=Kind.MESSAGE, deletion=None)
        places = mine.order_by("offset").values_list("offset", flat=True)
        found += [(Room(room.name), offset) for offset in islice(places.iterator(), PLACES_MAX - len(found))]
        if len(found) == PLACES_MAX:
            break
    return found


def reactions(person: Person) -> list[tuple[Room, int, str]]:
    """The next places at which they react, and with which emoji."""
    mine = models.MessageReaction.objects.filter(person_id=person.id).select_related("room").order_by("pk")
    return [(Room(row.room.name), row.offset, row.emoji) for row in mine[:PLACES_MAX]]


def drop_reaction(person: Person, room: Room, offset: int, emoji: str) -> None:
    """Deletes the row of a reaction to what is no message any more."""
    of_person = models.MessageReaction.objects.filter(person_id=person.id, emoji=emoji, offset=offset)
    of_person.filter(room__name=room.name).delete()
