"""The names of accounts, by what they look like: nobody else may be called so.

Each account has its name's skeletons in rows of their own, so that one indexed query finds it, on either database.
They follow the account: when it is made or renamed, wherever that is done through Django; and when it logs in, and with
`manage.py migrate`, in case something else did it, or another version of Unicode's data makes other skeletons.
"""

from collections.abc import Collection
from itertools import islice
from typing import Any

from django.apps import AppConfig
from django.apps import apps as django_apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_migrate, post_save
from django.dispatch import receiver

from chat.domain.skeletons import skeletons
from chat.models import AccountSkeleton

BATCH_SIZE = 500  # accounts


def is_taken(name: str) -> bool:
    """Whether an account is called `name`, or so that it looks like that."""
    return AccountSkeleton.objects.filter(skeleton__in=skeletons(name)).exists()


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def account_saved(instance: Any, raw: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    fields = {type(instance).USERNAME_FIELD, "last_login"}
    if not raw and (update_fields is None or fields & set(update_fields)):
        learn([instance])


@receiver(post_migrate)
def migrated(sender: AppConfig, apps: Any = django_apps, **_: Any) -> None:
    if sender.name == "chat" and "accountskeleton" in apps.all_models["chat"]:  # not where migrations were taken back
        learn_all()


def learn_all() -> None:
    """Brings the skeletons of all accounts up to date."""
    AccountSkeleton.objects.exclude(user__in=get_user_model()._default_manager.values("pk")).delete()
    accounts = get_user_model()._default_manager.order_by("pk").iterator(BATCH_SIZE)
    while batch := list(islice(accounts, BATCH_SIZE)):
        learn(batch)


def learn(accounts: Collection[Any]) -> None:
    """Brings the skeletons of `accounts` up to date; one query where they are."""
    wanted = {(account.pk, skeleton) for account in accounts for skeleton in skeletons(account.get_username())}
    stored = AccountSkeleton.objects.filter(user__in=[account.pk for account in accounts])
    known = {(user_id, skeleton): pk for pk, user_id, skeleton in stored.values_list("pk", "user_id", "skeleton")}
    if wanted == known.keys():
        return
    with transaction.atomic():
        AccountSkeleton.objects.filter(pk__in=[pk for key, pk in known.items() if key not in wanted]).delete()
        new = [AccountSkeleton(user_id=user_id, skeleton=skeleton) for user_id, skeleton in wanted - known.keys()]
        AccountSkeleton.objects.bulk_create(new, ignore_conflicts=True)
