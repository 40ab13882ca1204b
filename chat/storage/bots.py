"""Bots in the database: users without a password, of a room or of the site."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import PROFILE, Person
from chat.domain.rooms import Room
from chat.errors import NameTaken
from chat.models import Bot, RoomMember, Token, Verb, Webhook
from chat.storage import accounts, audit
from chat.storage.database import writes
from chat.token_errors import TooManyTokens

BOTS_MAX = 20  # of a room, and of the site


def of(room: Room | None) -> list[Bot]:
    """The active bots of a room, or those of the site, by their names. `is_member` says whether they are in the room.

    Each is read with its user and the profile.
    """
    member = RoomMember.objects.filter(room=OuterRef("room"), user=OuterRef("user"))
    found = _active(room).select_related(f"user__{PROFILE}").annotate(is_member=Exists(member))
    return sorted(found, key=lambda bot: bot.user.get_username())


def find(room: Room | None, user_id: str) -> Bot | None:
    """The active bot of the room, or of the site, that has the user with that primary key."""
    if not (user_id.isascii() and user_id.isdigit() and len(user_id) < 19):
        return None
    return _active(room).select_related("user").filter(user_id=int(user_id)).first()


def _active(room: Room | None) -> QuerySet[Bot]:
    active = Bot.objects.filter(user__is_active=True)
    return active.filter(room=None) if room is None else active.filter(room__name=room.name)


@writes
def make(*, username: str, room: Room | None, by: Person | None) -> Any:
    """Makes a bot of `room`, or of the site, and returns its user. `by` is the person who does it.

    Raises NameTaken or TooManyTokens.
    """
    with accounts.names_locked():
        if accounts.is_taken(username):
            raise NameTaken(_("The name of another account looks like that one."))
        here = None if room is None else models.Room.objects.get(name=room.name)
        if Bot.objects.filter(room=here, user__is_active=True).count() >= BOTS_MAX:
            raise TooManyTokens(_("There are {most} bots already. Delete one first."), most=BOTS_MAX)
        user = get_user_model()(**{get_user_model().USERNAME_FIELD: username})
        user.set_unusable_password()
        user.save()
        Bot.objects.create(user=user, room=here)
        audit.record(by, Verb.BOT_MADE, room=room, target=people.of_user(user))
    return user


@writes
def delete(*, user_id: Any, room: Room | None, by: Person | None) -> None:
    """Has a bot do nothing any more. What it said stays, and so does its name. `by` is the person who does it."""
    with transaction.atomic():
        revoked, _rows = Token.objects.filter(user_id=user_id).delete()
        Webhook.objects.filter(bot=user_id).delete()
        for user in accounts.users().filter(pk=user_id, chat_bot__isnull=False, is_active=True):
            user.is_active = False
            user.save(update_fields=["is_active"])
            audit.record(by, Verb.BOT_DELETED, room=room, target=people.of_user(user), tokens=revoked)
