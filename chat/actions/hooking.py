"""Posting what an incoming webhook was sent, or what the receiver of an outgoing one has answered."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from chat.actions import posting
from chat.domain import names, people
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import InvalidName, NameTaken
from chat.storage import accounts
from chat.storage.database import in_database
from chat.storage.log import Entry


async def post(
    *,
    room: Room,
    text: str,
    username: str | None,
    person: Person,
    client_id: object = None,
    reply_to: object = None,
    program: str | None = None,
) -> Entry:
    """Says `text` in `room` as `person`, under the name `username` if there is one.

    `program` is as `chat.actions.posting.post` has it.

    Raises InvalidName for a name that nobody may have, NameTaken for one that looks like somebody else's, and what
    `chat.actions.posting.post` raises.
    """
    if username is not None and username != person.name:
        person = replace(person, name=await _free_name(username, person))
    return await posting.post(
        room=room, message=text, person=person, client_id=client_id, reply_to=reply_to, program=program
    )


async def _free_name(username: str, person: Person) -> str:
    name = people.clean_name(username)
    if names.is_call(name):
        raise InvalidName(names.NO_CALL)
    if names.is_reserved(name):
        raise NameTaken(names.NO_NAME_OF_SITE)
    if await in_database(accounts.is_taken, name, besides=person.user_id):
        raise NameTaken(_("The name of another account looks like that one."))
    return name
