import os
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from chat.domain import events
from chat.domain.events import Change, Event, Kind, MalformedEvent, NewRole, Origin
from chat.domain.people import Person
from chat.domain.rooms import find

ROOM = find("café")
DELETION = Event(room=ROOM, message="A message was deleted.", kind=Kind.DELETION, offset=7, target=3)
NOTICE = Event(
    room=ROOM,
    message="Ann left",
    kind=Kind.NOTICE,
    offset=8,
    subject="user-1",
    change=Change.REMOVED,
    role=NewRole.NONE,
)
BARE = {"type": "chat.message", "room_id": ROOM.group, "message": "hi"}


def test_an_event_comes_out_of_the_group_as_it_went_in() -> None:
    for kind in (Kind.MESSAGE, Kind.GREETING):
        event = events.build(room=ROOM, message="hi", person=Person(id="guest-1", name="Ann"), kind=kind)
        assert events.parse(events.to_group(event), ROOM) == event
    for entry in (DELETION, NOTICE, replace(DELETION, kind=Kind.MESSAGE, target=None, message="", deleted=True)):
        assert events.parse(events.to_group(entry), ROOM) == entry
    nobodys = events.build(room=ROOM, message="hi", person=None)
    assert events.parse(events.to_group(nobodys), ROOM) == nobodys


def test_an_event_has_what_the_contract_names_and_where_it_comes_from() -> None:
    event = events.build(room=ROOM, message="hi", person=None)
    assert events.to_group(event).items() >= BARE.items()
    assert event.origin == Origin(process=os.getpid(), thread=threading.current_thread().name)
    assert abs((datetime.now(UTC) - event.sent_at).total_seconds()) < 60


def test_a_foreign_event_of_three_keys_is_understood() -> None:
    assert events.parse(BARE, ROOM) == Event(room=ROOM, message="hi")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", 7),
        ("kind", "shout"),
        ("kind", []),
        ("user", {"name": "Ann"}),
        ("user_id", "guest-1"),
        ("sent_at", "yesterday"),
        ("sent_at", 12.5),
        ("sent_at", "2026-01-01T00:00:00"),
        ("origin", "here"),
        ("origin", {"process": "1", "thread": "t"}),
        ("origin", {}),
        ("role", "emperor"),
        ("role", ["owner"]),
        ("role", 7),
        ("key_of_a_newer_version", object()),
    ],
)
def test_what_is_not_understood_is_left_out(key: str, value: object) -> None:
    assert events.parse({**BARE, key: value}, ROOM) == Event(room=ROOM, message="hi")


def test_a_foreign_sender_may_give_a_name_without_an_id() -> None:
    assert events.parse({**BARE, "user": "bot"}, ROOM).person == Person(id="other-bot", name="bot")


@pytest.mark.parametrize("message", [None, 7, b"hi", ["hi"]])
def test_an_event_without_a_text_is_none(message: object) -> None:
    with pytest.raises(MalformedEvent):
        events.parse({**BARE, "message": message}, ROOM)


def test_the_origin_stands_before_the_text_where_the_site_wants_it(settings: Settings) -> None:
    event = Event(room=ROOM, message="hi", origin=Origin(process=7, thread="MainThread"))
    assert event.text == "hi"
    settings.CHAT_SHOW_ORIGIN = True
    assert event.text == "process: 7 thread: MainThread -> hi"
    assert Event(room=ROOM, message="hi").text == "hi"


@pytest.mark.parametrize("lacking", ["offset", "target"])
def test_a_deletion_that_does_not_say_what_it_deletes_is_but_a_text(lacking: str) -> None:
    assert events.parse(events.to_group(DELETION) | {lacking: None}, ROOM).kind is Kind.MESSAGE


def test_a_notice_that_has_no_place_in_the_log_is_but_a_text() -> None:
    assert events.parse(events.to_group(NOTICE) | {"offset": None}, ROOM).kind is Kind.MESSAGE


def test_what_is_deleted_has_no_text_and_says_nothing_of_where_it_came_from(settings: Settings) -> None:
    settings.CHAT_SHOW_ORIGIN = True
    assert Event(room=ROOM, message="", deleted=True, origin=Origin.here()).text == ""
