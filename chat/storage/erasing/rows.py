"""Rows beside the log that are a person's, or name them."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import models as db
from django.db import transaction
from django.db.models import Q, QuerySet

from chat import models
from chat.domain.people import Person
from chat.models import AttachmentState, AuditRecord, Verb
from chat.storage import audit
from chat.storage.erasing.people import ERASED_ID, erased

# By the columns that have the id of a person whose rows these are.
OWNERS = ("person_id", "ignored_id", "caller_id")
KEPT = {
    models.Message,
    models.Attachment,
    models.MessageReaction,
    models.Webhook,
    AuditRecord,
}  # what has a way of its own


def give_up_files(person: Person) -> int:
    """Nobody gets files of theirs any more, whichever message has them; their bytes have to be deleted after that."""
    return models.Attachment.objects.filter(person_id=person.id).update(state=AttachmentState.GONE)


def forget_in_bans(names: Iterable[str]) -> None:
    """Bans tell the name of the person who has banned somebody."""
    models.Ban.objects.filter(by__in=list(names)).update(by=erased().name)


def forget_in_audit(person: Person) -> None:
    """Keeps in the audit log what the person did and what was done to them, without their id and name."""
    for role in ("person", "target"):
        named = AuditRecord.objects.filter(**{f"{role}_id": person.id})
        named.update(**{f"{role}_id": ERASED_ID, f"{role}_name": erased().name})


def forget_in_webhooks(person: Person) -> None:
    """A webhook that the person was in charge of stays, and is switched off as soon as it is to be told something."""
    models.Webhook.objects.filter(person_id=person.id).update(person_id=ERASED_ID)


def delete_all(person: Person) -> int:
    """Deletes readings, bans, reports, and all else that is the person's. Returns how many rows."""
    deleted = 0
    for rows in owned(person):
        deleted += rows.delete()[0]
    models.FileUsage.objects.filter(key__endswith=f" {person.id}").delete()
    return deleted


def owned(person: Person) -> list[QuerySet[db.Model]]:
    """The rows of all tables of the chat that have the person's id, but for those of KEPT."""
    found: list[QuerySet[db.Model]] = []
    for model in apps.get_app_config("chat").get_models():
        columns = {field.name for field in model._meta.concrete_fields} & {*OWNERS}
        if columns and model not in KEPT:
            wanted = Q()
            for column in sorted(columns):
                wanted |= Q(**{column: person.id})
            found.append(model._default_manager.filter(wanted))
    return found


@transaction.atomic
def finish(person: Person, *, messages: int, reactions: int, files: int) -> None:
    """Deletes the account, with all that Django and the chat keep of it, and records how much was erased."""
    if not person.is_guest:
        _delete_account(person)
    forget_in_audit(person)
    forget_in_webhooks(person)
    audit.record(None, Verb.PERSON_ERASED, target=erased(), messages=messages, reactions=reactions, files=files)


def _delete_account(person: Person) -> None:
    users: QuerySet[Any] = get_user_model()._default_manager.filter(pk=person.user_id)
    about = LogEntry.objects.filter(content_type__app_label="auth", content_type__model="user")
    about.filter(object_id=str(person.user_id)).update(object_repr=erased().name, change_message="")
    models.Profile.objects.filter(user_id=person.user_id).delete()
    users.delete()
