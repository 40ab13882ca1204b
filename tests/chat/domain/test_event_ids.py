"""The ids of server-sent events."""

import pytest

from chat.domain import event_ids
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.errors import InvalidPosition

ROOM, OTHER = find("room1"), find("größe / 1")
UID = "0b6f3f0c5a4e4f0e9a3c7d2b1e8f6a90"


@pytest.mark.parametrize("position", [Position(0), Position(57, UID), Position(10**17, "a\n:,é%41"), Position(1, "x")])
def test_position_is_read_back_as_it_was_written(position: Position) -> None:
    heard = {ROOM: position, OTHER: Position(3, UID)}
    event_id = event_ids.encode(heard)
    assert event_id.isascii()
    assert event_id.isprintable()
    assert event_ids.decode(event_id, [OTHER, ROOM]) == heard


def test_rooms_that_only_the_id_has_are_passed_over_and_others_have_no_position() -> None:
    assert event_ids.decode(event_ids.encode({ROOM: Position(1)}), [OTHER]) == {}


def test_id_that_a_client_made_up_stays_wrong_however_long_it_is() -> None:
    event_id = event_ids.encode({ROOM: Position(1, "x" * 5000)})
    assert len(event_id) < 300
    assert event_ids.decode(event_id, [ROOM])[ROOM].id


@pytest.mark.parametrize(
    "event_id", ["", "x", ",", "::", f"{'0' * 16}:-1:", f"{'0' * 16}:{'9' * 19}:", f"{'0' * 16}:1:é"]
)
def test_text_that_is_no_id_is_refused(event_id: str) -> None:
    with pytest.raises(InvalidPosition):
        event_ids.decode(event_id, [ROOM])
