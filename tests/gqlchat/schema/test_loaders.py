"""The number of queries of an operation does not grow with its rooms and fields."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.models import Role
from chat.storage import log
from chat.storage.database import in_database
from gqlchat.schema import loaders, rooms
from mysite.graphql import schema

ROOMS = 100


@pytest.fixture
def filled(transactional_db: None) -> None:
    """A hundred rooms with three messages, two members and a ban each; every second one is private."""
    ann = get_user_model().objects.create(username="ann")
    bob = get_user_model().objects.create(username="bob")
    person = Person(id=f"user-{ann.pk}", name="ann")
    for number in range(ROOMS):
        name = f"room {number:02}"
        log.append([log.Draft(room=Room(name), text=str(text), person=person) for text in range(3)])
        here = models.Room.objects.get(name=name)
        here.members.create(user=ann, role=Role.OWNER)
        here.members.create(user=bob, role=Role.MEMBER)
        here.bans.create(person_id="guest-0123456789abcdef", person_name="Mallory")
        here.is_private, here.restricted = bool(number % 2), True
        here.save()


class Counted:
    """The queries of an operation."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.hops: list[Any] = []


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with counting() as counted`: collects the queries of the block."""

    @asynccontextmanager
    async def count() -> AsyncIterator[Counted]:
        counted = Counted()

        async def hop(function: Any, *args: Any, **kwargs: Any) -> Any:
            def count() -> Any:
                with CaptureQueriesContext(connection) as captured:
                    result = function(*args, **kwargs)
                counted.queries += [query["sql"] for query in captured.captured_queries]
                return result

            counted.hops.append(function)
            return await in_database(count)

        with monkeypatch.context() as patch:
            patch.setattr(loaders, "in_database", hop)
            patch.setattr(rooms, "in_database", hop)
            yield counted

    return count


async def ask(query: str, person: str = "ann") -> dict[str, Any]:
    user = await in_database(get_user_model().objects.get, username=person)
    user.backend = ""
    result = await schema.execute(query, context_value={"request": Request(user)})
    assert not result.errors
    return result.data


class Request:
    def __init__(self, user: Any) -> None:
        self.scope = {"type": "http", "user": user, "headers": [], "client": ("127.0.0.1", 1)}


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("fields", "queries", "hops"),
    [
        ("lastOffset", 1 + 2, 2),
        ("isPrivate role", 1 + 1, 2),
        (" ".join(f"a{number}: lastOffset" for number in range(20)), 1 + 2, 2),
        (" ".join(f"a{number}: {('isPrivate', 'role', 'lastOffset')[number % 3]}" for number in range(20)), 1 + 3, 3),
        ("messages(last: 2) { edges { node { message } } }", 1 + 2, 2),
        ("messages(last: 25) { edges { node { message } } }", 1 + 3 * 2, 4),
        ("lastOffset isPrivate role messages(first: 2) { edges { cursor } }", 1 + 3 + 2, 4),
    ],
)
async def test_fields_of_a_hundred_rooms_take_one_query_per_kind(
    counting: Any, fields: str, queries: int, hops: int
) -> None:
    async with counting() as counted:
        found = (await ask(f"{{ rooms(first: 100) {{ edges {{ node {{ name {fields} }} }} }} }}"))["rooms"]["edges"]
    assert len(found) == ROOMS
    asked = [sql for sql in counted.queries if "chat_" in sql]
    assert len(asked) == queries, asked
    assert len(counted.hops) == hops


@pytest.mark.usefixtures("filled")
async def test_members_and_bans_of_many_rooms_take_two_queries_each(counting: Any) -> None:
    query = """{ rooms(first: 10) { edges { node {
        membersConnection(first: 5) { edges { node { role user { name } } } }
        bansConnection(first: 5) { edges { node { name } } }
    } } } }"""
    async with counting() as counted:
        found = (await ask(query))["rooms"]["edges"]
    assert len(counted.hops) == 3
    assert len([sql for sql in counted.queries if "chat_" in sql]) == 1 + 2 + 2
    for edge in found:
        members = [member["node"] for member in edge["node"]["membersConnection"]["edges"]]
        assert members == [
            {"role": "OWNER", "user": {"name": "ann"}},
            {"role": "MEMBER", "user": {"name": "bob"}},
        ]
        assert [ban["node"]["name"] for ban in edge["node"]["bansConnection"]["edges"]] == ["Mallory"]


@pytest.mark.usefixtures("filled")
async def test_fields_of_many_rooms_equal_those_of_single_rooms(counting: Any) -> None:
    fields = """name isPrivate role lastOffset
        members { role user { name } } a: membersConnection(first: 1) { pageInfo { hasNextPage } edges { cursor } }
        messages(last: 2) { pageInfo { hasPreviousPage hasNextPage } edges { cursor node { message } } }
        b: messages(first: 1, after: "1") { pageInfo { hasPreviousPage hasNextPage } edges { node { message } } }"""
    together = (await ask(f"{{ rooms(first: 7) {{ edges {{ node {{ {fields} }} }} }} }}"))["rooms"]["edges"]
    for edge in together:
        name = edge["node"]["name"]
        assert (await ask(f'{{ room(name: "{name}") {{ {fields} }} }}'))["room"] == edge["node"]


@pytest.mark.usefixtures("filled")
async def test_forbidden_room_is_an_error_beside_the_fields_of_others() -> None:
    await in_database(get_user_model().objects.create, username="stranger")
    user = await in_database(get_user_model().objects.get, username="stranger")
    query = '{ open: room(name: "room 02") { lastOffset } shut: room(name: "room 03") { lastOffset } }'
    result = await schema.execute(query.replace("shut:", "shut:"), context_value={"request": Request(user)})
    assert [error.path for error in result.errors] == [["shut", "lastOffset"]]
    assert result.errors[0].extensions == {"code": "not_a_member"}


async def test_each_operation_has_loaders_of_its_own(open_graphql, subprotocol: str, foreign_send) -> None:
    graphql = await open_graphql(subprotocol)
    query = 'query { room(name: "own") { lastOffset } }'
    await graphql.start(query)
    assert (await graphql.result())["data"]["room"]["lastOffset"] == 0
    assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.start('mutation { sendChatMessage(message: "hi", room: {roomName: "own"}) }', id="2")
    await graphql.result("2")
    assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.start(query, id="3")
    assert (await graphql.result("3"))["data"]["room"]["lastOffset"] == 1
