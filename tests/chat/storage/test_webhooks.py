"""Whose webhooks are, as the database has it."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User

from chat.domain import people
from chat.domain.rooms import Room
from chat.models import Webhook
from chat.storage import moderation, webhooks
from chat.storage.webhooks import WebhookRequest

ROOM = Room("room1")

pytestmark = pytest.mark.django_db


def test_webhooks_of_the_release_before_get_those_in_charge_who_made_them() -> None:
    ann = people.of_user(User.objects.create_user("ann"))
    moderation.create(ROOM, private=False, by=ann)
    request = WebhookRequest(url="https://example.org/hook")
    own = webhooks.make(room=ROOM, request=request, by=ann)
    site = webhooks.make(room=ROOM, request=request, by=None)
    Webhook.objects.update(person_id="")
    import_module("chat.migrations.0026_webhook_person").take_over_from_audit(apps, None)
    assert dict(Webhook.objects.values_list("pk", "person_id")) == {own.pk: ann.id, site.pk: ""}
