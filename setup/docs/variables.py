"""The environment variables that the site's code reads, found in its source.

The source is read and not run, since a running site reads some variables only where others are set.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from setup.node import ROOT

METHODS = {"str", "secret", "switch", "number", "seconds", "choice", "rate", "networks", "hosts", "origins", "url"}
METHODS |= {"redis_urls", "folder"}


@dataclass(frozen=True)
class Variable:
    """One variable: the form of its values, and its default as one would write it into .env.

    The default is None where the code computes it from something else.
    """

    name: str
    form: str
    default: str | None


def variables() -> dict[str, Variable]:
    """All variables that a module of mysite/ reads by an `Environment`, by their names."""
    found: dict[str, Variable] = {}
    for path in sorted((ROOT / "mysite").glob("*.py")):
        found |= {variable.name: variable for variable in _variables_of(ast.parse(path.read_text()))}
    return found


def _variables_of(tree: ast.AST) -> Iterator[Variable]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=method),
                args=[ast.Constant(value=str(name)), *_],
                keywords=keywords,
            ) if method in METHODS:
                arguments = {str(keyword.arg): _value(keyword.value) for keyword in keywords}
                yield Variable(name, _form(method, arguments), _written(arguments.get("default", "")))


def _value(node: ast.expr) -> object:
    """The value of a literal; None for an expression that has to be computed."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _form(method: str, arguments: dict[str, object]) -> str:
    least = arguments.get("least", 1 if method == "number" else 0)
    limits = f"{least} to {arguments['most']}" if "most" in arguments else f"{least} or more"
    match method:
        case "switch":
            return "`true` or `false`"
        case "number":
            return f"a whole number, {limits}"
        case "seconds":
            return f"a number, {limits}"
        case "choice" | "url":
            words = arguments.get("among", arguments.get("schemes"))
            if not isinstance(words, list):
                return "one of those below"
            return " or ".join(f"`{word}{'://' if method == 'url' else ''}`" for word in words)
        case "networks":
            return "addresses and networks" + (", or `*`" if arguments.get("anybody") else "")
        case "rate":
            return "a rate"
        case "hosts":
            return "names of hosts, or `*`"
        case "origins":
            return "origins"
        case "folder":
            return "a folder"
        case "redis_urls":
            return "URLs"
    return "text"


def _written(default: object) -> str | None:
    """A default as one writes it: true, 25000000, or several with commas between them."""
    match default:
        case None:
            return None
        case bool():
            return str(default).lower()
        case list():
            return ",".join(map(str, default))
    return str(default)
