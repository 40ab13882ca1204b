"""Search in GraphQL."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from chat.domain import people
from chat.domain.files import OCTETS, Attachment
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request

SEARCH = """query ($text: String!, $roomName: String, $username: String, $first: Int! = 50, $after: String) {
    search(text: $text, roomName: $roomName, username: $username, first: $first, after: $after) {
        edges { cursor node { roomName offset message user { name } } excerpt { text isHit } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        isComplete
    }
}"""
BEN = Person(id="user-1002", name="Ben")


@pytest.fixture(autouse=True)
async def said(transactional_db: None) -> None:
    def make() -> None:
        ann = people.of_user(User.objects.create_user(username="ann"))
        drafts = [("a", ann, "a <b>Café</b>"), ("b", ann, "cafe two"), ("a", BEN, "cafe three"), ("b", BEN, "tea")]
        for room, person, text in drafts:
            log.append([log.Draft(room=find(room), text=text, person=person)])

    await in_database(make)


async def execute(**variables: Any) -> Any:
    return await schema.execute(SEARCH, variables, context_value={"request": Request(AnonymousUser())})


async def texts(**variables: Any) -> list[str]:
    result = await execute(**variables)
    assert not result.errors
    return [edge["node"]["message"] for edge in result.data["search"]["edges"]]


async def test_search_finds_messages_with_their_places_and_marks_what_was_looked_for() -> None:
    result = await execute(text="CAFE")
    edges = result.data["search"]["edges"]
    assert [(edge["node"]["roomName"], edge["node"]["offset"]) for edge in edges] == [("a", 2), ("b", 1), ("a", 1)]
    parts = [(part["text"], part["isHit"]) for part in edges[2]["excerpt"]]
    assert parts == [("a <b>", False), ("Café", True), ("</b>", False)]
    assert result.data["search"]["isComplete"] is True


async def test_excerpt_of_a_message_without_a_text_has_the_names_of_its_files() -> None:
    files = tuple(Attachment(str(number) * 32, name, OCTETS, 1) for number, name in enumerate(("a.txt", "Plan.pdf")))
    draft = log.Draft(room=find("a"), text="", person=BEN, attachments=files)
    await in_database(log.append, [draft])
    edge = (await execute(text="plan")).data["search"]["edges"][0]
    assert edge["node"]["message"] == "a.txt\nPlan.pdf"
    assert [(part["text"], part["isHit"]) for part in edge["excerpt"]] == [
        ("a.txt\n", False),
        ("Plan", True),
        (".pdf", False),
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"text": "cafe", "roomName": "a"}, ["cafe three", "a <b>Café</b>"]),
        ({"text": "cafe", "username": "ann"}, ["cafe two", "a <b>Café</b>"]),
        ({"text": "cafe", "username": "ann", "roomName": "b"}, ["cafe two"]),
        ({"text": "cafe in:a", "roomName": "b"}, []),
        ({"text": "cafe from:ben", "username": "ann"}, []),
        ({"text": "", "roomName": "b"}, ["tea", "cafe two"]),
        ({"text": "cafe", "roomName": "nowhere"}, []),
        ({"text": "cafe", "roomName": "a\0"}, []),
        ({"text": "cafe", "username": "nobody"}, []),
        ({"text": ""}, []),
    ],
)
async def test_search_is_narrowed_to_a_room_and_a_person(asked: dict[str, Any], expected: list[str]) -> None:
    assert await texts(**asked) == expected


async def test_search_is_complete_when_paged() -> None:
    found, after, more = [], None, True
    while more:
        result = await execute(text="cafe", first=1, after=after)
        connection = result.data["search"]
        found += [edge["node"]["message"] for edge in connection["edges"]]
        assert connection["pageInfo"]["hasPreviousPage"] is (after is not None)
        after, more = connection["pageInfo"]["endCursor"], connection["pageInfo"]["hasNextPage"]
    assert found == ["cafe three", "cafe two", "a <b>Café</b>"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"text": "x" * 501}, "invalid_search"),
        ({"text": "before:soon"}, "invalid_search"),
        ({"text": "cafe", "first": 0}, "invalid_page"),
        ({"text": "cafe", "first": 101}, "invalid_page"),
        ({"text": "cafe", "after": "nonsense"}, "invalid_page"),
    ],
)
async def test_search_refuses_what_can_not_be_met(asked: dict[str, Any], code: str) -> None:
    result = await execute(**asked)
    assert [error.extensions["code"] for error in result.errors] == [code]


async def test_search_of_a_guest_is_refused_where_people_have_to_log_in(settings: Any) -> None:
    settings.CHAT_GUESTS = False
    result = await execute(text="cafe")
    assert [error.extensions["code"] for error in result.errors] == ["login_required"]
