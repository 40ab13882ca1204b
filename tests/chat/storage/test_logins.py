"""Ended logins and names of guests, as stored in the database."""

from importlib import import_module

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries, Settings

from chat.domain import people
from chat.storage import logins
from chat.storage.logins import Login

pytestmark = pytest.mark.django_db


def test_standing_takes_two_queries_however_many_logins_there_are(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    users = [User.objects.create_user(f"user-{number}") for number in range(20)]
    opened = [Login(user.pk, user.password, f"session {user.pk}") for user in users]
    with django_assert_num_queries(2):
        assert logins.standing(opened).ended == set(opened)


@pytest.mark.parametrize(
    ("engine", "lasting"),
    [
        ("db", {"known"}),
        ("cached_db", {"known"}),
        ("cache", {"known"}),
        ("signed_cookies", {"known", "unknown"}),
    ],
)
def test_lasting_sessions_are_looked_for_in_the_sites_store(settings: Settings, engine: str, lasting: set[str]) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.create()
    known = session.session_key or "signed"
    found = logins.lasting_sessions({known, "unknown"})
    assert {"known" if key == known else key for key in found} == lasting


@pytest.mark.parametrize(
    ("engine", "named"), [("db", ["Zoë"]), ("cached_db", ["Zoë"]), ("cache", ["Zoë"]), ("signed_cookies", [])]
)
def test_guests_are_read_from_the_sites_store(settings: Settings, engine: str, named: list[str]) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    people.rename_guest(session, "Zoë")
    session.save()
    guests = logins.guests({session.session_key or "signed", "unknown"})
    assert [guest.name for guest in guests.values()] == named
