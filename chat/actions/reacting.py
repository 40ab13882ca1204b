"""Reacting to messages with emoji, and taking that back."""

import asyncio

from chat.actions import rate_limits
from chat.actions.reaction_collector import ReactionCollector
from chat.domain.emoji import clean_emoji
from chat.domain.events import Event
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import Room


async def react(*, room: Room, offset: int, emoji: object, on: bool, person: Person) -> asyncio.Future[Event | None]:
    """Has `person` react to the message at `offset` with `emoji`, or no longer. Setting what is set changes nothing.

    Returns a future, so that nobody has to wait who has more to do: an entry comes at most once a second for each
    message. Its result is the entry that has the state after it, stored and heard by everybody; None if nobody has ever
    reacted to the message. It may raise NoSuchMessage, TooManyReactions, Banned, NotAMember or Unavailable. The
    requests of one person are met in their order.

    Raises InsufficientScope, InvalidEmoji, RateLimited or Unavailable.
    """
    person.require(Scope.WRITE)
    request = ReactionRequest(person, clean_emoji(emoji), on)
    await rate_limits.spend(person, on="reaction")
    return ReactionCollector.here().put(room, offset, request)
