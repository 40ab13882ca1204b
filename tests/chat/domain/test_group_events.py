import os
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from chat.domain import events, group_events
from chat.domain.events import Change, Event, Kind, NewRole, Origin, Quote
from chat.domain.files import Attachment, Preview
from chat.domain.group_events import MalformedEvent
from chat.domain.people import Person
from chat.domain.reactions import Reaction
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
ANN = Person(id="user-1", name="Ann")
EDIT = Event(room=ROOM, message="hello", kind=Kind.EDIT, offset=9, target=3, mentions=(ANN,))
REACTION = Event(
    room=ROOM,
    message="Somebody reacted.",
    kind=Kind.REACTION,
    offset=10,
    target=3,
    reactions=(Reaction("👍", 21, (ANN,)), Reaction("🏳️‍🌈", 1, ())),
)
REPLY = Event(
    room=ROOM,
    message="yes",
    offset=11,
    edited_at=datetime(2026, 1, 31, tzinfo=UTC),
    reply_to=Quote(3, ANN, "hello"),
    mentions=(ANN, Person(id="guest-1", name="Quiet Otter 42")),
    reactions=(Reaction("👍", 1, (ANN,)),),
)
FILES = Event(
    room=ROOM,
    message="",
    offset=12,
    attachments=(
        Attachment("be72420a01574b0aaa9484361202d942", "a.png", "image/png", 68, Preview(4, 3)),
        Attachment("0b9c2f64e1d84a0f9d5c7a3e8b1f6a27", "b\u2009c.txt", "application/octet-stream", 0),
    ),
)
BARE = {"type": "chat.message", "room_id": ROOM.group, "message": "hi"}


def test_parse_returns_the_event_that_to_group_was_given() -> None:
    for kind in (Kind.MESSAGE, Kind.GREETING):
        event = events.build(room=ROOM, message="hi", person=Person(id="guest-1", name="Ann"), kind=kind)
        assert group_events.parse(group_events.to_group(event), ROOM) == event
    for entry in (DELETION, NOTICE, replace(DELETION, kind=Kind.MESSAGE, target=None, message="", deleted=True)):
        assert group_events.parse(group_events.to_group(entry), ROOM) == entry
    for entry in (EDIT, REACTION, REPLY, replace(REPLY, reply_to=Quote(3)), FILES, replace(FILES, message="here")):
        assert group_events.parse(group_events.to_group(entry), ROOM) == entry
    nobodys = events.build(room=ROOM, message="hi", person=None)
    assert group_events.parse(group_events.to_group(nobodys), ROOM) == nobodys


def test_to_group_holds_the_three_keys_of_the_contract_and_build_the_origin() -> None:
    event = events.build(room=ROOM, message="hi", person=None)
    assert group_events.to_group(event).items() >= BARE.items()
    assert event.origin == Origin(process=os.getpid(), thread=threading.current_thread().name)
    assert abs((datetime.now(UTC) - event.sent_at).total_seconds()) < 60


def test_parse_accepts_a_foreign_event_of_three_keys() -> None:
    assert group_events.parse(BARE, ROOM) == Event(room=ROOM, message="hi")


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
        ("edited_at", 7),
        ("mentions", {"id": "user-1", "name": "Ann"}),
        ("mentions", ["user-1", {"id": "user-1"}, {"id": 1, "name": "Ann"}]),
        ("reply_to", 3),
        ("reply_to", {"offset": "3", "user": None, "user_id": None, "message": ""}),
        ("reply_to", {"offset": 3}),
        ("reactions", "👍"),
        ("reactions", ["👍", {"emoji": "👍", "count": "1", "people": []}, {"emoji": 1, "count": 1, "people": []}]),
        ("key_of_a_newer_version", object()),
    ],
)
def test_parse_leaves_out_values_it_does_not_understand(key: str, value: object) -> None:
    assert group_events.parse({**BARE, key: value}, ROOM) == Event(room=ROOM, message="hi")


def test_parse_accepts_a_foreign_name_without_an_id() -> None:
    assert group_events.parse({**BARE, "user": "bot"}, ROOM).person == Person(id="other-bot", name="bot")


@pytest.mark.parametrize("message", [None, 7, b"hi", ["hi"]])
def test_parse_rejects_an_event_without_a_text(message: object) -> None:
    with pytest.raises(MalformedEvent):
        group_events.parse({**BARE, "message": message}, ROOM)


def test_event_text_begins_with_the_origin_when_chat_show_origin_is_on(settings: Settings) -> None:
    event = Event(room=ROOM, message="hi", origin=Origin(process=7, thread="MainThread"))
    assert event.text == "hi"
    settings.CHAT_SHOW_ORIGIN = True
    assert event.text == "process: 7 thread: MainThread -> hi"
    assert Event(room=ROOM, message="hi").text == "hi"


@pytest.mark.parametrize("lacking", ["offset", "target"])
@pytest.mark.parametrize("entry", [DELETION, EDIT, REACTION])
def test_parse_takes_a_change_without_offset_or_target_as_a_message(entry: Event, lacking: str) -> None:
    assert group_events.parse(group_events.to_group(entry) | {lacking: None}, ROOM).kind is Kind.MESSAGE


def test_parse_takes_a_notice_without_offset_as_a_message() -> None:
    assert group_events.parse(group_events.to_group(NOTICE) | {"offset": None}, ROOM).kind is Kind.MESSAGE


def test_event_text_of_a_deleted_message_is_empty_without_origin(settings: Settings) -> None:
    settings.CHAT_SHOW_ORIGIN = True
    assert Event(room=ROOM, message="", deleted=True, origin=Origin.here()).text == ""


def test_files_without_a_text_have_their_names_in_its_place_for_those_who_know_none() -> None:
    assert group_events.to_group(FILES)["message"] == FILES.text == "a.png\nb\u2009c.txt"
    assert group_events.to_group(replace(FILES, message="here"))["message"] == "here"
