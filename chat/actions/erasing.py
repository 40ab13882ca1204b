"""Erases a person while the site runs: everybody sees what they said go, as by deletions.

What others have to hear of is an entry of its room's log. The rest changes rows that are there: names in old entries.
A page that has shown such a name shows it until it is loaded again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from chat.actions import file_cleaning
from chat.actions.moderation import carry_out
from chat.delivery.publisher import publish
from chat.domain.people import Person
from chat.domain.reactions import ReactionRequest
from chat.errors import NoSuchMessage
from chat.storage import moderation, reactions
from chat.storage.database import in_database
from chat.storage.erasing import logins, mentioned, people, rows, said
from chat.storage.transfer.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of a person was erased. In `named` entries stood their name; `rows` are those beside the log."""

    logins: int
    messages: int
    reactions: int
    named: int
    files: int
    rows: int


async def erase(person: Person, progress: Progress = silent) -> Erased:
    """Erases `person`. Broken off, it goes on when it is called again. Raises OSError if files can't be deleted."""
    ended = await in_database(logins.end_all, person)
    if ended:  # their connections end within that time, and say nothing after it
        await asyncio.sleep(settings.CHAT_SESSION_CHECK + 1)
    all = await in_database(people.traces, person)
    messages = await _delete_messages(person, lambda done: progress(done, all.total))
    reacted = await _take_reactions_back(person, lambda done: progress(messages + done, all.total))
    names = await in_database(people.names_of, person)
    await in_database(rows.forget_in_bans, names)
    named = await in_database(mentioned.forget_name, person, names)
    files = await in_database(rows.give_up_files, person)
    await file_cleaning.delete_gone()
    deleted = await in_database(rows.delete_all, person)
    await in_database(rows.finish, person, messages=messages, reactions=reacted, files=files)
    return Erased(ended, messages, reacted, named, files, deleted)


async def _delete_messages(person: Person, progress: Callable[[int], None]) -> int:
    done = 0
    while places := await in_database(said.messages, person):
        for room, offset in places:
            try:
                await carry_out(moderation.delete_message, room, offset, by=None)
            except NoSuchMessage:  # it was pruned meanwhile
                continue
            done += 1
            progress(done)
    return done


async def _take_reactions_back(person: Person, progress: Callable[[int], None]) -> int:
    done = 0
    while places := await in_database(said.reactions, person):
        for room, offset, emoji in places:
            requests = [ReactionRequest(person, emoji, on=False)]
            reacted = await in_database(reactions.react, room, offset, requests, trusted=True)
            if reacted.is_new and reacted.entry is not None:
                await publish(reacted.entry)
            else:
                await in_database(said.drop_reaction, person, room, offset, emoji)
            done += 1
            progress(done)
    return done
