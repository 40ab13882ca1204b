"""`manage.py prune_messages` and the messages that remain after it."""

from datetime import datetime, timedelta
from io import StringIO
from unittest import mock

import pytest
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat import models
from chat.delivery.hub import Hub
from chat.domain.events import Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room, find
from chat.storage import log

ROOM, OTHER = find("prune"), find("prüne")
ANN = Person(id="user-1", name="Ann")
NOW = timezone.now()

pytestmark = pytest.mark.django_db


def say(room: Room = ROOM, at: datetime = NOW) -> int:
    with mock.patch("django.utils.timezone.now", return_value=at):
        return log.append([log.Draft(room=room, text="hi", person=ANN)])[0].event.offset or 0


def prune(*arguments: str) -> str:
    output = StringIO()
    call_command("prune_messages", *arguments, stdout=output)
    return output.getvalue().strip()


def left(room: Room = ROOM) -> list[int]:
    return list(models.Message.objects.filter(room__name=room.name).values_list("offset", flat=True))


@pytest.fixture
def ten_days() -> None:
    """Message 1 is ten days old, and so on; message 10 is one day old."""
    for offset in range(1, 11):
        say(at=NOW - timedelta(days=11 - offset))


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--keep", "3"], [8, 9, 10]),
        (["--keep", "10"], [*range(1, 11)]),
        (["--keep", "9999999999"], [*range(1, 11)]),
        (["--keep", "0"], []),
        (["--older-than", "5d"], [7, 8, 9, 10]),
        (["--older-than", "132h"], [6, 7, 8, 9, 10]),
        (["--older-than", "1500m"], [10]),
        (["--older-than", "99999d"], [*range(1, 11)]),
        (["--older-than", "0d"], []),
        (["--older-than", "5d", "--keep", "2"], [9, 10]),
        (["--older-than", "2d", "--keep", "8"], [10]),
    ],
)
def test_prune_deletes_messages_that_are_too_old_or_too_many(
    ten_days: None, arguments: list[str], kept: list[int]
) -> None:
    assert prune(*arguments) == f"Deleted {10 - len(kept)} messages."
    assert left() == kept
    assert prune(*arguments) == "Deleted 0 messages."


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--keep", "-1"],
        ["--keep", "few"],
        ["--keep", "²"],
        ["--keep", ""],
        ["--keep"],
        ["--older-than", "30"],
        ["--older-than", "30y"],
        ["--older-than", "-30d"],
        ["--older-than", "1.5d"],
        ["--older-than", "d"],
        ["--older-than", "999999d"],
        ["--older-than", "9999999d"],
        ["--older-than", ""],
        ["--older-than"],
    ],
)
def test_prune_refuses_invalid_arguments_and_deletes_nothing(ten_days: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        prune(*arguments)
    assert left() == [*range(1, 11)]


def test_prune_keeps_the_given_number_in_each_room(ten_days: None) -> None:
    for _ in range(3):
        say(OTHER)
    prune("--keep", "2")
    assert (left(), left(OTHER)) == ([9, 10], [2, 3])


def test_offsets_continue_after_all_messages_were_pruned(ten_days: None) -> None:
    prune("--keep", "0")
    assert say() == 11
    assert left() == [11]


def test_prune_by_age_keeps_young_messages_and_all_after_them_when_clocks_disagree() -> None:
    """Several machines have several clocks, so times may have another order than offsets."""
    for days in [9, 1, 8, 2]:
        say(at=NOW - timedelta(days=days))
    prune("--older-than", "5d")
    assert left() == [2, 3, 4], "2 is young; 3 is not, but without it there would be a hole"


def test_prune_deletes_nothing_on_an_empty_site() -> None:
    assert prune("--keep", "0", "--older-than", "0d") == "Deleted 0 messages."


@pytest.mark.parametrize(("after", "kinds"), [(6, [Kind.START_OVER]), (7, [Kind.MESSAGE] * 3)])
async def test_listener_starts_over_when_its_missed_messages_were_pruned(after: int, kinds: list[Kind]) -> None:
    @database_sync_to_async
    def ten_and_prune() -> None:
        for _ in range(10):
            say()
        prune("--keep", "3")

    await ten_and_prune()
    async with Hub.here().listen([ROOM], {ROOM: Position(after)}) as listener:
        heard = [await anext(listener) for _ in kinds]
        assert [event.kind for event in heard] == kinds
        assert heard[-1].offset == 10
