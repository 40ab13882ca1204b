"""Frames of the browser's socket, without a socket."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chat.domain import events
from chat.domain.events import Change, Event, Kind, NewRole, Origin
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.frames import event_frame, shown

ROOM = find("room1")
SAID = Event(
    room=ROOM,
    message="hello",
    id="0b9c2f64e1d84a0f9d5c7a3e8b1f6a27",
    offset=120,
    client_id="c1",
    person=Person(id="guest-1", name="Ann"),
    sent_at=datetime(2026, 1, 31, 14, 29, tzinfo=UTC),
    origin=Origin(process=4711, thread="MainThread"),
)
ALWAYS = {"message", "kind", "room", "id", "offset", "client_id"}
ENTRY = {"id", "offset", "user", "user_id", "sent_at", "origin"}
NOTICE = replace(SAID, client_id=None, kind=Kind.NOTICE, change=Change.CHANGED, subject="user-7", role=NewRole.MEMBER)


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (SAID, ENTRY | {"client_id"}),
        (replace(SAID, client_id=None), ENTRY),
        (replace(SAID, message="", deleted=True), ENTRY | {"client_id", "deleted"}),
        (replace(SAID, client_id=None, kind=Kind.DELETION, target=7), ENTRY | {"target"}),
        (NOTICE, ENTRY | {"access", "subject", "role"}),
        (replace(NOTICE, role=NewRole.NONE), ENTRY | {"access", "subject", "role"}),
        (replace(NOTICE, role=None), ENTRY | {"access", "subject"}),
        (replace(NOTICE, role=None, change=Change.CLOSED, subject=None), ENTRY | {"access"}),
        (replace(NOTICE, person=None), ENTRY - {"user", "user_id"} | {"access", "subject", "role"}),
        (replace(SAID, client_id=None, offset=None, kind=Kind.GREETING), ENTRY - {"offset"}),
        (events.start_over(ROOM, Position(812, "0b9c")), {"offset", "id"}),
        (events.start_over(ROOM, Position(0)), {"offset", "id"}),
        (Event(room=ROOM, message="from a foreign sender"), set()),
    ],
)
def test_frame_leaves_out_keys_that_would_be_null(event: Event, keys: set[str]) -> None:
    frame = json.loads(event_frame(event))
    assert frame.keys() == ALWAYS | keys
    assert frame["message"] == event.message


@pytest.mark.parametrize(
    ("event", "nulls"),
    [
        (SAID, []),
        (Event(room=ROOM, message="from a foreign sender"), ["id", "offset", "client_id"]),
        (replace(SAID, offset=None, kind=Kind.GREETING), ["offset"]),
        (replace(SAID, client_id=None), ["client_id"]),
        (replace(NOTICE, role=NewRole.NONE), ["client_id", "role"]),
        (replace(NOTICE, role=None), ["client_id"]),
        (events.start_over(ROOM, Position(812, "0b9c")), ["client_id"]),
        (events.start_over(ROOM, Position(0)), ["id", "client_id"]),
    ],
)
def test_frame_has_null_only_where_that_says_something(event: Event, nulls: list[str]) -> None:
    assert [key for key, value in shown(event).items() if value is None] == nulls
