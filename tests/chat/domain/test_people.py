import pytest
from django.contrib.auth.models import AnonymousUser, User

from chat.domain import people
from chat.domain.people import Person
from chat.models import Profile

ANN = User(pk=7, username="ann")


def with_display_name(name: str) -> User:
    user = User(pk=7, username="ann")
    user.chat_profile = Profile(display_name=name)
    return user


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
    user = people.of_user(ANN)
    assert not user.is_guest
    assert people.of_scope({"user": ANN, "session": session}) == user
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


@pytest.mark.parametrize(
    ("user", "name", "handle"),
    [
        (ANN, "ann", None),
        (with_display_name(""), "ann", None),
        (with_display_name("Ann B."), "Ann B.", "ann"),
        (with_display_name("ann"), "ann", None),
    ],
)
def test_of_user_has_the_display_name_of_the_profile_that_was_read_with_the_user(
    user: User, name: str, handle: str | None
) -> None:
    person = people.of_user(user)
    assert (person.id, person.name, person.username, person.handle) == ("user-7", name, "ann", handle)


def test_of_scope_says_the_new_name_of_a_user_who_was_renamed() -> None:
    scope: dict = {"user": ANN}
    people.rename_in_scope(scope, people.of_user(with_display_name("Ann B.")))
    assert people.of_scope(scope) == Person(id="user-7", name="Ann B.")


@pytest.mark.parametrize(
    "given",
    [None, {}, [None], [{"id": "user-1"}], [{"id": 1, "name": "a"}], ["x"], [{"id": "user-1", "name": None}]],
)
def test_all_from_json_leaves_out_what_is_no_person(given: object) -> None:
    assert Person.all_from_json(given) == ()


def test_all_from_json_returns_what_as_json_gave() -> None:
    known = [Person("user-7", "Ann B.", username="ann"), Person("guest-00000000000000aa", "Otter")]
    found = Person.all_from_json([person.as_json() for person in known])
    assert [(one.id, one.name, one.username) for one in found] == [(one.id, one.name, one.username) for one in known]
    assert Person.all_from_json([{"id": "user-7", "name": "a", "username": 3}])[0].username is None
