"""Executing an event of a subscription leaves nothing behind that a later one doesn't use."""

import gc

import pytest
from graphql.execution.collect_fields import FieldDetails

from gqlchat.guards.documents import CACHED_LENGTH

QUERY = """subscription { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") {
    message user { name ...Named } origin { process }
} }
fragment Named on Person { id name }"""


def field_details() -> int:
    """The number of FieldDetails that there are: graphql-core makes one for each field that it finds in a selection."""
    gc.collect()
    # By its type: `isinstance` would wake lazy objects, such as those of requests of other tests.
    return sum(issubclass(type(one), FieldDetails) for one in gc.get_objects())


@pytest.mark.parametrize("padding", [0, CACHED_LENGTH], ids=["shared", "own"])
async def test_memory_of_a_subscription_does_not_grow_with_its_events(open_graphql, foreign_send, padding: int) -> None:
    graphql = await open_graphql()
    await graphql.start(QUERY + " " * padding)
    await graphql.result()  # its greeting
    counts = []
    for number in range(6):
        await foreign_send("room1", message=f"message {number}")
        found = (await graphql.result())["data"]["joinChatRooms"]
        assert found == {"message": f"message {number}", "user": None, "origin": None}
        counts.append(field_details())
    assert counts[1] == counts[-1]
