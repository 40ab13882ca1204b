"""GraphiQL's examples run as they are, one after the other, and there is one for each field."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from graphql import FieldNode, OperationDefinitionNode, parse

from chat.storage.database import in_database
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request

FILE = Path(__file__).resolve().parents[2] / "static" / "graphiql" / "examples.graphql"
# On a new site, where all messages are one's own, this one says why nothing was done.
NOT_DONE = {"Report": "not_allowed"}


def operations() -> dict[str, str]:
    """The examples by the names of their operations, in the order of the file."""
    groups = re.split(r"^## .*\n", FILE.read_text(), flags=re.MULTILINE)[1:]
    queries = [query for group in groups for query in re.split(r"\n\n(?=# )", group.strip())]
    return {operation(query).name.value: query for query in queries}  # type: ignore[union-attr]


def operation(query: str) -> OperationDefinitionNode:
    (definition,) = parse(query).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition


def test_each_field_of_the_schema_has_an_example_in_graphiql() -> None:
    fields = {
        (one.operation.value, field.name.value)
        for one in map(operation, operations().values())
        for field in one.selection_set.selections
        if isinstance(field, FieldNode)
    }
    core = schema.core
    assert fields == {
        (name, field)
        for name, root in [
            ("query", core.query_type),
            ("mutation", core.mutation_type),
            ("subscription", core.subscription_type),
        ]
        for field in root.fields  # type: ignore[union-attr]
    }


@pytest.fixture
async def ann(transactional_db: None) -> Any:
    return await in_database(get_user_model().objects.create, username="ann")


async def test_examples_in_graphiql_run_as_they_are(ann: Any) -> None:
    ben = await in_database(get_user_model().objects.create, username="ben")
    outcomes = {}
    for name, query in operations().items():
        if operation(query).operation.value != "subscription":
            query = query.replace('"user-2"', f'"user-{ben.pk}"')
            result = await schema.execute(query, context_value={"request": Request(ann)})
            assert not result.errors, (name, result.errors)
            payload = next(iter(result.data.values()))
            if isinstance(payload, dict) and payload.get("error"):
                outcomes[name] = payload["error"]["code"]
    assert outcomes == NOT_DONE


async def test_subscriptions_among_graphiqls_examples_are_heard(open_graphql: Any) -> None:
    socket = await open_graphql()
    for name, query in operations().items():
        if operation(query).operation.value == "subscription":
            await socket.subscribe(query, id=name)
    while not socket.output_queue.empty():
        frame = await socket.receive_json_from(timeout=5)
        assert (frame["type"], "errors" in frame["payload"]) == ("next", False), frame
