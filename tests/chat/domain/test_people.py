from django.contrib.auth.models import AnonymousUser

from chat.domain import people


class User:
    pk, is_authenticated = 7, True

    def get_username(self) -> str:
        return "ann"


def test_guest_of_returns_the_same_guest_for_the_same_session() -> None:
    session: dict = {}
    guest = people.guest_of(session)
    assert guest.is_guest
    assert people.guest_of(session) == guest
    assert people.guest_of({}) != guest


def test_rename_guest_keeps_the_id() -> None:
    session: dict = {}
    before = people.guest_of(session)
    people.rename_guest(session, "Ann")
    after = people.guest_of(session)
    assert (after.id, after.name) == (before.id, "Ann")


def test_of_scope_returns_the_user_or_else_the_guest_of_the_session() -> None:
    session: dict = {}
    guest = people.guest_of(session)
    user = people.of_user(User())
    assert not user.is_guest
    assert people.of_scope({"user": User(), "session": session}) == user
    assert people.of_scope({"user": AnonymousUser(), "session": session}) == guest


def test_of_scope_without_a_session_returns_one_guest_per_connection() -> None:
    for scope in ({}, {"user": AnonymousUser(), "session": {}}):
        assert people.of_scope(scope) == people.of_scope(scope)
        assert people.of_scope(scope) != people.of_scope({})
    assert people.of_scope(None).is_guest


def test_of_scope_remembers_a_new_guest_over_http_only() -> None:
    over_http: dict = {"type": "http", "session": {}}
    guest = people.of_scope(over_http, remember=True)
    assert people.guest_of(over_http["session"]) == guest
    over_websocket: dict = {"type": "websocket", "session": {}}
    people.of_scope(over_websocket, remember=True)
    assert over_websocket["session"] == {}
