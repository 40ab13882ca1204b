"""Pages, as Django serves them."""

import io
import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from chat import models
from chat.domain.files import OCTETS, Attachment, Preview
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log, pruning

pytestmark = pytest.mark.django_db


def room_data(client: Client, room: str = "room1") -> dict:
    page = client.get(find(room).get_absolute_url()).content.decode()
    return json.loads(re.search(r'<script id="room-data" type="application/json">(.*?)</script>', page)[1])


def test_front_page_redirects_to_the_chat(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/chat/"
    assert client.get("/chat/").status_code == 200


@pytest.mark.parametrize(
    "room", ["room1", "café", "房间 1", "a-b", "a/b", "a/..", "/a/", "50% off", "🍓", "x" * 100, "?#&"]
)
def test_room_page_holds_the_name_of_any_room(client: Client, room: str) -> None:
    assert room_data(client, room)["room"] == room


def test_room_page_is_the_same_for_other_spellings_of_its_address(client: Client) -> None:
    assert room_data(client)["room"] == "room1"
    page = client.get("/chat/cafe%CC%81%20/").content.decode()
    assert '"room": "caf\\u00e9"' in page
    assert client.get("/chat/room1").headers["Location"] == "/chat/room1/"


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/chat//", "is empty"),
        ("/chat/%20/", "is empty"),
        ("/chat/a%00b/", "control characters"),
        ("/chat/a%0Ab/", "control characters"),
        (f"/chat/{'x' * 101}/", "too long: 101 characters"),
    ],
)
def test_room_page_explains_an_invalid_room_name(client: Client, path: str, complaint: str) -> None:
    page = client.get(path)
    assert page.status_code == 400
    assert complaint in page.content.decode()


def test_room_page_escapes_the_name_of_the_room(client: Client) -> None:
    page = client.get(find('<b id="x">').get_absolute_url()).content.decode()
    assert '<b id="x">' not in page


def say(room: str, *texts: str) -> None:
    person = Person(id="guest-1", name="Zoë")
    log.append([log.Draft(room=find(room), text=text, person=person) for text in texts or ("hello",)])


def test_index_page_lists_own_rooms_latest_first(client: Client) -> None:
    client.get("/chat/first%20visit/")  # the browser may not keep this guest
    for room in ("one", "two", "a/b", "one"):
        client.get(find(room).get_absolute_url())
    assert [own.room.name for own in client.get("/chat/").context["own_rooms"]] == ["one", "a/b", "two"]
    say("two")
    assert [own.room.name for own in client.get("/chat/").context["own_rooms"]] == ["two", "one", "a/b"]


def test_index_page_takes_over_the_rooms_that_the_release_before_kept_in_the_session(client: Client) -> None:
    client.get("/chat/")
    session = client.session
    session["chat_rooms"] = ["one", "two"]
    session.save()
    for _ in range(2):
        assert {own.room.name for own in client.get("/chat/").context["own_rooms"]} == {"one", "two"}
    assert "chat_rooms" not in client.session


@pytest.mark.parametrize(
    ("matching", "found"), [("", ["b", "Room 2", "room 1"]), ("ROOM", ["Room 2", "room 1"]), ("x", []), ("%", [])]
)
def test_index_page_lists_public_rooms_by_activity_and_searches_them(
    client: Client, matching: str, found: list[str]
) -> None:
    for room in ("secret room", "room 1", "Room 2", "b"):
        say(room)
    models.Room.objects.filter(name="secret room").update(is_private=True, restricted=True)
    page = client.get("/chat/", {"matching": matching})
    assert [room.name for room in page.context["rooms"]] == found
    assert "secret" not in page.content.decode()


def test_index_page_leads_through_a_hundred_rooms_by_links_alone(client: Client) -> None:
    expected = [f"room {number}" for number in range(120)]
    for name in reversed(expected):
        say(name)
    pages, url = [], "/chat/?matching=ROOM"
    while url:
        page = client.get(url)
        pages.append([room.name for room in page.context["rooms"]])
        more = page.context["more_url"]
        assert (f'href="{escape(more)}"' in page.content.decode()) == bool(more)
        assert ("Back to the first" in page.content.decode()) == (len(pages) > 1)
        url = more and f"/chat/{more}"
    assert pages == [expected[:50], expected[50:100], expected[100:]]


@pytest.mark.parametrize("after", ["", "x", "2026-01-01T00:00:00 1", "2026-01-01T00:00:00+00:00 -1", "\0", "1 " * 5000])
def test_index_page_begins_with_the_first_rooms_where_the_cursor_is_none(client: Client, after: str) -> None:
    say("room1")
    page = client.get("/chat/", {"after": after})
    assert [room.name for room in page.context["rooms"]] == ["room1"]


class TestReading:
    def test_room_page_begins_before_what_is_unread(self, client: Client) -> None:
        client.get("/chat/")
        say("room1", *map(str, range(100)))
        assert room_data(client)["unread"] == 0
        say("room1", *map(str, range(60)))
        data = room_data(client)
        assert (data["read"], data["unread"], data["position"]) == (100, 60, 160)
        assert [one["offset"] for one in data["history"]["messages"]] == [*range(91, 161)]
        say("room1", *map(str, range(200)))
        data = room_data(client)
        assert (data["read"], data["unread"]) == (100, 100)

    def test_room_page_opens_where_one_left_off_when_too_much_is_unread_to_be_shown_at_once(
        self, client: Client
    ) -> None:
        client.get("/chat/")
        say("room1", *map(str, range(100)))
        room_data(client)
        say("room1", *map(str, range(201)))
        data = room_data(client)
        assert (data["read"], data["at"], data["position"]) == (100, None, 301)
        assert [one["offset"] for one in data["history"]["messages"]] == [*range(75, 126)]
        assert (data["history"]["more"], data["history"]["later"]) == (True, True)
        page = client.get("/chat/room1/").content.decode()
        assert '<a href="?at=301#chat-end">Go to the newest message</a>' in page

    def test_room_page_lists_own_rooms_with_what_is_unread_and_the_room_itself(self, client: Client) -> None:
        for room in ("new", "other", "other"):
            page = client.get(f"/chat/{room}/")
        say("other", "1", "2")
        page = client.get("/chat/third/")
        assert {own.room.name: own.unread for own in page.context["own_rooms"]} == {"third": 0, "other": 2}
        stranger = Client().get("/chat/third/")
        assert [own.room.name for own in stranger.context["own_rooms"]] == ["third"]


def test_pages_redirect_guests_to_the_login_when_guests_are_not_allowed(client: Client, settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    for path in ("/chat/", "/chat/room1/"):
        assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"
    for path in ("/accounts/login/", "/accounts/signup/"):
        assert client.get(path).status_code == 200
    client.force_login(get_user_model().objects.create_user("ann"))
    assert room_data(client)["person"]["name"] == "ann"


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/rooms/new/", "/rooms/members/?room=room1", "/nope/"])
def test_pages_of_users_are_not_cached(client: Client, path: str) -> None:
    client.force_login(get_user_model().objects.create_user("ann"))
    assert {"no-store", "private"} <= set(client.get(path).headers["Cache-Control"].split(", "))


def test_page_of_a_public_room_may_be_cached_for_guests(client: Client) -> None:
    assert "Cache-Control" not in client.get("/chat/room1/").headers


def test_admin_index_answers(admin_client: Client) -> None:
    assert admin_client.get("/admin/").status_code == 200


def test_unknown_page_is_not_found(client: Client) -> None:
    assert client.get("/nope/").status_code == 404


def test_room_page_holds_the_position_also_after_pruning(client: Client) -> None:
    log.append([log.Draft(room=find("room1"), text="hello", person=Person(id="guest-1", name="Zoë"))])
    assert room_data(client)["position"] == 1
    assert room_data(client)["positionId"] == room_data(client)["history"]["messages"][-1]["id"]

    pruning.prune(keep=0)

    data = room_data(client)
    assert data["history"] == {"messages": [], "more": False, "later": False}
    assert data["position"] == 1
    assert data["positionId"] is None


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/chat/room1/", 400), ("/accounts/login/", 400)])
def test_malformed_body_is_a_client_error_without_traceback(path: str, status: int, written_log: io.StringIO) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "a" * 32
    assert strict.generic("POST", path, b"{}", content_type="multipart/form-data").status_code == status
    assert "ERROR" not in written_log.getvalue()
    assert "Traceback" not in written_log.getvalue()


def test_room_page_holds_escaped_history_for_readers_without_scripts(client: Client) -> None:
    room = find("room1")
    person = Person(id="guest-1", name="Ann <b>")
    log.append([log.Draft(room=room, text="<i>first</i>", person=person)])
    page = client.get("/chat/room1/").content.decode()
    start, end = page.index("<chat-log"), page.index("</chat-log>")
    assert '<div class="message" id="message-1">' in page[start:end]
    assert '<bdi class="author" data-guest="Guest">Ann &lt;b&gt;</bdi>' in page[start:end]
    assert "&lt;i&gt;first&lt;/i&gt;" in page[start:end]
    assert 'data-empty="Nothing has been said here yet."></chat-log>' in client.get("/chat/empty/").content.decode()


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("room1", "/chat/room1/"),
        (" a/b ", "/chat/a%2Fb/"),
        ("50% off", "/chat/50%25%20off/"),
        ("日本", "/chat/%E6%97%A5%E6%9C%AC/"),
    ],
)
def test_index_form_redirects_to_the_room_without_scripts(client: Client, typed: str, address: str) -> None:
    assert client.get("/chat/", {"room": typed}).headers["Location"] == address


def test_index_form_with_a_blank_name_stays_on_the_page(client: Client) -> None:
    assert client.get("/chat/", {"room": " "}).status_code == 200


def test_room_page_has_the_html_of_its_messages_for_scripts_and_without(client: Client) -> None:
    person = Person(id="user-1", name="Ann")
    log.append([log.Draft(room=find("room1"), text=text, person=person) for text in ["**a** <b>", "plain"]])
    formatted, plain = room_data(client)["history"]["messages"]
    assert formatted["html"] == "<p><strong>a</strong> &lt;b&gt;</p>"
    assert "html" not in plain
    page = client.get("/chat/room1/").content.decode()
    assert f'<div class="text formatted" dir="auto">{formatted["html"]}</div>' in page
    assert '<p class="text" dir="auto">plain</p>' in page


def test_history_has_the_files_of_messages_for_readers_without_scripts(client: Client) -> None:
    files = (
        Attachment("a" * 32, "a & b.png", "image/png", 1000, Preview(40, 20)),
        Attachment("d" * 32, "long.png", "image/png", 1000, Preview(5, 1024)),
        Attachment("b" * 32, "song.ogg", "audio/ogg", 1000),
        Attachment("c" * 32, "page.html", OCTETS, 1000),
    )
    log.append([log.Draft(room=find("room1"), text="", person=Person(id="user-7", name="Zoë"), attachments=files)])

    page = client.get("/chat/room1/").content.decode()

    assert f'src="/chat/room1/files/{"a" * 32}/preview" width="40" height="20" alt="a &amp; b.png"' in page
    assert 'width="1" height="300" alt="long.png"' in page
    assert '<div class="pictures several">' in page
    assert f'<audio controls preload="metadata" src="/chat/room1/files/{"b" * 32}/song.ogg"' in page
    assert f'href="/chat/room1/files/{"c" * 32}/page.html" download="page.html"' in page
    assert '<p class="text"' not in page
