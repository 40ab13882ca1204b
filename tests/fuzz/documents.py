"""GraphQL operations made from the schema, and twisted: aliases, fragments, directives and variables, right or not."""

import itertools
from pathlib import Path
from random import Random
from typing import Any

import hypothesis_graphql
from graphql import (
    FieldNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    parse_value,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from hypothesis import strategies as st

from tests.fuzz.text import mutated, texts, values

SDL = (Path(__file__).resolve().parents[2] / "gqlchat" / "schema.graphql").read_text()
SCHEMA = build_schema(SDL)
ROOM = "fuzz"  # where somebody listens
OWN_ROOM = "fuzz of one's own"  # whose owner the attacker is
TYPES = ["String", "String!", "Int", "ID", "Boolean!", "ChatRoom", "[RoomPosition!]!", "Nope", "Query", "Void"]
DIRECTIVES = [
    "@skip(if: false)",
    "@include(if: true)",
    "@skip(if: true)",
    "@nope",
    "@include",
    "@deprecated",
    "@skip(if: $v1)",
]
HOSTILE = [
    "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
    "query Q { ...Q } fragment Q on Query { ...Q }",
    "{ me { ...A } } fragment A on Person { ...B } fragment B on Person { name ...A }",
    "{ " + " ".join(f"a{number}: __typename" for number in range(300)) + " }",
    "{ " + "__typename " * 2000 + "}",
    "{ __typename " + "@skip(if: false) " * 500 + "}",
    "{ room(name: " + "[" * 2000 + "]" * 2000 + ") { name } }",
    "{ " + "room { " * 2000 + "}" * 2001,
    "query ($v: " + "[" * 500 + "Int" + "]" * 500 + ") { __typename }",
    '{ room(name: """' + '\\"""' * 200 + '""") { name } }',
    "subscription { a: __typename }",
    'subscription { joinChatRooms(rooms: {roomName: "b"}, user: "c") { roomName } roomMessages(rooms: []) { id } }',
    'subscription { roomMessages(rooms: [{roomName: "b", after: 99999999999999999999}]) { id } }',
    'subscription { roomMessages(rooms: [{roomName: "b", after: -1}]) { id } }',
    "mutation { __typename } query { __typename }",
    "type Query { a: Int }",
    "extend schema @nope",
    "#" * 50_000,
    "\ufeff{ __typename }",
    "{ \ud800 }",
]


class Twist(Visitor):
    """Changes an operation here and there. Its additions are in `fragments`, and in `types` and `values` by variable.

    Tame, it keeps a valid operation valid; else it doesn't care.
    """

    def __init__(self, random: Random, info: TypeInfo, *, tame: bool) -> None:
        super().__init__()
        self.random = random
        self.info = info
        self.tame = tame
        self.aliases = itertools.count()
        self.fragments: list[str] = []
        self.types: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def goes_wrong(self) -> bool:
        return not self.tame and self.happens(0.2)

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
        alias = directive = ""
        if self.happens(0.2):
            alias = f"a{next(self.aliases)}:" if self.tame else self.random.choice(["a:", "b:", "message:", "__c:"])
        if self.happens(0.15):
            directive = self.random.choice(DIRECTIVES[:2] if self.tame else DIRECTIVES)
        selection, kind = node.selection_set, get_named_type(self.info.get_type())
        inner = print_ast(selection) if selection else ""
        if kind and inner and self.happens(0.2):
            name = f"F{len(self.fragments)}"
            itself = f" ...{name}" if self.goes_wrong() else ""
            on = self.random.choice(TYPES).strip("[]!") if self.goes_wrong() else kind.name
            self.fragments.append(f"fragment {name} on {on} {inner[:-1]}{itself} }}")
            inner = f"{{ ...{name} ...{name} }}"
        elif inner and self.happens(0.2):
            inner = f"{{ ... {directive} {inner} {inner[1:-1]} }}"
        arguments = f"({', '.join(map(print_ast, node.arguments))})" if node.arguments else ""
        text = f"{{ {alias} {node.name.value} {arguments} {directive} {inner} }}"
        (operation,) = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        (field,) = operation.selection_set.selections
        assert isinstance(field, FieldNode)
        return field

    def leave_string_value(self, node: ValueNode, *_: Any) -> ValueNode | None:
        return parse_value(f'"{self.random.choice([ROOM, OWN_ROOM])}"') if self.happens(0.4) else self.leave_value(node)

    def leave_int_value(self, node: ValueNode, *_: Any) -> ValueNode | None:
        return self.leave_value(node)

    def leave_value(self, node: ValueNode) -> ValueNode | None:
        if not self.happens(0.3):
            return None
        name = f"v{len(self.types)}"
        self.types[name] = self.random.choice(TYPES) if self.goes_wrong() else str(self.info.get_input_type())
        self.values[name] = value_from_ast_untyped(node)
        return parse_value(f"${name}")


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """Payloads of GraphQL: `query`, `variables` and `operationName`, as JSON has them."""
    kind = draw(st.sampled_from([OperationType.QUERY, OperationType.MUTATION, OperationType.SUBSCRIPTION]))
    text = draw(MADE[kind]).strip().removeprefix("mutation")
    (operation,) = parse(f"{kind.value} {text}", no_location=True).definitions
    info = TypeInfo(SCHEMA)
    tame = draw(st.booleans())
    twist = Twist(Random(draw(st.integers(0, 2**32))), info, tame=tame)
    selection = visit(operation, TypeInfoVisitor(info, twist)).selection_set
    assert isinstance(selection, SelectionSetNode)
    declared = ", ".join(f"${name}: {type}" for name, type in twist.types.items())
    query = "\n".join(
        [f"{kind.value} Q {f'({declared})' if declared else ''} {print_ast(selection)}", *twist.fragments]
    )
    wrong = {} if tame else draw(st.dictionaries(st.sampled_from([*twist.values, "x"]), values, max_size=1))
    name = draw(st.sampled_from([None, "Q"]) if tame else st.sampled_from([None, "Q", "P"]) | texts)
    return {"query": query, "variables": twist.values | wrong, "operationName": name}


MADE = {
    OperationType.QUERY: hypothesis_graphql.queries(SDL),
    OperationType.MUTATION: hypothesis_graphql.mutations(SDL),
    # The library makes no subscriptions, but it takes them for queries.
    OperationType.SUBSCRIPTION: st.sampled_from([*SCHEMA.subscription_type.fields]).flatmap(
        lambda field: hypothesis_graphql.queries(f"{SDL}\nschema {{ query: Subscription }}", fields=[field])
    ),
}
hostile = st.integers(0, len(HOSTILE) - 1).map(HOSTILE.__getitem__)  # by number, as a failure would list them all
documents = hostile | mutated(operations().map(lambda operation: operation["query"]))
payloads = operations() | operations() | documents.map(lambda query: {"query": query})
