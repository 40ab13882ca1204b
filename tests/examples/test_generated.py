"""The generated files in examples/ are what the generators make today of the schema and the operations."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from mysite.graphql import schema
from setup.clients import DIGEST, PYTHON, TYPESCRIPT, digest, used_types

each_client = pytest.mark.parametrize("client", [PYTHON, TYPESCRIPT], ids=lambda client: client.name)


@each_client
def test_operations_of_typed_clients_are_valid(client: Path) -> None:
    assert validate(schema._schema, parse((client / "operations.graphql").read_text())) == []


@each_client
def test_generated_clients_are_up_to_date(client: Path) -> None:
    assert (client / DIGEST).read_text().strip() == digest(client), "run `make clients`, which generates them"


def test_used_types_change_with_what_an_operation_uses_and_nothing_else() -> None:
    text = """
        enum Kind { ONE TWO }
        input Where { room: String!, near: Where }
        type Query { message(where: Where): Message, other: Int }
        type Message { kind: Kind!, text: String }
    """
    operation = parse("query Q($where: Where) { message(where: $where) { kind } }")

    def used(old: str, new: str) -> str:
        return used_types(build_schema(text.replace(old, new)), operation)

    now = used("", "")
    assert used("other: Int", "other: String") == used("text: String", "text: String!") == now
    for old, new in (("TWO", "TWO THREE"), ("kind: Kind!", "kind: Kind"), ("room: String!", "room: String")):
        assert used(old, new) != now
