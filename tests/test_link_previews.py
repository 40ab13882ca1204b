"""Previews of links at both doors, between processes, and as far as people and hosts can stand them."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from PIL import Image
from pytest_django import Settings

from chat.actions import editing, posting
from chat.actions.moderation import carry_out
from chat.delivery.detached_tasks import DetachedTasks
from chat.domain.people import Person, new_guest
from chat.domain.rooms import Room, find
from chat.models import LinkPreview
from chat.outgoing.client import Client
from chat.storage import history, links, moderation
from tests.hosts import Host, http, running_host
from tests.servers import Server
from tests.test_private_rooms import User, user

ROOM = find("links")
URL = f"/ws{ROOM.get_absolute_url()}"
HTML = "Content-Type: text/html; charset=utf-8"
PAGE = (
    '<title>A page</title><meta property="og:description" content="About it">'
    '<meta property="og:site_name" content="A site"><meta property="og:image" content="/picture">'
)
HEAR = """subscription { roomMessages(rooms: [{roomName: "links"}], kinds: [LINKS]) {
    kind offset target links { url title description siteName picture { url width height } }
} }"""
READ = """query ($room: String!) { room(name: $room) { linkPreviews } }"""
REMOVE = """mutation ($input: RemoveLinkPreviewInput!) { removeLinkPreview(input: $input) { error { code } } }"""
SET = """mutation ($room: String!, $on: Boolean!) {
    setLinkPreviews(input: {roomName: $room, on: $on}) { error { code } }
}"""


def picture(size: tuple[int, int] = (960, 480)) -> bytes:
    content = BytesIO()
    Image.new("RGB", size, "teal").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
async def host(settings: Settings) -> AsyncIterator[Host]:
    """A host that this site may ask for pages. It has one page, with a picture."""
    settings.CHAT_LINK_PREVIEWS, settings.CHAT_OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    async with running_host() as host:
        host.answers |= {"/": http(PAGE.encode(), HTML), "/picture": http(picture(), "Content-Type: image/png")}
        yield host
        await Client.here().close()


async def say(text: str, person: Person | None = None, room: Room = ROOM) -> int:
    entry = await posting.post(room=room, message=text, person=person or new_guest("Ann"), trusted=True)
    assert entry.event.offset
    return entry.event.offset


async def settled() -> None:
    """Waits until all previews that are wanted have been seen to."""
    await asyncio.gather(*(task for task in DetachedTasks.here() if "_work" in repr(task.get_coro())))


async def shown(offset: int, room: Room = ROOM) -> list[str]:
    """The titles of the pages that a message shows."""
    message = await sync_to_async(history.message)(room, offset)
    return [link.title for link in message.links]


async def test_preview_reaches_both_doors_and_the_history(
    host: Host, open_chat, open_graphql, async_client: AsyncClient
) -> None:
    socket, old = await open_chat(f"{URL}?with=links"), await open_chat(URL)
    graphql = await open_graphql()
    await graphql.start(HEAR)
    target = await say(f"see {host.url()}")
    frame = await socket.frame("links")
    (link,) = frame["links"]
    sizes = {"width": 480, "height": 240}
    assert link.pop("picture").items() >= sizes.items()
    assert link == {"url": host.url(), "title": "A page", "description": "About it", "site_name": "A site"}
    assert (frame["target"], frame["offset"], frame["message"]) == (target, None, "")

    heard = (await graphql.result())["data"]["roomMessages"]
    assert (heard["kind"], heard["offset"], heard["target"]) == ("LINKS", None, target)
    assert heard["links"][0]["siteName"] == "A site"
    answer = await async_client.get(heard["links"][0]["picture"]["url"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    with Image.open(BytesIO(answer.content)) as image:
        assert image.size == (480, 240)

    again = await open_chat(f"{URL}?after={target - 1}")
    (said,) = (await again.receive_json_from(timeout=5))["links"]
    assert said["title"] == "A page"
    assert (await old.receive_json_from(timeout=5))["offset"] == target
    assert await old.receive_nothing()


async def test_author_removes_a_preview_at_both_doors_and_all_are_told(host: Host, open_chat, open_graphql) -> None:
    author, other = await open_chat(f"{URL}?with=links"), await open_chat(f"{URL}?with=links")
    graphql = await open_graphql()
    await graphql.subscribe(HEAR)
    first, second = host.url(), host.url("/other")
    host.answers["/other"] = http(PAGE.encode(), HTML)
    await author.say(f"{first} {second}")
    target = (await author.receive_json_from(timeout=5))["offset"]
    for socket in (author, other):
        assert [link["url"] for link in (await socket.frame("links"))["links"]] == [first, second]
    assert (await graphql.result())["data"]["roomMessages"]["target"] == target

    await author.send_json_to({"remove_preview": target, "url": first})
    for socket in (author, other):
        frame = await socket.frame("links")
        assert (frame["target"], [link["url"] for link in frame["links"]]) == (target, [second])
    heard = (await graphql.result())["data"]["roomMessages"]
    assert [link["url"] for link in heard["links"]] == [second]

    await author.send_json_to({"edit": target, "message": f"Look: {first} {second}"})
    for socket in (author, other):
        assert [link["url"] for link in (await socket.frame("links"))["links"]] == [second]
    await author.send_json_to({"before": 99})
    (message,) = (await author.frame("history"))["messages"]
    assert [link["url"] for link in message["links"]] == [second]


async def test_moderator_removes_a_preview_by_graphql(host: Host, open_graphql) -> None:
    owner = await user("owner")
    await carry_out(moderation.create, ROOM, private=False, by=owner.person)
    target = await say(f"{host.url()}")
    await settled()
    asked = {"input": {"roomName": ROOM.name, "offset": target, "url": host.url()}}
    stranger = await user("stranger")
    for visitor, error in ((stranger, {"code": "not_allowed"}), (owner, None), (owner, None)):
        graphql = await open_graphql(headers=visitor.headers)
        await graphql.start(REMOVE, asked)
        assert (await graphql.result())["data"]["removeLinkPreview"] == {"error": error}
    assert await shown(target) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"remove_preview": 1}, "invalid_frame"),
        ({"remove_preview": 1, "url": 7}, "invalid_frame"),
        ({"remove_preview": "x", "url": "https://example.org/"}, "invalid_position"),
        ({"remove_preview": -1, "url": "https://example.org/"}, "invalid_position"),
        ({"remove_preview": 99, "url": "https://example.org/"}, "no_such_message"),
        ({"remove_preview": 1, "url": "https://example.org/"}, "not_allowed"),  # another's
    ],
)
async def test_bad_removal_is_answered_with_an_error(open_chat, asked: dict[str, Any], code: str) -> None:
    await say("another's")
    socket = await open_chat(URL)
    await socket.send_json_to(asked | {"client_id": "c1"})
    error = await socket.frame("error")
    assert (error["error"]["code"], error["client_id"]) == (code, "c1")


async def test_page_is_asked_for_once_and_for_nobody_in_particular(host: Host) -> None:
    offsets = [await say(f"{host.url()}#part{number}") for number in range(5)]
    await settled()
    assert [await shown(offset) for offset in offsets] == [["A page"]] * 5
    assert sorted(host.paths()) == ["/", "/picture"]
    heads = b"".join(host.requests).lower()
    assert not any(name in heads for name in [b"referer", b"cookie", b"origin", b"forwarded"])


async def test_nothing_private_is_connected_to_by_default(host: Host, settings: Settings) -> None:
    settings.CHAT_OUTGOING_NETWORKS = []
    offset = await say(f"{host.url()} {host.url(name='localhost')} {host.url(name='[::ffff:127.0.0.1]')}")
    await settled()
    assert await shown(offset) == []
    assert host.requests == []


async def test_no_previews_where_the_setting_is_off(host: Host, settings: Settings) -> None:
    settings.CHAT_LINK_PREVIEWS = False
    await say(host.url())
    await settled()
    assert host.requests == []


ANSWERS = {
    "not found": http(PAGE.encode(), HTML, status="404 Not Found"),
    "no page": http(PAGE.encode(), "Content-Type: application/octet-stream"),
    "no type": http(PAGE.encode()),
    "no title": http(b"<p>Text</p>", HTML),
    "nothing": http(b"", HTML),
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_page_that_can_not_be_shown_is_remembered_and_not_asked_for_again(host: Host, answer: bytes) -> None:
    host.answers["/"] = answer
    for _ in range(2):
        assert await shown(await say(host.url())) == []
        await settled()
    assert host.paths() == ["/"]
    row = await LinkPreview.objects.aget()
    assert (row.found, row.claimed_at) == (False, None)


PICTURES = {
    "SVG": http(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "Content-Type: image/svg+xml"),
    "SVG that says PNG": http(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "Content-Type: image/png"),
    "HTML": http(PAGE.encode(), "Content-Type: image/png"),
    "broken": http(picture()[:50], "Content-Type: image/png"),
    "too long": http(bytes(5_000_001), "Content-Type: image/png"),
    "not found": http(picture(), status="404 Not Found"),
}


@pytest.mark.parametrize("answer", PICTURES.values(), ids=PICTURES)
async def test_picture_that_can_not_be_shown_is_left_out(host: Host, answer: bytes) -> None:
    host.answers["/picture"] = answer
    offset = await say(host.url())
    await settled()
    (link,) = (await sync_to_async(history.message)(ROOM, offset)).links
    assert (link.title, link.picture) == ("A page", None)


async def test_edit_shows_the_links_of_the_new_text(host: Host) -> None:
    host.answers["/other"] = http(b"<title>Another</title>", HTML)
    person = new_guest("Ann")
    offset = await say(host.url(), person)
    await settled()
    await editing.edit(room=ROOM, offset=offset, message=f"no, {host.url('/other')}", person=person)
    assert await shown(offset) == []
    await settled()
    assert await shown(offset) == ["Another"]
    await editing.edit(room=ROOM, offset=offset, message="none", person=person)
    await settled()
    assert await shown(offset) == []


async def test_private_rooms_show_previews_only_where_somebody_decides_so(host: Host, open_graphql) -> None:
    ann, room = await user("ann"), find("links of ours")
    await carry_out(moderation.create, room, private=True, by=ann.person)
    await say(host.url(), ann.person, room)
    await settled()
    assert host.requests == []
    graphql = await open_graphql(headers=ann.headers)
    await graphql.start(READ, {"room": room.name}, "1")
    assert (await graphql.result())["data"]["room"]["linkPreviews"] is False
    await graphql.receive_json_from(timeout=5)
    await graphql.start(SET, {"room": room.name, "on": True}, "2")
    assert (await graphql.result("2"))["data"]["setLinkPreviews"] == {"error": None}
    offset = await say(host.url(), ann.person, room)
    await settled()
    assert await shown(offset, room) == ["A page"]


async def test_members_page_switches_previews(host: Host, async_client: AsyncClient) -> None:
    ann, room = await user("ann"), find("links of ours")
    await carry_out(moderation.create, room, private=True, by=ann.person)
    await async_client.aforce_login(await User.objects.aget(username="ann"))
    page = (await async_client.get(room.get_members_url())).content.decode()
    assert "Show previews of links" in page
    answer = await async_client.post(room.get_members_url(), {"do": "set_link_previews", "on": "true"})
    assert answer.status_code == 302
    assert await sync_to_async(links.are_shown)(room)


async def test_person_who_posts_many_links_has_few_of_them_asked_for(host: Host, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_LINKS = True, "5/1h"
    settings.CHAT_RATE_PERSON = settings.CHAT_RATE_ADDRESS = "1000/1s"
    ann = await user("ann")
    for number in range(0, 30, 3):
        await say(" ".join(host.url(f"/{number + more}") for more in range(3)), ann.person)
    await settled()
    assert len(host.requests) == 5


async def test_host_is_asked_for_no_more_pages_than_it_can_stand(host: Host, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_LINK_HOST = True, "4/1h"
    for number in range(10):
        await say(host.url(f"/{number}", name="localhost"))
    await settled()
    assert len(host.requests) == 4


async def test_post_does_not_wait_for_a_page(host: Host) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    host.answers["/"] = silent
    async with asyncio.timeout(2):
        await say(host.url())


async def test_claim_is_given_back_when_the_process_stops(host: Host, eventually) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    host.answers["/"] = silent
    await say(host.url())
    await eventually(lambda: host.requests)
    await Client.here().close()
    await settled()
    assert not await LinkPreview.objects.aexists()


async def test_two_processes_ask_for_a_page_once(transactional_db: None, start_servers) -> None:
    async with running_host() as host:
        host.answers["/"] = http(b"<title>A page</title>", HTML)
        settings = {"CHAT_LINK_PREVIEWS": "on", "CHAT_OUTGOING_NETWORKS": "127.0.0.0/8"}
        servers = await asyncio.to_thread(start_servers, 2, **settings)
        await asyncio.gather(*(asyncio.to_thread(mutate, server, host.url()) for server in servers for _ in range(3)))
        async with asyncio.timeout(10):
            while [await shown(offset) for offset in range(1, 7)] != [["A page"]] * 6:
                await asyncio.sleep(0.05)
        assert host.paths() == ["/"]


def mutate(server: Server, text: str) -> Any:
    query = 'mutation ($text: String!) { sendChatMessage(message: $text, room: {roomName: "links"}) }'
    body = json.dumps({"query": query, "variables": {"text": text}}).encode()
    request = urllib.request.Request(
        f"http://{server.host}/graphql", body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
