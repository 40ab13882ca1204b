"""Members of a room and people who are banned from it, as lists and page by page."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from chat import models
from chat.models import Role
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request

MEMBERS = """query ($first: Int! = 50, $after: String) { room(name: "members") {
    membersConnection(first: $first, after: $after) {
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { role user { name } } }
    }
} }"""
BANS = """query ($first: Int! = 50, $after: String) { room(name: "members") {
    bansConnection(first: $first, after: $after) {
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id name } }
    }
} }"""
LISTS = '{ room(name: "members") { members { user { name } } bans { name } } }'


@pytest.fixture(autouse=True)
async def a_room_with_120_members_and_bans(transactional_db: None) -> None:
    def make() -> None:
        here = models.Room.objects.create(name="members", restricted=True)
        User.objects.bulk_create(User(username=f"member {number:03}") for number in range(120))
        for user in User.objects.order_by("pk"):
            here.members.create(user=user, role=Role.OWNER if user.username == "member 000" else Role.MEMBER)
            here.bans.create(person_id=f"guest-{user.pk}", person_name=f"Guest of {user.username}")

    await in_database(make)


async def execute(query: str, person: str = "member 000", **variables: Any) -> Any:
    user = await in_database(User.objects.get, username=person)
    return await schema.execute(query, variables, context_value={"request": Request(user)})


async def page(query: str, **variables: Any) -> dict[str, Any]:
    result = await execute(query, **variables)
    assert not result.errors
    (found,) = result.data["room"].values()
    return found


@pytest.mark.parametrize(("query", "first_name", "last_name"), [(MEMBERS, 0, 119), (BANS, 119, 0)])
async def test_members_and_bans_are_complete_when_paged(query: str, first_name: int, last_name: int) -> None:
    found, after, more = [], None, True
    while more:
        connection = await page(query, first=50, after=after)
        info, edges = connection["pageInfo"], connection["edges"]
        assert info["hasPreviousPage"] is (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        found += [edge["node"].get("name") or edge["node"]["user"]["name"] for edge in edges]
        after, more = info["endCursor"], info["hasNextPage"]
    assert len(found) == len(set(found)) == 120
    assert (found[0][-3:], found[-1][-3:]) == (f"{first_name:03}", f"{last_name:03}")


async def test_lists_of_members_and_bans_end_after_a_hundred() -> None:
    room = (await execute(LISTS)).data["room"]
    assert [len(room["members"]), len(room["bans"])] == [100, 100]
    assert room["members"][0] == {"user": {"name": "member 000"}}
    assert room["bans"][0] == {"name": "Guest of member 119"}


@pytest.mark.parametrize("query", [MEMBERS, BANS])
@pytest.mark.parametrize(
    "asked",
    [
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"first": 1, "after": "a\0"},
        {"first": 1, "after": "\ud800"},
    ],
)
async def test_members_and_bans_with_an_invalid_page_are_an_error(query: str, asked: dict[str, Any]) -> None:
    (error,) = (await execute(query, **asked)).errors
    assert error.extensions == {"code": "invalid_page"}


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", str(2**63), "9" * 99])
async def test_bans_with_a_cursor_that_is_no_number_are_an_error(after: str) -> None:
    (error,) = (await execute(BANS, after=after)).errors
    assert error.extensions == {"code": "invalid_page"}


async def test_bans_are_refused_to_people_who_do_not_moderate() -> None:
    for query in (BANS, '{ room(name: "members") { bans { name } } }'):
        (error,) = (await execute(query, person="member 001")).errors
        assert error.extensions == {"code": "not_allowed"}
    assert len((await execute(MEMBERS, person="member 001")).data["room"]["membersConnection"]["edges"]) == 50
