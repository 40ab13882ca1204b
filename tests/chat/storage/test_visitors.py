"""Sessions and users, read for many at once, are those that Django reads one by one."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user, get_user_model, login
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from chat.storage.visitors import stranger, visitors

pytestmark = pytest.mark.django_db

OWN = f"{__name__}.OwnUsers"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class OwnUsers:
    """An authentication backend with a way of its own to get a user."""

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, last_name="let in").first()


def stored(session: SessionBase) -> str:
    session["kept"] = "🍓"
    session.save()
    assert session.session_key
    return session.session_key


def session_of(user: User, backend: str = BACKEND) -> str:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, backend)
    return stored(request.session)


def guest() -> str:
    return stored(import_module(settings.SESSION_ENGINE).SessionStore())


def user_called(name: str, **details: Any) -> User:
    return get_user_model().objects.create_user(name, password="a long and unlikely one", **details)


def expired(key: str) -> str:
    Session.objects.filter(session_key=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    return key


def logged_in_before_password_changed() -> str:
    user = user_called("changed")
    key = session_of(user)
    user.set_password("another one")
    user.save()
    return key


def of_deleted_user() -> str:
    user = user_called("deleted")
    key = session_of(user)
    user.delete()
    return key


CASES: dict[str, tuple[Callable[[], str], bool, str]] = {
    # how the session comes to be, whether it can be read, and who is logged in
    "guest": (guest, True, ""),
    "user": (lambda: session_of(user_called("foo")), True, "foo"),
    "expired": (lambda: expired(session_of(user_called("late"))), False, ""),
    "unknown": (lambda: "x" * 32, False, ""),
    "too short": (lambda: "x", False, ""),
    "no text that a database takes": (lambda: "x" * 20 + "\0", False, ""),
    "inactive": (lambda: session_of(user_called("inactive", is_active=False)), True, ""),
    "password changed": (logged_in_before_password_changed, True, ""),
    "deleted": (of_deleted_user, True, ""),
    "backend of its own": (
        lambda: session_of(user_called("own", last_name="let in"), OWN),
        True,
        "own",
    ),
    "not let in by that": (lambda: session_of(user_called("out"), OWN), True, ""),
    "backend unknown": (lambda: session_of(user_called("gone"), "chat.no.Backend"), True, ""),
}


@pytest.fixture(autouse=True)
def backends(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = [BACKEND, OWN]


def test_visitors_are_in_the_order_of_their_sessions() -> None:
    keys = [make() for make, _, _ in CASES.values()]
    for name, key, visitor in zip(CASES, keys, visitors(keys), strict=True):
        _, is_there, username = CASES[name]
        assert visitor.session.get("kept") == ("🍓" if is_there else None), name
        assert visitor.session.session_key == (key if is_there else None), name
        assert not visitor.session.modified, name
        assert visitor.user.get_username() == username, name
        assert visitor.user.is_authenticated == bool(username), name


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "signed_cookies"])
def test_visitors_are_whom_django_takes_them_for_by_every_session_engine(settings: Settings, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = [session_of(user_called("foo")), guest(), session_of(user_called("bar"))]
    found = visitors(keys)
    for key, visitor in zip(keys, found, strict=True):
        request = HttpRequest()
        request.session = store(key)
        assert visitor.user == get_user(request)
        assert dict(visitor.session.items()) == dict(request.session.items())
    assert [visitor.user.get_username() for visitor in found] == ["foo", "", "bar"]


def test_visitors_of_a_login_by_a_secret_key_from_before_stay_logged_in(settings: Settings) -> None:
    key = session_of(user_called("foo"))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert [visitor.user.get_username() for visitor in visitors([key])] == ["foo"]


def test_many_visitors_take_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    keys = [session_of(user_called(f"user{number}")) for number in range(5)] + [guest() for _ in range(5)]
    with django_assert_num_queries(2):
        visitors(keys)
    with django_assert_num_queries(1):
        visitors(keys[5:])


def test_strangers_have_sessions_of_their_own_and_take_no_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        one, other = stranger(), stranger()
        assert one.session.get("kept") is None
    assert one.session is not other.session
    assert one.session.session_key is None
    assert isinstance(one.user, AnonymousUser)
