"""Pictures of users: which one each has. Their bytes are in the storage of attachments, under ids of the same kind."""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from chat.domain.avatars import avatar_path
from chat.domain.people import USER, USER_ID, Person
from chat.errors import LoginRequired
from chat.models import Profile
from chat.storage import accounts, file_store
from chat.storage.database import writes

logger = logging.getLogger(__name__)


def of(person_id: str) -> str:
    """The id of the avatar of an active account's person; "" for none. One query."""
    return _by_person([person_id]).get(person_id, "")


def paths(person_ids: Iterable[str]) -> dict[str, str]:
    """The addresses of the avatars of those who have one, by their people's ids. One query."""
    return {id: avatar_path(id, avatar) for id, avatar in _by_person(person_ids).items()}


def _by_person(person_ids: Iterable[str]) -> dict[str, str]:
    keys = {id.removeprefix(USER) for id in person_ids if USER_ID.fullmatch(id)}
    if not keys:
        return {}
    found = accounts.users().filter(pk__in=keys, is_active=True, chat_profile__avatar__gt="")
    return {f"{USER}{key}": avatar for key, avatar in found.values_list("pk", "chat_profile__avatar")}


@writes
def change(person: Person, id: UUID | None) -> UUID | None:
    """Has the avatar of `person` be the one with that id, or none. Returns the id of the one before, if there was one.

    Raises LoginRequired for guests.
    """
    if person.is_guest:
        raise LoginRequired(_("Log in to have a profile."))
    with transaction.atomic():
        if not accounts.users().filter(pk=person.user_id, is_active=True).exists():
            raise LoginRequired(_("Your account is gone."))
        Profile.objects.get_or_create(user_id=person.user_id)
        profile = Profile.objects.select_for_update().get(user_id=person.user_id)
        before = profile.avatar
        Profile.objects.filter(user_id=person.user_id).update(avatar=id.hex if id else "")
    return UUID(before) if before else None


def read(avatar: str) -> bytes:
    """The bytes of an avatar, as WebP. Raises OSError."""
    return file_store.read(UUID(avatar))


@receiver(post_delete, sender=Profile)
def profile_deleted(instance: Profile, **_: Any) -> None:
    """An account's avatar goes with it."""
    if instance.avatar:
        avatar = UUID(instance.avatar)
        transaction.on_commit(lambda: delete(avatar), robust=True)


def delete(id: UUID) -> None:
    """Deletes the bytes of an avatar. They stay, which is logged, while the storage doesn't answer."""
    try:
        file_store.delete(id)
    except OSError as error:
        logger.error("Can't delete an avatar, whose file %s stays: %s", id.hex, error)
