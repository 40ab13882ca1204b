"""The page of search, as it comes from the server."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import escape

from chat import models
from chat.domain import people
from chat.domain.files import Attachment
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import direct_rooms, log

ANN = Person(id="user-1001", name="Ann")

pytestmark = pytest.mark.django_db


def say(*texts: str, room: str = "room 1/2") -> None:
    log.append([log.Draft(room=find(room), text=text, person=ANN) for text in texts])


def search(client: Client, **asked: object) -> str:
    return client.get("/search/", asked).content.decode()


def test_page_marks_what_was_looked_for_and_leads_to_its_place(client: Client) -> None:
    say("nothing", "a <b>CAFÉ</b> & more", "cafeteria")
    page = search(client, q="cafe")
    assert "a &lt;b&gt;<mark>CAFÉ</mark>&lt;/b&gt; &amp; more" in page
    assert 'href="/chat/room%201%2F2/?at=2"' in page
    assert "cafeteria" not in page


def test_page_shows_the_files_of_a_hit_and_marks_their_names(client: Client) -> None:
    say("")
    files = [Attachment(uuid4().hex, name, "application/pdf", 1).as_json() for name in ("Cafés.pdf", "<b>")]
    models.Message.objects.update(attachments=files)
    page = search(client, q="cafes")
    assert '<li dir="auto"><mark>Cafés</mark>.pdf</li><li dir="auto">&lt;b&gt;</li>' in page


def test_page_leads_to_older_results_and_back(client: Client) -> None:
    say(*(f"fox {number}" for number in range(35)))
    first = client.get("/search/", {"q": "fox"})
    assert [hit["event"].offset for hit in first.context["hits"]] == [*range(35, 5, -1)]
    second = client.get("/search/" + first.context["older_url"])
    assert [hit["event"].offset for hit in second.context["hits"]] == [*range(5, 0, -1)]
    assert second.context["older_url"] == ""


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({}, 200, "How to search"),
        ({"q": " "}, 200, "How to search"),
        ({"q": "zebra"}, 200, "No message has all of that"),
        ({"q": "*"}, 200, "Say a word to look for"),
        ({"q": "before:tomorrow fox"}, 400, "takes a day"),
        ({"q": "x" * 10_000}, 400, "too long"),
        ({"q": '"><script>alert(1)</script>'}, 200, "&quot;&gt;&lt;script&gt;"),
        ({"q": "fox", "after": "nonsense"}, 200, "Found 1 message"),
        ({"q": "fox", "after": "-1"}, 200, "Found 1 message"),
        ({"q": "fox", "after": "1"}, 200, "Nothing older was found"),
        ({"q": "fox\0"}, 200, "Found 1 message"),
        ({"room": "room 1/2"}, 200, "Only in <strong><bdi>room 1/2</bdi></strong>."),
        ({"room": "<b>"}, 200, "Only in <strong><bdi>&lt;b&gt;</bdi></strong>."),
        ({"room": "room 1/2", "q": "fox"}, 200, "Found 1 message"),
        ({"room": 'a"b', "q": "fox"}, 200, "No message has all of that"),
        ({"room": "x" * 101, "q": "fox"}, 200, "Found 1 message"),
        ({"room": "..", "q": "fox"}, 200, "Found 1 message"),
        ({"room": "a\0b", "q": "fox"}, 200, "Found 1 message"),
    ],
)
def test_page_answers_whatever_is_asked(client: Client, asked: dict, status: int, words: str) -> None:
    say("fox")
    response = client.get("/search/", asked)
    assert response.status_code == status
    assert words in response.content.decode()


def test_page_stays_in_a_room_of_any_name_until_all_are_searched(client: Client) -> None:
    name = 'say "hi" & bye'
    say(*(f"fox {number}" for number in range(35)), room=name)
    say("fox elsewhere")
    first = client.get("/search/", {"q": "fox", "room": name})
    assert f'<input type="hidden" name="room" value="{escape(name)}">' in first.content.decode()
    assert {hit["room_name"] for hit in first.context["hits"]} == {name}
    second = client.get("/search/" + first.context["older_url"])
    assert [hit["room_name"] for hit in second.context["hits"]] == [name] * 5
    everywhere = client.get("/search/" + second.context["everywhere_url"])
    assert everywhere.context["hits"][0]["event"].message == "fox elsewhere"


def test_page_shows_a_direct_room_by_the_others_names_to_its_people_alone(client: Client) -> None:
    ann, zoe = (User.objects.create_user(username=name) for name in ("ann", "zoe"))
    members = [people.of_user(ann), people.of_user(zoe)]
    room = direct_rooms.room_of(members)
    direct_rooms.make(room, members)
    client.force_login(ann)
    assert "Only in <strong><bdi>zoe</bdi></strong>" in search(client, room=room.name)
    client.force_login(User.objects.create_user(username="eve"))
    page = search(client, room=room.name, q="fox")
    assert "zoe" not in page
    assert "No message has all of that" in page


def test_page_of_a_site_without_guests_asks_for_a_login(client: Client, settings: object) -> None:
    settings.CHAT_GUESTS = False  # type: ignore[attr-defined]
    assert client.get("/search/", {"q": "fox"})["Location"].startswith("/accounts/login/")


def test_page_says_when_to_search_again_after_too_many_searches(client: Client, settings: object) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_SEARCH = True, "2/m"  # type: ignore[attr-defined]
    answers = [client.get("/search/", {"q": "fox"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0
