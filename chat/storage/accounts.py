"""The names of accounts and the display names of their users, by what they look like: nobody else may be called so.

Each name has its skeletons in rows of their own, so that one indexed query finds it, on either database. Those of an
account's name follow the account: when it is made or renamed, wherever that is done through Django; and when it logs
in, and with `manage.py migrate`, in case something else did it, or another version of Unicode's data makes other
skeletons. Those of a display name follow the profile likewise.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.apps import AppConfig
from django.apps import apps as django_apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_migrate, post_save
from django.dispatch import receiver

from chat.domain.people import PROFILE
from chat.domain.skeletons import skeletons
from chat.models import AccountSkeleton, DisplayNameSkeleton, Profile

BATCH_SIZE = 500  # accounts
LOCK_NAMES = f"LOCK TABLE {DisplayNameSkeleton._meta.db_table} IN SHARE ROW EXCLUSIVE MODE"


def users() -> QuerySet[Any]:
    """The accounts, each read with its profile, which `chat.domain.people.of_user` takes the display name from."""
    return get_user_model()._default_manager.select_related(PROFILE)


def is_taken(name: str, *, besides: str | None = None) -> bool:
    """Whether an account, or its user, is called `name`, or so that it looks like that; one query.

    `besides` is the primary key of a user, as a text, whose own names don't count.
    """
    found = _rows_like(skeletons(name))
    return found.exists() if besides is None else any(str(user_id) != besides for user_id, _ in found)


def alike(names: Iterable[str]) -> dict[str, list[Any]]:
    """By each of `names`: the active accounts that are called so, or so that it looks like that. Two queries.

    The one that is spelled exactly like that comes first, by its username before its display name.
    """
    looks = {name: skeletons(name) for name in names}
    owners: dict[str, set[Any]] = defaultdict(set)
    for user_id, skeleton in _rows_like(frozenset().union(*looks.values())):
        owners[skeleton].add(user_id)
    known = users().filter(is_active=True).in_bulk({user_id for some in owners.values() for user_id in some})
    return {
        name: sorted(
            (known[id] for id in set().union(*(owners[one] for one in its)) if id in known),
            key=lambda user: (user.get_username() != name, display_name(user) != name, user.pk),
        )
        for name, its in looks.items()
    }


def display_name(user: Any) -> str:
    """The display name in the profile of a user who was read with it; "" for none."""
    profile = getattr(user, PROFILE, None)
    return profile.display_name if profile is not None else ""


def _rows_like(looks: Collection[str]) -> Any:
    """The primary keys of users, each with the skeleton among `looks` that a name of theirs has."""
    by_username = AccountSkeleton.objects.filter(skeleton__in=looks).values_list("user_id", "skeleton")
    by_display_name = DisplayNameSkeleton.objects.filter(skeleton__in=looks).values_list("user_id", "skeleton")
    return by_username.union(by_display_name)


@contextmanager
def names_locked() -> Iterator[None]:
    """A transaction in which nobody else takes a name: of two who want the same one, the second finds it taken.

    SQLite has one writer at a time anyway, from where a transaction begins.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(LOCK_NAMES)
        yield


# Skeletons follow the names.


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def account_saved(instance: Any, raw: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    fields = {type(instance).USERNAME_FIELD, "last_login"}
    if not raw and (update_fields is None or fields & set(update_fields)):
        learn([instance])


@receiver(post_save, sender=Profile)
def profile_saved(instance: Profile, raw: bool, **_: Any) -> None:
    if not raw:
        learn_display_names([instance])


@receiver(post_migrate)
def migrated(sender: AppConfig, apps: Any = django_apps, **_: Any) -> None:
    if sender.name != "chat":
        return
    if "accountskeleton" in apps.all_models["chat"]:  # not where migrations were taken back
        learn_all()
    if "profile" in apps.all_models["chat"]:
        learn_all_display_names()


def learn_all() -> None:
    """Brings the skeletons of all accounts up to date."""
    AccountSkeleton.objects.exclude(user__in=get_user_model()._default_manager.values("pk")).delete()
    accounts = get_user_model()._default_manager.order_by("pk").iterator(BATCH_SIZE)
    while batch := list(islice(accounts, BATCH_SIZE)):
        learn(batch)


def learn_all_display_names() -> None:
    """Brings the skeletons of all display names up to date, and forgets profiles whose accounts are gone.

    An instance of the release before deletes accounts without them.
    """
    for model in (Profile, DisplayNameSkeleton):
        model._default_manager.exclude(user__in=get_user_model()._default_manager.values("pk")).delete()
    profiles = Profile.objects.exclude(display_name="").order_by("pk").iterator(BATCH_SIZE)
    while batch := list(islice(profiles, BATCH_SIZE)):
        learn_display_names(batch)


def learn(accounts: Collection[Any]) -> None:
    """Brings the skeletons of `accounts` up to date; one query where they are."""
    _learn(AccountSkeleton, {account.pk: account.get_username() for account in accounts})


def learn_display_names(profiles: Collection[Profile]) -> None:
    """The same for the display names of `profiles`."""
    _learn(DisplayNameSkeleton, {profile.pk: profile.display_name for profile in profiles})


def _learn(model: type[AccountSkeleton] | type[DisplayNameSkeleton], names: dict[Any, str]) -> None:
    """Has the rows of `model` be the skeletons of the names by their users' primary keys. An empty name has none."""
    wanted = {(user_id, skeleton) for user_id, name in names.items() if name for skeleton in skeletons(name)}
    stored = model._default_manager.filter(user__in=names)
    known = {(user_id, skeleton): pk for pk, user_id, skeleton in stored.values_list("pk", "user_id", "skeleton")}
    if wanted == known.keys():
        return
    with transaction.atomic():
        model._default_manager.filter(pk__in=[pk for key, pk in known.items() if key not in wanted]).delete()
        new = [model(user_id=user_id, skeleton=skeleton) for user_id, skeleton in wanted - known.keys()]
        model._default_manager.bulk_create(new, ignore_conflicts=True)  # type: ignore[arg-type]
