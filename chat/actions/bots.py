"""Making and deleting bots: in a room, as its owner; of the site, as the staff does it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.actions.moderation import carry_out
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NotAllowed
from chat.models import Role
from chat.storage import bots, moderation, notices, permissions
from chat.storage.database import in_database

OWNERS_ONLY = _("Only an owner of the room can make bots for it.")


async def check_owner(room: Room, by: Person) -> None:
    """Raises NotAllowed unless the room is one of `by`."""
    if room.is_direct:
        raise NotAllowed(notices.SAME_PEOPLE)
    if not (await in_database(permissions.permission, room, by)).owns:
        raise NotAllowed(OWNERS_ONLY)


async def make(username: str, room: Room | None, *, by: Person | None) -> Any:
    """Makes a bot of that name, and returns its user. That of a room becomes a member there.

    Raises NotAllowed, NameTaken, TooManyTokens, RateLimited or Unavailable.
    """
    if room is None or by is None:
        return await in_database(bots.make, username=username, room=None, by=by)
    await check_owner(room, by)
    user = await in_database(bots.make, username=username, room=room, by=by)
    await carry_out(moderation.set_role, room, username, Role.MEMBER, by=by)
    return user


async def delete(bot: Any, room: Room | None, *, by: Person | None) -> None:
    """Deletes a bot: it is no member any more, and its tokens don't hold. What it said stays.

    Raises NotAllowed, RateLimited or Unavailable.
    """
    if room is not None and by is not None:
        await check_owner(room, by)
        await carry_out(moderation.remove_member, room, bot.user.get_username(), by=by)
    await in_database(bots.delete, user_id=bot.user_id, room=room, by=by)
