"""No field of GraphQL and no frame is open to a token without the scope for it, those included that come yet."""

import json
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)

from chat.domain.grants import Scope
from chat.received_frames import PURPOSES
from chat.receiving import READING
from mysite.graphql import schema
from tests.tokens import Program, program
from tests.uploads import ask

VALUES: dict[str, Any] = {"String": "room1", "Int": 1, "ID": "user-1", "Boolean": True, "Float": 1.0}
FOR_ANYBODY = {"ping", "me"}  # frames that tell nothing but who one is
# Frames that a key alone doesn't make complete.
FRAMES: dict[str, dict[str, Any]] = {
    "edit": {"edit": 1, "message": "hi"},
    "message": {"message": "hi"},
    "react": {"react": 1, "emoji": "👍", "on": True},
    "remove_preview": {"remove_preview": 1, "url": "http://a.example"},
    "complete": {"complete": "a"},
    "read_all": {"read_all": True},
    "typing": {"typing": True},
    "involvement": {"involvement": "all"},
    "leave": {"leave": "room1"},
    "ignore": {"ignore": "user-1", "on": True},
    "visible": {"visible": True},
    "reports": {"reports": True},
}


def example(type: Any) -> Any:
    """A value of an input type, with all that is required."""
    if isinstance(type, GraphQLNonNull):
        return example(type.of_type)
    if isinstance(type, GraphQLList):
        return [example(type.of_type)]
    if isinstance(type, GraphQLEnumType):
        return next(iter(type.values))
    if isinstance(type, GraphQLInputObjectType):
        needed = {name: one for name, one in type.fields.items() if is_required_input_field(one)}
        return {name: example(one.type) for name, one in needed.items()}
    return VALUES[type.name]


def document(kind: str, name: str, field: GraphQLField) -> tuple[str, dict[str, Any]]:
    """An operation of that field alone, and its variables."""
    needed = {key: one for key, one in field.args.items() if isinstance(one.type, GraphQLNonNull)}
    given = ", ".join(f"${key}: {one.type}" for key, one in needed.items())
    passed = ", ".join(f"{key}: ${key}" for key in needed)
    declared, used = (f"({given})", f"({passed})") if needed else ("", "")
    returned = get_named_type(field.type)
    selected = (
        "" if is_leaf_type(returned) else "{ error { code } }" if "error" in returned.fields else "{ __typename }"
    )
    return f"{kind}{declared} {{ {name}{used} {selected} }}", {key: example(one.type) for key, one in needed.items()}


async def codes(token: Program, query: str, variables: dict[str, Any]) -> set[str]:
    headers = {"content-type": "application/json", "cookie": "", "authorization": token.authorization}
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = (await ask("POST", "/graphql", None, headers, [body])).json
    found = {error["extensions"]["code"] for error in answer.get("errors", ())}
    for field in (answer.get("data") or {}).values():
        if isinstance(field, dict) and field.get("error"):
            found.add(field["error"]["code"])
    return found


SUBSCRIPTIONS = schema.core.subscription_type.fields  # type: ignore[union-attr]
MUTATIONS = schema.core.mutation_type.fields  # type: ignore[union-attr]
QUERIES = schema.core.query_type.fields  # type: ignore[union-attr]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_mutation_is_refused_to_a_token_for_reading(name: str) -> None:
    token = await program(scopes=[Scope.READ])
    assert await codes(token, *document("mutation", name, MUTATIONS[name])) == {"insufficient_scope"}


@pytest.mark.parametrize("name", QUERIES)
async def test_query_is_refused_to_a_token_that_is_not_for_reading(name: str) -> None:
    token = await program(scopes=[Scope.WRITE, Scope.MODERATE])
    assert await codes(token, *document("query", name, QUERIES[name])) == {"insufficient_scope"}


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_subscription_is_refused_to_a_token_that_is_not_for_reading(open_graphql: Any, name: str) -> None:
    token = await program(scopes=[Scope.WRITE, Scope.MODERATE])
    socket = await open_graphql(headers=token.headers)
    await socket.start(*document("subscription", name, SUBSCRIPTIONS[name]))
    frame = await socket.receive_json_from(timeout=5)
    errors = frame["payload"] if frame["type"] == "error" else frame["payload"]["errors"]
    assert [error["extensions"]["code"] for error in errors] == ["insufficient_scope"]


@pytest.mark.parametrize("purpose", sorted({*PURPOSES} - READING - FOR_ANYBODY))
async def test_frame_is_refused_to_a_token_for_reading(open_chat: Any, purpose: str) -> None:
    token = await program(scopes=[Scope.READ])
    socket = await open_chat("/ws/chat/room1/", headers=token.headers)
    await socket.send_json_to(FRAMES.get(purpose, {purpose: 1}))
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "insufficient_scope"
