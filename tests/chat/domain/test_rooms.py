import re

import pytest
from pytest_django import Settings

from chat.domain import people, rooms
from chat.domain.people import Person
from chat.errors import InvalidRoomName, LoginRequired, NoRooms

GUEST = people.new_guest()
USER = Person(id="user-1", name="ann")


@pytest.mark.parametrize("name", ["room1", "a-b", "a_b", "a.b", "x" * 94, "..."])
def test_a_plain_name_spells_the_group(name: str) -> None:
    assert rooms.find(name).group == f"chat_{name}"


@pytest.mark.parametrize("name", ["café", "房间 1", "a/b", "50% off", "🍓", "a b", "x" * 95, "x" * 100, "chat.abc!"])
def test_any_other_name_has_a_group_that_channels_takes_and_no_plain_name_spells(name: str) -> None:
    assert re.fullmatch(r"chat\.[0-9a-f]{40}", rooms.find(name).group)


def test_names_that_look_alike_after_typing_are_one_room_and_others_are_not() -> None:
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
def test_a_room_has_an_address_that_leads_nowhere_else(name: str, url: str) -> None:
    assert rooms.find(name).get_absolute_url() == url


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", ".", "..", None, 1])
def test_what_is_no_room_name_is_refused(name: object) -> None:
    with pytest.raises(InvalidRoomName):
        rooms.find(name)


def test_guests_enter_unless_the_site_takes_none(settings: Settings) -> None:
    assert rooms.enter("room1", GUEST) == rooms.find("room1")
    settings.CHAT_GUESTS = False
    with pytest.raises(LoginRequired):
        rooms.enter("room1", GUEST)
    assert rooms.enter("room1", USER) == rooms.find("room1")


def test_many_rooms_are_entered_once_each_in_their_order() -> None:
    assert [room.name for room in rooms.enter_all(["b", "a", " b "], GUEST)] == ["b", "a"]
    with pytest.raises(NoRooms):
        rooms.enter_all([], GUEST)
