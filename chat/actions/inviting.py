"""Inviting people: owners invite to their rooms, staff to the site; and what people do with an invitation."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.actions.bots import check_owner
from chat.actions.moderation import carry_out, carry_out_on_commit
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NameTaken
from chat.invitation_errors import RegistrationClosed
from chat.models import Role
from chat.storage import accounts, invitations, moderation
from chat.storage.database import in_database
from chat.storage.invitations import InvitationRequest


def may_register(*, invited: bool = False) -> bool:
    """Whether people may make an account for themselves: without an invitation, or by one."""
    return bool(settings.CHAT_REGISTRATION == "open" or (invited and settings.CHAT_REGISTRATION == "invitation"))


async def invite(request: InvitationRequest, room: Room | None, *, user: Any) -> str:
    """Makes an invitation to a room of the user's, or to the site, as its staff does. Returns the secret of its link.

    Raises NotAllowed, TooManyInvitations or Unavailable.
    """
    if room is not None:
        await check_owner(room, people.of_user(user))
    return await in_database(invitations.create, user=user, room=room, request=request)


async def revoke(invitation_id: int, room: Room | None, *, by: Person) -> None:
    """Raises NotAllowed or Unavailable."""
    if room is not None:
        await check_owner(room, by)
    await in_database(invitations.delete, room=room, invitation_id=invitation_id, by=by)


async def accept(room: Room, secret: str, *, person: Person) -> None:
    """Makes the person, who has an account, a member of the room by an invitation to it.

    Raises InvalidInvitation, Banned, RateLimited or Unavailable.
    """
    await carry_out(invitations.accept, room, secret, by=person)


def register(user: Any, secret: str) -> Room | None:
    """Saves a new user who has an invitation. Returns the room that they are a member of by it, if it is to a room.

    Raises InvalidInvitation, NameTaken or RegistrationClosed; then nobody has used the invitation.
    """
    if not may_register(invited=True):
        raise RegistrationClosed(_("Nobody can sign up here. Ask the site’s staff for an account."))
    with accounts.names_locked():
        invitation = invitations.find(secret)
        if accounts.is_taken(user.get_username()):  # just now
            raise NameTaken(_("The name of another account looks like that one."))
        user.save()
        invitations.use(invitation, people.of_user(user))
        if invitation.room is None:
            return None
        room, maker = Room(invitation.room.name), people.of_user(invitation.by)
        carry_out_on_commit(moderation.set_role, room, user.get_username(), Role.MEMBER, by=maker)
        return room
