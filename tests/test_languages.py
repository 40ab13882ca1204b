"""The reader's language at every door: pages, the browser's socket, GraphQL over HTTP and WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from chat.domain import names, people, rooms
from chat.domain.languages import in_language_of, language_of
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import Banned, ChatError, RateLimited, SlowMode, Unavailable
from chat.models import Message
from chat.storage import lanes, moderation, posting_limits
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close

EMPTY = {"en": "The message is empty.", "de": "Die Nachricht ist leer."}
POST = (
    'mutation { postMessage(input: {roomName: "room", message: "%s"}) { message { offset } error { code message } } }'
)
ODD_LANGUAGES = [
    "",
    "tlh",
    "*",
    "de" * 5000,
    ",".join(["de"] * 5000),
    "de;q=abc",
    ";;;,,,===",
    "de-" + "x" * 600,
    "../../etc/passwd",
    "\x00de",
    "düsseldorf",
    "%s{0}",
]


@pytest.fixture(autouse=True)
def no_language_left() -> Iterator[None]:
    """Django's test client activates a language in the test's own thread."""
    yield
    translation.deactivate()


def headers(language: str | None = None, cookie: str | None = None) -> list[tuple[bytes, bytes]]:
    asked = [] if language is None else [(b"accept-language", language.encode())]
    return asked if cookie is None else [*asked, (b"cookie", f"django_language={cookie}".encode())]


@asynccontextmanager
async def browser(room: str = "room", **given: str) -> AsyncIterator[ChatSocket]:
    socket = ChatSocket(application, f"/ws/chat/{room}/", headers=headers(**given))
    assert await socket.connect(timeout=5) == (True, None)
    yield socket
    await close(socket)


@asynccontextmanager
async def graphql(protocol: str = "graphql-transport-ws", **given: str) -> AsyncIterator[GraphQLSocket]:
    socket = GraphQLSocket(application, "/graphql", headers(**given), protocol=protocol, subprotocols=[])
    await socket.gql_init()
    yield socket
    await close(socket)


async def over_http(query: str, path: str = "/graphql", **given: str) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    asked = [*headers(**given), (b"content-type", b"application/json")]
    response = await HttpCommunicator(application, "POST", path, body, asked).get_response(timeout=5)
    return json.loads(response["body"])


# The language of a connection


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "en"),
        ({"language": "de"}, "de"),
        ({"language": "de-AT,en;q=0.5"}, "de"),
        ({"language": "fr, de;q=0.8, en;q=0.9"}, "en"),
        ({"language": "fr"}, "en"),
        ({"language": "en", "cookie": "de"}, "de"),
        ({"language": "de", "cookie": "fr"}, "de"),
        ({"cookie": "../de"}, "en"),
    ],
)
def test_language_is_the_chosen_one_or_the_preferred_one(given: dict[str, str], expected: str) -> None:
    assert language_of({"headers": headers(**given)}) == expected


@pytest.mark.parametrize("language", ODD_LANGUAGES, ids=lambda language: ascii(language[:12]))
def test_language_of_odd_headers_is_one_of_the_site(language: str) -> None:
    known = {code for code, _ in settings.LANGUAGES}
    assert language_of({"headers": headers(language)}) in known
    assert language_of({"headers": headers(cookie=language.replace(";", ""))}) in known


def test_language_is_the_sites_where_none_is_known(settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    assert language_of(None) == language_of({"headers": headers("fr")}) == "de"
    assert language_of({"headers": headers("en")}) == "en"


# Errors


@pytest.mark.parametrize(
    ("error", "english", "german"),
    [
        (RateLimited(0.4), "again in 1 second.", "in 1 Sekunde noch einmal."),
        (RateLimited(1.2), "again in 2 seconds.", "in 2 Sekunden noch einmal."),
        (SlowMode(1), "again in 1 second.", "in 1 Sekunde wieder schreiben."),
        (ChatError("{not} a place"), "{not} a place", "{not} a place"),
    ],
    ids=["one", "several", "slow mode", "braces"],
)
def test_error_has_its_text_in_the_active_language(error: ChatError, english: str, german: str) -> None:
    for language, text in (("en", english), ("de", german)):
        with translation.override(language):
            assert str(error).endswith(text)


def test_error_takes_parameters_as_they_are() -> None:
    with translation.override("de"):
        assert str(Banned(translation.gettext_lazy("You are banned from “{room}”."), room="{by} %s")) == (
            "Du bist in „{by} %s“ gesperrt."
        )


def test_number_in_an_error_is_written_as_the_reader_writes_it() -> None:
    with pytest.raises(ChatError) as raised:
        posting_limits.set_slow_mode(find("room"), 10**9, by=None)
    for language, number in (("en", "21,600."), ("de", "21.600.")):
        with translation.override(language):
            assert str(raised.value).endswith(number)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_browser_is_sent_errors_in_its_language(language: str) -> None:
    async with browser(language=language) as socket:
        await socket.say(" ")
        frame = await socket.receive_json_from(timeout=5)
    assert frame["message"] == frame["error"]["message"] == EMPTY[language]
    assert frame["error"]["code"] == "blank_message"


async def test_refused_browser_is_told_why_in_its_language() -> None:
    async with browser(room="..", cookie="de") as socket:
        frame = await socket.receive_json_from(timeout=5)
    assert frame["message"] == "Ein Raum kann nicht „..“ heißen: Keine Webadresse führt dorthin."


@pytest.mark.parametrize("language", ["en", "de"])
async def test_error_of_a_payload_is_in_the_persons_language(subprotocol: str, language: str) -> None:
    async with graphql(subprotocol, language=language) as socket:
        await socket.start(POST % " ")
        payload = (await socket.result())["data"]["postMessage"]
    assert payload["error"] == {"code": "blank_message", "message": EMPTY[language]}
    assert await over_http(POST % " ", language=language) == {"data": {"postMessage": payload}}


@pytest.mark.parametrize("language", ["en", "de"])
async def test_error_of_a_field_is_in_the_persons_language(language: str) -> None:
    query = 'mutation { sendChatMessage(room: {roomName: "room"}, message: " ") }'
    (error,) = (await over_http(query, language=language))["errors"]
    assert (error["message"], error["extensions"]) == (EMPTY[language], {"code": "blank_message"})


async def test_subscription_that_is_shared_ends_in_each_persons_language(subprotocol: str) -> None:
    query = 'subscription { joinChatRooms(rooms: [{roomName: ""}], user: "foo") { message } }'
    async with graphql(subprotocol, language="de") as german, graphql(subprotocol, language="en") as english:
        for socket, text in ((german, "Der Raumname ist leer."), (english, "The room name is empty.")):
            await socket.start(query)
            assert text in json.dumps(await socket.receive_json_from(timeout=5))


async def test_direct_room_without_others_is_named_in_the_persons_language() -> None:
    query = f'{{ room(name: "{rooms.direct([1, 2]).name}") {{ displayName }} }}'
    for language, name in (("en", "Direct messages"), ("de", "Direktnachrichten")):
        assert await over_http(query, language=language) == {"data": {"room": {"displayName": name}}}


async def test_query_that_is_too_complex_is_refused_in_the_persons_language(settings: Any) -> None:
    settings.CHAT_QUERY_DEPTH = 1
    (error,) = (await over_http("{ rooms { edges { cursor } } }", language="de"))["errors"]
    assert error == {
        "message": "Die Abfrage ist 3 Ebenen tief; 1 sind erlaubt.",
        "extensions": {"code": "query_too_complex"},
    }


async def test_body_that_is_too_long_is_refused_in_the_persons_language(settings: Any) -> None:
    settings.CHAT_BODY_MAX = 1000
    (error,) = (await over_http("#" * 2000, language="de"))["errors"]
    assert error["message"] == "Der Inhalt ist länger als 1.000 Bytes."


async def test_people_of_two_languages_are_told_errors_of_one_batch_in_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are refused by the same call in the database's thread, which neither of them started."""
    reply = {"message": "hello", "reply_to": 1}
    async with browser(language="de") as german, browser(language="en") as english:
        for _ in range(5):
            for socket in (german, english):
                await socket.send_json_to(reply)
        for socket, begin in ((german, "Auf 1 kann niemand antworten"), (english, "Nobody can reply to 1")):
            for _ in range(5):
                frame = await socket.receive_json_from(timeout=5)
                assert frame["error"]["code"] == "no_such_message"
                assert frame["message"].startswith(begin)


async def test_many_people_at_both_doors_never_get_each_others_language() -> None:
    async def at_the_browsers_door(language: str) -> set[str]:
        async with browser(language=language) as socket:
            texts = set()
            for _ in range(20):
                await socket.say(" ")
                texts.add((await socket.receive_json_from(timeout=20))["message"])
            return texts

    async def at_graphqls_door(language: str) -> set[str]:
        async with graphql(language=language) as socket:
            texts = set()
            for number in range(20):
                await socket.start(POST % " ", id=str(number))
                texts.add((await socket.result(str(number)))["data"]["postMessage"]["error"]["message"])
                await socket.receive_json_from(timeout=20)  # complete
            return texts

    languages = ["de", "en"] * 4
    said = await asyncio.gather(*map(at_the_browsers_door, languages), *map(at_graphqls_door, languages))
    assert said == [{EMPTY[language]} for language in languages * 2]
    assert translation.get_language() == settings.LANGUAGE_CODE


def test_language_is_active_only_while_a_text_is_made() -> None:
    with in_language_of({"headers": headers("de")}):
        assert translation.get_language() == "de"
    assert translation.get_language() == settings.LANGUAGE_CODE


async def test_outage_is_told_in_the_persons_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "CALLS_MAX", 0)
    async with browser(language="de") as socket:
        frame = await socket.receive_json_from(timeout=5)
    assert (frame["error"]["code"], frame["message"]) == (
        Unavailable.code,
        "Gerade wird zu viel auf einmal abgefragt. Bitte versuche es gleich noch einmal.",
    )


# Texts that are stored


def member(name: str) -> Person:
    return people.of_user(User.objects.create_user(name))


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "This room was created by anna."), ("de", "Dieser Raum wurde von anna angelegt.")],
)
@pytest.mark.django_db
def test_notice_is_stored_in_the_sites_language(settings: Any, language: str, text: str) -> None:
    settings.LANGUAGE_CODE = language
    with translation.override({"en": "de", "de": "en"}[language]):
        moderation.create(find("room"), private=False, by=member("anna"))
    assert Message.objects.get().text == text


# Pages


@pytest.mark.django_db
def test_page_is_in_the_language_that_the_browser_prefers(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"accept-language": "de-DE,de;q=0.9,en;q=0.5"})
    assert '<html lang="de">' in page.content.decode()
    assert "<h1>Anmelden</h1>" in page.content.decode()
    assert "Benutzername" in page.content.decode()
    assert page["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}


@pytest.mark.django_db
def test_page_that_needs_nobodys_name_varies_by_language_too(client: Client) -> None:
    page = client.get("/nowhere/", headers={"accept-language": "de"})
    assert "Hier ist nichts" in page.content.decode()
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}


@pytest.mark.django_db
def test_admin_pages_are_english_for_everybody(client: Client) -> None:
    page = client.get("/admin/login/", headers={"accept-language": "de"})
    assert '<html lang="en"' in page.content.decode()
    assert "Log in" in page.content.decode()


def test_command_says_in_english_what_is_wrong(settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    with translation.override("de"), pytest.raises(CommandError, match="The message is empty"):
        call_command("say", "room", " ")


@pytest.mark.parametrize("name", ["du", "EIGENTÜMER", "Jemand", "Team der Website"])
def test_names_by_which_german_pages_call_somebody_are_reserved(name: str) -> None:
    assert names.is_reserved(name)


@pytest.mark.django_db
def test_choice_of_a_language_holds_against_what_the_browser_prefers(client: Client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "/chat/?matching=a"})
    assert (answer.status_code, answer["Location"]) == (302, "/chat/?matching=a")
    cookie = answer.cookies["django_language"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("de", "Lax", True)
    page = client.get("/chat/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="de">' in page
    assert "Öffentliche Räume" in page


@pytest.mark.parametrize("language", ["fr", "", "../de", "de" * 1000])
@pytest.mark.django_db
def test_choice_of_an_unknown_language_changes_nothing(client: Client, language: str) -> None:
    client.post("/language/", {"language": language, "next": "/chat/"})
    page = client.get("/chat/", headers={"accept-language": "en"})
    assert '<html lang="en">' in page.content.decode()


@pytest.mark.django_db
def test_choice_of_a_language_leads_to_no_other_site(client: Client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


@pytest.mark.django_db
def test_choice_of_a_language_takes_a_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/language/", {"language": "de"}).status_code == 403


@pytest.mark.parametrize("language", ODD_LANGUAGES, ids=lambda language: ascii(language[:12]))
@pytest.mark.django_db
def test_page_is_shown_to_readers_of_odd_languages(client: Client, language: str) -> None:
    assert client.get("/chat/", headers={"accept-language": language}).status_code == 200


@pytest.mark.django_db
def test_form_says_in_the_readers_language_what_is_wrong(client: Client) -> None:
    page = client.post("/accounts/name/", {"name": "Admin"}, headers={"accept-language": "de"})
    assert "Diesen Namen benutzt die Website selbst." in page.content.decode()


@pytest.mark.django_db
def test_members_page_says_in_the_readers_language_what_went_wrong(client: Client) -> None:
    owner = User.objects.create_user("anna")
    moderation.create(find("room"), private=True, by=people.of_user(owner))
    client.force_login(owner)
    asked = {"do": "set_role", "username": "nobody", "role": "member"}
    page = client.post("/rooms/members/?room=room", asked, headers={"accept-language": "de"}).content.decode()
    assert "Niemand hat ein Konto mit dem Namen „nobody“." in page
    assert '<option value="owner" selected>Eigentümer</option>' in page


def test_error_pages_that_stand_alone_are_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("chat.views.directory.listed", fail)
    monkeypatch.setattr("chat.views.known_rooms", fail)
    monkeypatch.setattr("chat.views.people.of_request", fail)
    client = Client(raise_request_exception=False)
    page = client.get("/chat/", headers={"accept-language": "de"})
    assert page.status_code == 500
    assert "Der Fehler liegt bei uns, nicht bei dir." in page.content.decode()
    assert '<html lang="de">' in page.content.decode()
