"""Invitations in the database: making, revoking and using them.

The secret of an invitation has the form of a token's, by which logs know it and mask it; but it is no token. Only its
hash is stored. An invitation holds until it expires, is used up or deleted, which revokes it, and as long as its maker
may invite: to a room as its owner, to the site as one of its staff.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import PROFILE, Person
from chat.domain.rooms import Room
from chat.domain.tokens import digest, is_well_formed, make
from chat.errors import Banned
from chat.invitation_errors import InvalidInvitation, TooManyInvitations
from chat.models import Invitation, Role, RoomMember, Verb
from chat.storage import audit, moderation, permissions
from chat.storage.database import writes

INVITATIONS_MAX = 50  # of a room, and of the site


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """How many people may use an invitation, and for how many days."""

    uses: int
    days: int


def of(room: Room | None) -> list[Invitation]:
    """The invitations of a room, or those to the site alone, that hold; the newest first."""
    found = _holding().filter(_to(room)).select_related(f"by__{PROFILE}")
    return list(found.order_by("-pk"))


def find(secret: str) -> Invitation:
    """The invitation with that secret, with its room and its maker. Raises InvalidInvitation unless it holds."""
    found = None
    if is_well_formed(secret):
        found = _holding().filter(digest=digest(secret)).select_related("room", f"by__{PROFILE}").first()
    if found is None:
        raise InvalidInvitation
    return found


def _to(room: Room | None) -> Q:
    return Q(room=None) if room is None else Q(room__name=room.name)


def _holding() -> QuerySet[Invitation]:
    owner = RoomMember.objects.filter(room=OuterRef("room"), user=OuterRef("by"), role=Role.OWNER)
    maker_may = Q(room=None, by__is_staff=True) | Q(Exists(owner))
    return Invitation.objects.filter(_usable(), maker_may, by__is_active=True)


def _usable() -> Q:
    return Q(expires_at__gt=timezone.now(), used__lt=F("uses"))


@writes
def create(*, user: Any, room: Room | None, request: InvitationRequest) -> str:
    """Makes an invitation of the user's and returns its secret, which can't be read again.

    Invitations that are over are deleted. Raises TooManyInvitations.
    """
    secret = make()
    with transaction.atomic():
        Invitation.objects.filter(_to(room)).exclude(_usable()).delete()
        if Invitation.objects.filter(_to(room)).count() >= INVITATIONS_MAX:
            text = _("There are {most} invitations already. Revoke one first.")
            raise TooManyInvitations(text, most=INVITATIONS_MAX)
        invitation = Invitation.objects.create(
            by=user,
            room=None if room is None else models.Room.objects.get(name=room.name),
            digest=digest(secret),
            expires_at=timezone.now() + timedelta(days=request.days),
            uses=request.uses,
        )
        _record(people.of_user(user), Verb.INVITATION_MADE, invitation, uses=request.uses, days=request.days)
    return secret


@writes
def delete(*, room: Room | None, invitation_id: int, by: Person | None) -> None:
    """Revokes an invitation to the room, or to the site alone, if there is one with that number."""
    with transaction.atomic():
        for invitation in Invitation.objects.filter(_to(room), pk=invitation_id).select_for_update():
            _record(by, Verb.INVITATION_REVOKED, invitation)
            invitation.delete()


@writes
def accept(room: Room, secret: str, *, by: Person) -> Any:
    """Makes `by` a member of the room that the invitation is to, and returns the entry; None if they are one already.

    Raises InvalidInvitation or Banned; then nobody has used it.
    """
    with transaction.atomic():
        invitation = find(secret)
        permission = permissions.permission(room, by)
        if invitation.room is None or invitation.room.name != room.name or by.username is None:
            raise InvalidInvitation
        if permission.banned:
            raise Banned(_("You are banned from “{room}”."), room=room.name)
        if permission.role is not None:
            return None
        use(invitation, by)
        return moderation.set_role(room, by.username, Role.MEMBER, by=people.of_user(invitation.by))


def use(invitation: Invitation, by: Person) -> None:
    """Counts a use by `by`, in a transaction. Raises InvalidInvitation if somebody else had the last one."""
    # By a condition on the row itself: of two at the same moment, the second looks again at what the first has left.
    if not Invitation.objects.filter(_usable(), pk=invitation.pk).update(used=F("used") + 1):
        raise InvalidInvitation
    _record(by, Verb.INVITATION_USED, invitation)


def _record(by: Person | None, verb: Verb, invitation: Invitation, **details: Any) -> None:
    room = None if invitation.room is None else Room(invitation.room.name)
    audit.record(by, verb, room=room, invitation=invitation.pk, **details)
