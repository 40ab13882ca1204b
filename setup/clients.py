"""Generates the typed clients of examples/ from the schema and their operations: `python -m setup.clients`.

The generators bring hundreds of packages, so that set-up doesn't install them. What they make is in the repository, and
beside it a digest of what it was made from: tests/examples/test_generated.py compares that with what there is today.
"""

import hashlib
import sys
import venv
from pathlib import Path

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    type_from_ast,
    visit,
)

from setup.node import IN_VENV, ROOT, InstallError, provide, run

SCHEMA = ROOT / "gqlchat" / "schema.graphql"
PYTHON = ROOT / "examples" / "typed-python"
TYPESCRIPT = ROOT / "examples" / "typed-typescript"
CONFIGURATION = ("codegen.txt", "pyproject.toml", "codegen.json", "package.json")  # whichever a client has
DIGEST = "generated.sha256"


class UsedTypes(Visitor):
    """Collects the schema's types as far as a document uses them, one fact to a line."""

    def __init__(self, schema: GraphQLSchema, types: TypeInfo) -> None:
        super().__init__()
        self.schema = schema
        self.types = types
        self.facts: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.facts.add(f"{self.types.get_parent_type()}.{node.name.value}: {self.types.get_type()}")
        self.describe(self.types.get_type())

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        self.describe(type_from_ast(self.schema, node.type))

    def describe(self, type_: object) -> None:
        """Adds the values of an enum, or the fields of an input with what their types are."""
        named = get_named_type(type_)  # type: ignore[call-overload]
        if isinstance(named, GraphQLEnumType):
            self.facts.add(f"{named}: {' '.join(sorted(named.values))}")
        elif isinstance(named, GraphQLInputObjectType):
            for name, field in named.fields.items():
                fact = f"{named}.{name}: {field.type}"
                if fact not in self.facts:  # an input may have itself in it
                    self.facts.add(fact)
                    self.describe(field.type)


def used_types(schema: GraphQLSchema, document: DocumentNode) -> str:
    types = TypeInfo(schema)
    used = UsedTypes(schema, types)
    visit(document, TypeInfoVisitor(types, used))
    return "\n".join(sorted(used.facts))


def digest(client: Path) -> str:
    """Of all that decides what the generator makes."""
    operations = (client / "operations.graphql").read_text()
    files = [(client / name).read_text() for name in CONFIGURATION if (client / name).exists()]
    types = used_types(build_schema(SCHEMA.read_text()), parse(operations))
    return hashlib.sha256("\n".join([operations, types, *files]).encode()).hexdigest()


def generate_python() -> None:
    place = ROOT / "var" / "codegen"
    venv.create(place, with_pip=True)
    run(str(place / "bin" / "pip"), "install", "--quiet", "--requirement", str(PYTHON / "codegen.txt"))
    run(str(place / "bin" / "ariadne-codegen"), cwd=PYTHON)


def generate_typescript() -> None:
    npm = provide(IN_VENV)
    run(str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=TYPESCRIPT, path=npm.parent)
    run(str(npm), "run", "codegen", cwd=TYPESCRIPT, path=npm.parent)


def main() -> None:
    for client, generate in ((PYTHON, generate_python), (TYPESCRIPT, generate_typescript)):
        print(f"Generating what is in {client.relative_to(ROOT)}")
        generate()
        (client / DIGEST).write_text(f"{digest(client)}\n")


if __name__ == "__main__":
    try:
        main()
    except InstallError as error:
        sys.exit(f"The clients could not be generated: {error}")
