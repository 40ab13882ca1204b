"""`manage.py prune_guests`"""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import readings
from chat.storage.readings import Mark

pytestmark = pytest.mark.django_db


def test_rooms_of_guests_are_forgotten_as_long_after_the_last_visit_as_a_session_lasts(settings: Settings) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    for number in range(3):
        readings.enter([Mark(find("room1"), Person(id=f"guest-{number}", name="?"))])
    readings.enter([Mark(find("room1"), Person(id="user-1", name="Ann"))])
    models.Reading.objects.exclude(person_id="guest-0").update(entered_at=timezone.now() - timedelta(hours=2))
    out = io.StringIO()
    call_command("prune_guests", stdout=out)
    assert out.getvalue() == "Deleted 2 readings, and 0 people ignored by guests.\n"
    assert set(models.Reading.objects.values_list("person_id", flat=True)) == {"guest-0", "user-1"}
