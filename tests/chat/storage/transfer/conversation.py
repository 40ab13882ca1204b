"""A room in which everything has happened that can happen in a room."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from chat.domain.reactions import PEOPLE_NAMED, ReactionRequest
from chat.domain.rooms import Room, find
from chat.models import Role
from chat.storage import edits, log, moderation, reactions
from chat.storage.log import Draft, Entry

ROOM = find("everything é/1")
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
CROWD = [Person(id=f"guest-{number:016x}", name=f"Guest {number}") for number in range(PEOPLE_NAMED + 5)]


def account(name: str) -> Person:
    return people.of_user(User.objects.get_or_create(username=name)[0])


def say(text: str, by: Person, room: Room = ROOM, **more: object) -> int:
    (entry,) = log.append([Draft(room=room, text=text, person=by, trusted=True, **more)])
    assert isinstance(entry, Entry), entry
    return entry.event.offset or 0


def react(target: int, emoji: str, *those: Person, on: bool = True, room: Room = ROOM) -> None:
    reactions.react(room, target, [ReactionRequest(person, emoji, on) for person in those])


def hold(room: Room = ROOM) -> Room:
    """Holds the conversation: posts, replies, edits, reactions, mentions, deletions, notices, bans, members."""
    ann, ben, eve = account("ann"), account("ben"), account("eve")
    moderation.create(room, private=False, by=ann)
    first = say("Good *morning*,\n@ben and “friends” 🎉 \u2028", ann, room, client_id="c1", mentions=(ben, EVERYBODY))
    reply = say("> morning\nindeed", ben, room, reply_to=first, client_id="c1")
    say("guest here", GUEST, room)
    moderation.set_role(room, "ben", Role.MODERATOR, by=ann)
    react(first, "👍", *CROWD, room=room)
    react(first, "❤️", ben, GUEST, room=room)
    react(first, "👍", CROWD[3], on=False, room=room)
    edits.edit_message(room, reply, "> morning\nindeed, @ann!", by=ben)
    edits.edit_message(room, reply, "> morning\nindeed", by=ben)
    edits.edit_message(room, first, "Good evening, @ben", by=ann)
    secret = say("my password is swordfish", eve, room)
    edits.edit_message(room, secret, "my password is swordfish2", by=eve)
    react(secret, "😱", ann, room=room)
    moderation.delete_message(room, secret, by=ben)
    moderation.ban(room, eve.id, by=ben)
    moderation.ban(room, GUEST.id, by=None)
    moderation.unban(room, GUEST.id, by=ann)
    moderation.set_private(room, True, by=ann)
    say("only us now", ben, room, reply_to=first)
    models.Room.objects.filter(name=room.name).update(read_only=True, slow_mode=30, link_previews=True)
    models.Ban.objects.update(at=timezone.now() - timedelta(days=3))
    return room
