"""A room that is exported and imported is the same room."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from chat import models
from chat.actions.importing import take_in
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.storage import edits, history, moderation, quotes
from chat.storage.transfer import checking, import_people
from chat.storage.transfer.errors import InvalidExport, TransferError
from chat.storage.transfer.import_people import PeopleMap
from chat.storage.transfer.room_export import export_room
from chat.storage.transfer.room_import import UNFINISHED, Imported, import_room
from tests.chat.storage.transfer.conversation import GUEST, ROOM, account, hold, react, say

pytestmark = pytest.mark.django_db

COPY = find("a copy")
LEFT_OUT = {"id", "room", "room_id"}
ENTRY_COLUMNS = [
    field.attname
    for field in models.Message._meta.concrete_fields
    if field.attname not in {"id", "room_id", "process", "thread", "sender"}
]


def forget(room: Room = ROOM) -> None:
    models.Room.objects.filter(name=room.name).delete()


def bring_in(
    directory: Path,
    room: Room | None = None,
    people: Callable[..., PeopleMap] = import_people.same_people,
    *more: Any,
) -> Imported:
    export = checking.check(directory / "room.jsonl")
    return import_room(export, people(export, *more), room or export.room, take_in)


def stored(room: Room = ROOM) -> dict[str, Any]:
    """All that the database has of a room."""
    rows = models.Message.objects.filter(room__name=room.name).order_by("offset")
    mentions = models.Mention.objects.filter(room__name=room.name)
    reactions = models.MessageReaction.objects.filter(room__name=room.name).order_by("offset", "id")
    bans = models.Ban.objects.filter(room__name=room.name)
    here = models.Room.objects.filter(name=room.name).values()[0]
    return {
        "entries": list(rows.values(*ENTRY_COLUMNS)),
        "mentions": sorted(mentions.values_list("offset", "person_id", "caller_id")),
        "reactions": list(reactions.values_list("offset", "emoji", "person_id", "person_name", "at")),
        "members": sorted(models.RoomMember.objects.filter(room__name=room.name).values_list("user_id", "role")),
        "bans": list(bans.order_by("pk").values_list("person_id", "person_name", "by", "at")),
        "room": {key: value for key, value in here.items() if key != "id"},
    }


def lines_of(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "room.jsonl").read_bytes().splitlines()]


def test_export_import_export_is_equal(tmp_path: Path) -> None:
    hold()
    before = stored()
    exported = export_room(ROOM, tmp_path / "1")
    forget()
    imported = bring_in(tmp_path / "1")
    assert stored() == before
    assert (imported.entries, imported.left_out) == (exported.entries, [])
    assert imported.last == history.find(ROOM, exported.entries)
    export_room(ROOM, tmp_path / "2")
    assert (tmp_path / "1/room.jsonl").read_bytes() == (tmp_path / "2/room.jsonl").read_bytes()


def test_pruned_room_keeps_its_offsets(tmp_path: Path) -> None:
    hold()
    models.Message.objects.filter(offset__lte=4).delete()
    models.Room.objects.update(pruned_to=4)
    models.MessageReaction.objects.filter(offset__lte=4).delete()
    models.Mention.objects.filter(offset__lte=4).delete()
    before = stored()
    export_room(ROOM, tmp_path)
    forget()
    bring_in(tmp_path)
    assert stored() == before


def test_empty_room_is_exported_and_imported(tmp_path: Path) -> None:
    models.Room.objects.create(name=ROOM.name, last_offset=3, pruned_to=3, search_name="everything é/1")
    before = stored()
    assert export_room(ROOM, tmp_path).entries == 0
    forget()
    imported = bring_in(tmp_path)
    assert (imported.entries, imported.last) == (0, None)
    after = stored()
    assert after["room"] | {"active_at": 0} == before["room"] | {"active_at": 0}


def test_room_that_is_not_there_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="no room"):
        export_room(ROOM, tmp_path)
    assert not list(tmp_path.iterdir())


def test_export_tells_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    hold()
    # An instance of an older release deletes a message and leaves its edits.
    models.Message.objects.filter(kind="edit", deletion__isnull=False).update(text="swordfish", deletion=None)
    export_room(ROOM, tmp_path)
    assert "swordfish" not in (tmp_path / "room.jsonl").read_text()


def test_copy_beside_the_original_has_ids_of_its_own(tmp_path: Path) -> None:
    hold()
    export_room(ROOM, tmp_path)
    bring_in(tmp_path, COPY)
    ids = {
        room: set(models.Message.objects.filter(room__name=room.name).values_list("uid", flat=True))
        for room in (ROOM, COPY)
    }
    assert not ids[ROOM] & ids[COPY]
    without_ids = [{**row, "uid": 0} for row in stored(COPY)["entries"]]
    assert without_ids == [{**row, "uid": 0} for row in stored()["entries"]]


def test_import_of_what_is_there_changes_nothing(tmp_path: Path) -> None:
    hold()
    export_room(ROOM, tmp_path)
    forget()
    bring_in(tmp_path)
    bring_in(tmp_path, COPY)
    say("since then", GUEST)
    before, copy = stored(), stored(COPY)
    assert not bring_in(tmp_path).is_new
    assert not bring_in(tmp_path, COPY).is_new
    assert (stored(), stored(COPY)) == (before, copy)


def test_room_in_the_way_stays_as_it_is(tmp_path: Path) -> None:
    hold()
    export_room(ROOM, tmp_path)
    forget()
    say("another room of that name", GUEST)
    before = stored()
    with pytest.raises(TransferError, match="--as"):
        bring_in(tmp_path)
    assert stored() == before


def test_entries_that_come_during_the_export_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes to messages that are in the file already come after them there, and the import heeds them."""
    monkeypatch.setattr("chat.storage.transfer.room_export.BATCH_SIZE", 3)
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 2)
    ann, ben = account("ann"), account("ben")
    offsets = [say(f"message {number}", ann) for number in range(10)]
    react(1, "👍", ben)
    came = []

    def meanwhile(done: int, total: int | None) -> None:
        if not came:
            came.append(done)
            edits.edit_message(ROOM, offsets[0], "another text", by=ann)
            react(1, "🎉", ann, ben)
            edits.edit_message(ROOM, offsets[1], "not for long", by=ann)
            react(2, "👍", ben)
            moderation.delete_message(ROOM, offsets[1], by=ann)

    export_room(ROOM, tmp_path, meanwhile)
    assert came == [3]
    before = stored()
    forget()
    bring_in(tmp_path)
    assert stored() == before


def test_broken_off_export_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.storage.transfer.room_export.BATCH_SIZE", 5)
    hold()
    export_room(ROOM, tmp_path / "whole")
    whole = (tmp_path / "whole/room.jsonl").read_bytes()
    for size in (0, 5, 100, 2000, len(whole) // 2, len(whole) - 60, len(whole) - 1):
        directory = tmp_path / str(size)
        directory.mkdir()
        (directory / "room.jsonl.part").write_bytes(whole[:size])
        export_room(ROOM, directory)
        assert (directory / "room.jsonl").read_bytes() == whole


def test_export_goes_on_with_the_same_room_only(tmp_path: Path) -> None:
    say("one", GUEST)
    say("two", GUEST, COPY)
    export_room(ROOM, tmp_path)
    (tmp_path / "room.jsonl").rename(tmp_path / "room.jsonl.part")
    with pytest.raises(TransferError, match="something else"):
        export_room(COPY, tmp_path)
    forget()
    say("another log", GUEST)
    with pytest.raises(TransferError, match="gone"):
        export_room(ROOM, tmp_path)


def test_broken_off_import_is_seen_by_nobody_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 4)
    hold()
    before = stored()
    export_room(ROOM, tmp_path)
    forget()
    done = 0
    for stop_at in (4, 12, 16):

        def stop(stored: int, total: int | None, stop_at: int = stop_at) -> None:
            if stored == stop_at:
                raise KeyboardInterrupt

        export = checking.check(tmp_path / "room.jsonl")
        with pytest.raises(KeyboardInterrupt):
            import_room(export, import_people.same_people(export), ROOM, take_in, stop)
        assert [name[: len(UNFINISHED)] for name in models.Room.objects.values_list("name", flat=True)] == [UNFINISHED]
        assert history.names(person=Person(id=f"user-{User.objects.first().pk}", name="Ann"), size=10) == []
        done = stop_at
    assert bring_in(tmp_path).entries == len(before["entries"]) - done
    assert stored() == before


@pytest.fixture
def of_another_site(tmp_path: Path) -> Path:
    """An export with a header that names another site. The accounts ann and ben are here, eve is not."""
    hold()
    export_room(ROOM, tmp_path)
    forget()
    User.objects.get(username="eve").delete()
    path = tmp_path / "room.jsonl"
    header, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps(json.loads(header) | {"site": "another"}).encode() + b"\n" + rest)
    return tmp_path


def people_in(room: Room = ROOM) -> dict[str, str]:
    return dict(models.Message.objects.filter(room__name=room.name).values_list("person_name", "person_id"))


def test_people_of_another_site_get_no_account_here(of_another_site: Path) -> None:
    with pytest.raises(TransferError, match="another site"):
        bring_in(of_another_site)
    imported = bring_in(of_another_site, people=import_people.foreign_people)
    assert imported.left_out == ["ann", "ben"]
    assert not models.RoomMember.objects.exists()
    everything = json.dumps(stored(), default=str)
    assert "user-" not in everything
    assert "guest-" not in everything
    assert people_in()["ann"].startswith("import-")
    assert people_in()["ann"] != people_in()["ben"]


def test_foreign_people_stay_the_same_ones_when_they_move_on(of_another_site: Path) -> None:
    bring_in(of_another_site, people=import_people.foreign_people)
    first = people_in()
    export_room(ROOM, of_another_site / "again")
    forget()
    bring_in(of_another_site / "again", people=import_people.foreign_people)
    assert people_in() == first


def test_people_are_found_by_their_user_names_if_the_operator_says_so(of_another_site: Path) -> None:
    imported = bring_in(of_another_site, people=import_people.people_by_username)
    assert imported.left_out == []
    assert people_in()["ann"] == account("ann").id
    assert people_in()["eve"].startswith("import-")
    assert people_in()[GUEST.name].startswith("import-")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ('{"ann": "ben", "ben": "ann"}', None),
        ('{"ann": "ann", "guest-0123456789abcdef": "ben"}', None),
        ("{}", None),
        ('{"ann": "nobody"}', "nobody"),
        ('{"ann": "ben", "ben": "ben"}', "Two people"),
        ('["ann"]', "JSON object"),
        ('{"ann": 1}', "JSON object"),
        ("ann=ben", "as JSON"),
    ],
)
def test_people_are_found_by_a_file(of_another_site: Path, given: str, problem: str | None) -> None:
    file = of_another_site / "people.json"
    file.write_text(given)
    if problem:
        with pytest.raises(TransferError, match=problem):
            bring_in(of_another_site, None, import_people.people_by_file, file)
        assert not models.Room.objects.exists()
        return
    bring_in(of_another_site, None, import_people.people_by_file, file)
    ids = {"ann": "ann", "ben": "ben", "guest-0123456789abcdef": GUEST.name}
    for there, here in json.loads(given).items():
        assert people_in()[ids[there]] == account(here).id


def test_quotes_and_positions_hold_after_the_import(tmp_path: Path) -> None:
    hold()
    end = history.end(ROOM, person=None)
    export_room(ROOM, tmp_path)
    forget()
    bring_in(tmp_path)
    assert history.end(ROOM, person=None) == end
    (reply,) = quotes.with_quotes([history.find(ROOM, 3)])
    assert reply.reply_to.message == "Good evening, @ben"


def change(**fields: object) -> Callable[[list[dict[str, Any]]], None]:
    def on_third(lines: list[dict[str, Any]]) -> None:
        lines[2].update(fields)

    return on_third


def swap(lines: list[dict[str, Any]]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def drop(number: int) -> Callable[[list[dict[str, Any]]], None]:
    return lambda lines: lines.__delitem__(number)


REACTION = {"type": "reaction", "target": 1, "text": "", "person": None}
ANN = {"id": "user-1", "name": "Ann"}


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (drop(0), "line 1: .*type"),
        (drop(2), "line 3: has the offset 3 after 1"),
        (drop(-1), "isn’t whole"),
        (drop(-2), "“end” can’t stand here"),
        (swap, "line 3: has the offset 3 after 1"),
        (change(offset=1), "line 3: has the offset 1 after 1"),
        (change(offset="2"), "line 3: “offset” has to be a whole number"),
        (change(offset=True), "line 3: “offset”"),
        (change(offset=10**30), "line 3: “offset”"),
        (change(type="video"), "line 3: “type”"),
        (change(type=["message"]), "line 3: “type”"),
        (change(type="room-export"), "line 3: “type”"),
        (change(type="end", first=1, last=1), "line 3: .*end|line 4: .*here"),
        (change(id=""), "line 3: “id”"),
        (change(at="yesterday"), "line 3: “at”"),
        (change(at="2026-01-01T00:00:00"), "line 3: “at”"),
        (change(at="0001-01-01T00:00:00+14:00"), "line 3: “at”"),
        (change(text=None), "line 3: “text”"),
        (change(text="x" * 64_001), "line 3: “text”"),
        (change(text="\ud800"), "line 3: “text”"),
        (change(text="\0"), "line 3: “text”"),
        (change(person="user-1"), "line 3: “person”"),
        (change(person={"id": "", "name": "x"}), "line 3: “id”"),
        (change(person={"id": "user-1", "name": "x" * 151}), "line 3: “name”"),
        (change(person={"id": "user-1", "name": "a\nb"}), "line 3: .*control characters"),
        (change(client_id="x" * 101), "line 3: “client_id”"),
        (change(reply_to=2), "line 3: “reply_to”"),
        (change(type="edit", target=2), "line 3: “target”"),
        (change(type="edit", target=None), "line 3: “target”"),
        (change(type="edit", target=1), "line 3: is a change of what is no message"),
        (change(deleted=3), "line 3: names no deletion"),
        (change(mentions={"id": "user-1"}), "line 3: “mentions”"),
        (change(mentions=[[]]), "line 3: “mentions”"),
        (change(**REACTION, reactions=[{"emoji": "x", "count": 1, "people": []}]), "line 3: “emoji”"),
        (change(**REACTION, reactions=[{"emoji": "👍", "count": 0, "people": []}]), "line 3: “count”"),
        (change(**REACTION, reactions=[{"emoji": "👍", "count": 1, "people": [ANN] * 21}]), "line 3: .*20"),
        (
            change(**REACTION, everybody=[{"emoji": "👍", "person": ANN, "at": "2026-01-01T00:00:00Z"}] * 2),
            "line 3: .*twice",
        ),
        (change(change="eaten", type="notice"), "line 3: “change”"),
    ],
)
def test_hostile_export_is_refused_with_the_line_and_nothing_is_stored(
    tmp_path: Path, spoil: Callable[[list[dict[str, Any]]], None], problem: str
) -> None:
    for text in ("one", "two", "three"):
        say(text, GUEST)
    models.Message.objects.filter(offset=1).update(kind="notice")
    export_room(ROOM, tmp_path)
    forget()
    lines = lines_of(tmp_path)
    spoil(lines)
    (tmp_path / "room.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InvalidExport, match=problem):
        bring_in(tmp_path, people=import_people.foreign_people)
    assert not models.Room.objects.exists()


HEADER = '{"type": "room-export", "version": 1, "site": "x", "room": "hostile"}\n'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "empty"),
        ("[]\n", "line 1: no JSON object"),
        (HEADER, "isn’t whole"),
        (HEADER + '{"type": "mess', "line 2: broken off"),
        (HEADER + "nonsense\n", "line 2: no JSON"),
        (HEADER + "[" * 100_000 + "\n", "line 2: no JSON"),
        (HEADER + '{"offset": NaN}\n', "line 2: no JSON"),
        (HEADER + '{"offset": ' + "9" * 5000 + "}\n", "line 2: no JSON"),
        (HEADER + '{"type": "' + "x" * 16_000_000 + '"}\n', "line 2: longer than"),
        (HEADER + '"\xff"\n', "line 2: no JSON"),
        (HEADER.replace("1", "2"), "line 1: “version”"),
        (HEADER.replace('"hostile"', '"a\\nb"'), "line 1: .*control"),
        (HEADER.replace('"hostile"', '"\\u0001import:x"'), "line 1: .*control"),
        (HEADER.replace('"hostile"', '"@ann"'), "line 1: .*@"),
        (HEADER.replace('"hostile"', "null"), "line 1: “room”"),
    ],
)
def test_file_that_is_no_export_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "room.jsonl").write_bytes(content.encode("latin-1" if "\xff" in content else "utf-8"))
    with pytest.raises(InvalidExport, match=problem):
        checking.check(tmp_path / "room.jsonl")
