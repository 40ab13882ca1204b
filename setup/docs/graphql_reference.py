"""The reference of the GraphQL schema, as a part of docs/graphql.md on the site, made from gqlchat/schema.graphql."""

import re
from collections.abc import Iterator, Mapping

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    parse,
    print_ast,
)

from setup.node import ROOT

SECTIONS = {
    "Types": (GraphQLObjectType, GraphQLUnionType),
    "Inputs": (GraphQLInputObjectType,),
    "Enums": (GraphQLEnumType,),
    "Scalars": (GraphQLScalarType,),
}
PROTOCOL = "protocol.md"  # has the examples
HEADING_OR_EXAMPLE = re.compile(
    r"^#{2,4} (?P<heading>[^\n]+)$|^```graphql\n(?P<example>.*?)^```$", re.MULTILINE | re.DOTALL
)


def markdown() -> str:
    schema = build_schema((ROOT / "gqlchat" / "schema.graphql").read_text())
    return "\n\n".join([*_operations(schema), *_types(schema)]) + "\n"


def _operations(schema: GraphQLSchema) -> Iterator[str]:
    examples = examples_of((ROOT / "docs" / PROTOCOL).read_text())
    for title, root in (
        ("Queries", schema.query_type),
        ("Mutations", schema.mutation_type),
        ("Subscriptions", schema.subscription_type),
    ):
        yield f"## {title}"
        for name, field in sorted(root.fields.items()) if root else ():
            yield f"### {name}"
            yield _description(field)
            if field.args:
                yield _list(field.args)
            yield f"Returns {_type(field)}."
            if sections := examples.get(name):
                yield f"Examples: {', '.join(f'[{section}]({PROTOCOL}#{anchor(section)})' for section in sections)}"


def _types(schema: GraphQLSchema) -> Iterator[str]:
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for title, kinds in SECTIONS.items():
        yield f"## {title}"
        for name, one in sorted(schema.type_map.items()):
            if isinstance(one, kinds) and one not in roots and not name.startswith("__"):
                yield f"(type-{name})=\n### {name}"
                yield one.description or f"GraphQL's own `{name}`."
                yield _contents(one)


def _contents(one: GraphQLNamedType) -> str:
    match one:
        case GraphQLObjectType():
            return "\n\n".join([_list(one.fields), *_arguments_of_fields(one)])
        case GraphQLInputObjectType():
            return _list(one.fields)
        case GraphQLUnionType():
            return "One of " + ", ".join(_link(member.name) for member in one.types) + "."
        case GraphQLEnumType():
            return "\n".join(_line(f"`{name}`", value.description or "") for name, value in one.values.items())
    return ""


def _arguments_of_fields(one: GraphQLObjectType) -> Iterator[str]:
    for name, field in one.fields.items():
        if field.args:
            yield f"Arguments of `{name}`:\n\n" + _list(field.args)


def _list(fields: Mapping[str, GraphQLField] | Mapping[str, GraphQLInputField] | Mapping[str, GraphQLArgument]) -> str:
    return "\n".join(_line(f"`{name}` {_type(field)}", _description(field)) for name, field in fields.items())


def _line(what: str, description: str) -> str:
    return f"- {what}: {' '.join(description.split())}" if description else f"- {what}"


def _description(field: GraphQLField | GraphQLInputField | GraphQLArgument) -> str:
    parts = [field.description or ""]
    if default := getattr(field.ast_node, "default_value", None):
        parts.append(f"Default: `{print_ast(default)}`.")
    if field.deprecation_reason:
        parts.append(f"**Deprecated:** {field.deprecation_reason}")
    return "\n\n".join(part for part in parts if part)


def _type(field: GraphQLField | GraphQLInputField | GraphQLArgument) -> str:
    """The type as GraphQL writes it, its name as a link."""
    name = get_named_type(field.type).name
    before, _, after = str(field.type).partition(name)
    return f"{before.replace('[', chr(92) + '[')}{_link(name)}{after.replace(']', chr(92) + ']')}"


def _link(name: str) -> str:
    return f"[{name}](#type-{name})"


def examples_of(page: str) -> dict[str, list[str]]:
    """The headings of a page under which a document asks for a root field, by the names of the fields."""
    found: dict[str, list[str]] = {}
    heading = ""
    for match in HEADING_OR_EXAMPLE.finditer(page):
        heading = match["heading"] or heading
        for name in _root_fields(match["example"] or ""):
            if heading not in found.setdefault(name, []):
                found[name].append(heading)
    return found


def _root_fields(document: str) -> Iterator[str]:
    for definition in parse(document).definitions if document else ():
        if isinstance(definition, OperationDefinitionNode):
            for selection in definition.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield selection.name.value


def anchor(heading: str) -> str:
    """The anchor of a heading, as on GitHub."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
