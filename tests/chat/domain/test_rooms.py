import re

import pytest
from pytest_django import Settings

from chat.domain import people, rooms
from chat.domain.people import Person
from chat.errors import InvalidRoomName, LoginRequired, NoRooms

GUEST = people.new_guest()
USER = Person(id="user-1", name="ann")


@pytest.mark.parametrize("name", ["room1", "a-b", "a_b", "a.b", "x" * 94, "..."])
def test_group_of_a_plain_name_holds_the_name(name: str) -> None:
    assert rooms.find(name).group == f"chat_{name}"


@pytest.mark.parametrize("name", ["café", "房间 1", "a/b", "50% off", "🍓", "a b", "x" * 95, "x" * 100, "chat.abc!"])
def test_group_of_any_other_name_is_a_hash(name: str) -> None:
    assert re.fullmatch(r"chat\.[0-9a-f]{40}", rooms.find(name).group)


def test_find_normalises_and_trims_names_and_tells_others_apart() -> None:
    assert rooms.find("cafe\u0301") == rooms.find(" café ")
    groups = {rooms.find(name).group for name in ["Room", "room", "room ", "ro om", "room/", "rööm"]}
    assert len(groups) == 5


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("room1", "/chat/room1/"),
        ("a/b", "/chat/a%2Fb/"),
        ("a/..", "/chat/a%2F../"),
        ("50% off", "/chat/50%25%20off/"),
        ("café", "/chat/caf%C3%A9/"),
        ("?#", "/chat/%3F%23/"),
    ],
)
def test_get_absolute_url_percent_encodes_the_name(name: str, url: str) -> None:
    assert rooms.find(name).get_absolute_url() == url


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", ".", "..", None, 1])
def test_find_rejects_invalid_room_names(name: object) -> None:
    with pytest.raises(InvalidRoomName):
        rooms.find(name)


def test_enter_refuses_guests_when_guests_are_not_allowed(settings: Settings) -> None:
    assert rooms.enter("room1", GUEST) == rooms.find("room1")
    settings.CHAT_GUESTS = False
    with pytest.raises(LoginRequired):
        rooms.enter("room1", GUEST)
    assert rooms.enter("room1", USER) == rooms.find("room1")


def test_enter_all_returns_each_room_once_in_order() -> None:
    assert [room.name for room in rooms.enter_all(["b", "a", " b "], GUEST)] == ["b", "a"]
    with pytest.raises(NoRooms):
        rooms.enter_all([], GUEST)
