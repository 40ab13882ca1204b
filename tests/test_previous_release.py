"""An instance of the previous release beside one of this one, in the same rooms, as during a deploy."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import websockets
from channels.layers import get_channel_layer
from django.conf import settings

from chat import models
from chat.actions import direct
from chat.actions.moderation import carry_out
from chat.domain import search as search_queries
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.storage import log, moderation, posting_limits, search, search_feed, uploads
from chat.storage.database import in_database
from chat.storage.uploads import Upload
from tests.screen import Screen
from tests.servers import ROOT, Server, uvicorn_of
from tests.test_private_rooms import Visitor, user

PREVIOUS = "670550e"  # the commit of the release that may run beside this one
ROOM = find("deploy")
LIMITS = {"CHAT_FRAME_MAX": "64000", "CHAT_BODY_MAX": "64000"}  # the previous release takes no empty values


@pytest.fixture
def instances(transactional_db: None, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """An instance of the previous release and one of this one, on one database and one Valkey."""
    archive = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, f"The previous release, {PREVIOUS}, is not in this clone: git fetch --unshallow"
    subprocess.run(["tar", "-x"], cwd=tmp_path, input=archive.stdout, check=True)
    get_channel_layer()  # which starts the embedded Valkey
    with ExitStack() as stack:
        variables = {"REDIS_URL": ",".join(settings.REDIS_URLS), "DEBUG": "true", **LIMITS}
        old, new = (stack.enter_context(Server(uvicorn_of(root), root, **variables)) for root in (tmp_path, ROOT))
        for server in (old, new):
            server.wait_until_it_answers()
        yield old, new


def browser(
    server: Server, query: str = "", visitor: Visitor | None = None, room: str = "deploy"
) -> websockets.connect:
    headers = {"Cookie": visitor.headers[0][1].decode()} if visitor else {}
    url = f"ws://{server.host}/ws/chat/{room}/{query}"
    return websockets.connect(url, origin=f"http://{server.host}", additional_headers=headers)


async def hear(socket: websockets.ClientConnection) -> dict:
    async with asyncio.timeout(5):
        return json.loads(await socket.recv())


def store_unknown() -> None:
    """Stores an entry of an unknown kind, as an instance of a later release may."""
    draft = log.Draft(room=ROOM, text="of a newer release", person=Person(id="user-1", name="Ann"))
    event = log.append([draft])[0].event  # type: ignore[union-attr]
    models.Message.objects.filter(room__name=ROOM.name, offset=event.offset).update(kind="poll")


async def test_instances_of_two_releases_exchange_messages_without_starting_over(
    instances: tuple[Server, Server],
) -> None:
    async with browser(instances[0]) as old, browser(instances[1]) as new:
        for number in range(1, 21):
            poster = (old, new)[number % 3 == 0]
            await poster.send(json.dumps({"message": str(number)}))
            heard = [await hear(socket) for socket in (old, new)]
            assert [(frame["kind"], frame["offset"], frame["message"]) for frame in heard] == [
                ("message", number, str(number))
            ] * 2
        position = f"?after={heard[1]['offset']}&id={heard[1]['id']}"
    async with browser(instances[1], position) as new, browser(instances[0], position) as old:
        await old.send(json.dumps({"message": "back"}))
        assert [(await hear(socket))["offset"] for socket in (old, new)] == [21, 21]


async def test_entry_of_an_unknown_kind_stops_no_listener_of_a_server(instances: tuple[Server, Server]) -> None:
    async with browser(instances[1]) as new:
        await new.send(json.dumps({"message": "one"}))
        assert (await hear(new))["offset"] == 1
        await in_database(store_unknown)
        await new.send(json.dumps({"message": "three"}))
        assert (await hear(new))["offset"] == 3
    async with browser(instances[1], "?after=0") as new:
        assert [(await hear(new))["offset"] for _ in range(2)] == [1, 3]


def store_file(room: Room, *, by: Person) -> str:
    """A file that `by` can attach; its id."""
    id = uploads.begin(room, by=by, announced=1)
    return uploads.finish(room, id, Upload(name="a.txt", type="application/octet-stream", size=1)).id


ALL = "?with=edits,reactions"


async def hear_until(socket: websockets.ClientConnection, text: str) -> list[dict]:
    """The events that are heard up to that message."""
    heard = [await hear(socket)]
    while heard[-1]["message"] != text:
        heard.append(await hear(socket))
    return heard


async def test_previous_release_passes_over_edits_and_reactions_and_goes_on(instances: tuple[Server, Server]) -> None:
    """Its clients hear all that it knows, and clients of this one all that there is; positions are good at both."""
    old_one, new_one = instances
    ann = await user("ann")
    async with (
        browser(old_one) as old,
        browser(new_one, ALL, ann) as new,
        browser(new_one, ALL) as other,
    ):
        said_new: list[dict] = [
            {"message": "one"},  # at 1
            {"message": "two", "reply_to": 1},  # at 3: the other one says something in between
            {"edit": 1, "message": "one, edited"},
            {"react": 3, "emoji": "👍"},
            {"react": 1, "emoji": "👍"},
            {"react": 3, "emoji": "👍", "on": False},
            {"message": "three", "reply_to": 3},
            {"delete": 3},
            {"edit": 1, "message": "one, edited again"},
            {"message": "", "attachments": [await in_database(store_file, ROOM, by=ann.person)]},
        ]
        kinds, screen = [], Screen()
        for number, frame in enumerate(said_new):
            await new.send(json.dumps(frame))
            entries = [await hear(new)]
            await old.send(json.dumps({"message": f"of the old one, {number}"}))
            entries.append(await hear(new))
            for entry in entries:
                screen.take_frame(entry)
                kinds.append(entry["kind"])
        changes = ["message", "message", "edit", "reaction", "reaction", "reaction", "message", "deletion", "edit"]
        changes.append("message")
        assert kinds == [kind for change in changes for kind in (change, "message")]
        await new.send(json.dumps({"message": "the end"}))
        heard_new, heard_old = [await hear_until(socket, "the end") for socket in (other, old)]
        known = [entry for entry in heard_new if entry["kind"] not in {"edit", "reaction"}]
        assert [(one["kind"], one["offset"]) for one in heard_old] == [(one["kind"], one["offset"]) for one in known]
        assert [one["offset"] for one in heard_new] == [*range(1, 22)]
        # The name of the file stands for a text, but not where the old one has read the message from the database.
        assert {one["message"] for one in heard_old if one["offset"] == 19} <= {"a.txt", ""}
    # Old ones come back at old and at new instances, from entries that the old one knows and from others.
    for entry in heard_new:
        position = f"?after={entry['offset']}&id={entry['id']}"
        async with browser(old_one, position) as old, browser(new_one, f"{position}&with=edits,reactions") as new:
            if entry["message"] != "the end":
                later = heard_new[entry["offset"] :]
                expected = [one["offset"] for one in later if one["kind"] not in {"edit", "reaction"}]
                assert [one["offset"] for one in await hear_until(old, "the end")] == expected
                assert [one["offset"] for one in await hear_until(new, "the end")] == [one["offset"] for one in later]
    async with browser(new_one, f"{ALL}&after=0") as new:
        history, shown = Screen(), Screen()
        for entry in await hear_until(new, "the end"):
            shown.take_frame(entry)
        await new.send(json.dumps({"before": 100}))
        for entry in (await hear(new))["messages"]:
            history.take_frame(entry)
    screen.take_frame(heard_new[-1])
    assert screen == shown == history


async def test_message_deleted_by_the_previous_release_leaves_nothing_in_this_one(
    instances: tuple[Server, Server],
) -> None:
    old_one, new_one = instances
    ann = await user("ann")
    async with browser(old_one, visitor=ann) as old, browser(new_one, ALL, ann) as new:
        for frame in (
            {"message": "a secret"},
            {"edit": 1, "message": "another secret"},
            {"react": 1, "emoji": "👍"},
            {"message": "no secret", "reply_to": 1},
        ):
            await new.send(json.dumps(frame))
            await hear(new)
        await old.send(json.dumps({"delete": 1}))
        while (await hear(old))["kind"] != "deletion":
            pass
    async with browser(new_one, f"{ALL}&after=0") as new:
        heard = [await hear(new) for _ in range(5)]
        await new.send(json.dumps({"before": 100}))
        heard.append(await hear(new))
    assert "secret" not in json.dumps(heard).replace("no secret", "")


async def test_direct_room_of_this_release_is_a_private_room_of_its_people_at_the_previous_one(
    instances: tuple[Server, Server],
) -> None:
    old_one, new_one = instances
    ann, ben, eve = [await user(name) for name in ("ann", "ben", "eve")]
    room = await direct.open_room(["ben"], by=ann.person)
    async with (
        browser(old_one, visitor=ann, room=room.name) as old,
        browser(new_one, visitor=ben, room=room.name) as new,
    ):
        for number, poster in enumerate((old, new, old)):
            await poster.send(json.dumps({"message": str(number)}))
            assert [(await hear(socket))["message"] for socket in (old, new)] == [str(number)] * 2
    for server in (old_one, new_one):
        async with browser(server, "?after=0", eve, room.name) as outside:
            assert (await hear(outside))["error"]["code"] == "not_a_member"


async def test_previous_release_passes_over_limits_on_posting_and_goes_on(instances: tuple[Server, Server]) -> None:
    """It doesn't know them, so it enforces none; what it stores is heard, and its listeners miss no message."""
    old_one, new_one = instances
    ann = await user("ann")
    await carry_out(moderation.create, ROOM, private=False, by=ann.person)
    async with browser(old_one, visitor=ann) as old, browser(new_one, visitor=ann) as new:
        await carry_out(posting_limits.set_slow_mode, ROOM, 60, by=ann.person)
        await carry_out(posting_limits.set_read_only, ROOM, True, by=ann.person)
        heard_old: list[dict] = []
        heard_new: list[dict] = []
        for poster, text in ((new, "of the new one"), (old, "of the old one"), (new, "the end")):
            await poster.send(json.dumps({"message": text}))
            heard_old += await hear_until(old, text)
            heard_new += await hear_until(new, text)
    assert [one["access"] for one in heard_new if one["kind"] == "notice"] == ["slow_mode", "read_only"]
    assert {one["message"] for one in heard_old if one["kind"] == "message"} == {
        "of the new one",
        "of the old one",
        "the end",
    }
    assert [one["offset"] for one in heard_new] == [2, 3, 4, 5, 6]


def found(text: str) -> list[str]:
    results = search.find(search_queries.read(text), person=Person(id="guest-1", name="?"), size=10)
    return [one.event.message for one in results.found]


async def test_search_finds_what_the_previous_release_stores_and_not_what_it_deletes(
    instances: tuple[Server, Server],
) -> None:
    ann = await user("ann")
    async with browser(instances[0], ALL, ann) as old, browser(instances[1], ALL) as new:
        for frame in ({"message": "fox one"}, {"message": "fox two"}, {"message": "fox three"}):
            await old.send(json.dumps(frame))
            await hear(new)
        await in_database(search_feed.feed)
        assert await in_database(found, "fox") == ["fox three", "fox two", "fox one"]
        for frame in ({"delete": 2}, {"message": "fox four"}):
            await old.send(json.dumps(frame))
            await hear(new)
    assert await in_database(found, "fox") == ["fox four", "fox three", "fox one"]
