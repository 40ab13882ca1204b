"""The reference of the settings, as a part of docs/settings.md on the site.

Texts and defaults are those of .env.example; what values may be is found in the code that reads them. Where the two
don't name the same variables, or not the same defaults, there is no reference, and the build fails.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from setup.docs.variables import Variable, variables
from setup.node import ROOT

SECTION = re.compile(r"^# --- (.+?) -+$")
ASSIGNMENT = re.compile(r"^#(\w+)=(.*)$")
# Read by the Procfile and the Makefile, or by compose.yaml, and not by the site's code
SERVERS = [
    Variable("HOST", "an address", "127.0.0.1"),
    Variable("SITE_DOMAIN", "a name", ""),
    Variable("POSTGRES_PASSWORD", "letters, digits, `-` and `_`", ""),
]


@dataclass(frozen=True)
class Group:
    """Variables that .env.example explains together, with their defaults, and the section that they are in."""

    section: str
    text: str
    defaults: dict[str, str]


def groups(example: str) -> Iterator[Group]:
    """The variables of .env.example in their order. Anything else in it raises ValueError."""
    section = ""
    for block in re.split(r"\n{2,}", example.strip()):
        lines = block.splitlines()
        if heading := SECTION.match(lines[0]):
            section = heading[1]
        elif section:
            text = [line.removeprefix("#").removeprefix(" ") for line in lines if not ASSIGNMENT.match(line)]
            assignments = [(found[1], found[2]) for line in lines if (found := ASSIGNMENT.match(line))]
            if not assignments or any(not line.startswith("#") for line in lines):
                raise ValueError(f"not an explained variable that is commented out: {block}")
            yield Group(section, "\n".join(text), dict(assignments))


def problems(explained: list[Group]) -> list[str]:
    """Where .env.example and the code differ, a line for each."""
    read = variables() | {variable.name: variable for variable in SERVERS}
    example = {name: default for group in explained for name, default in group.defaults.items()}
    lines = [
        f"{name} is read by the code, and .env.example doesn't explain it" for name in read.keys() - example.keys()
    ]
    lines += [f"{name} is in .env.example, and nothing reads it" for name in example.keys() - read.keys()]
    for name in read.keys() & example.keys():
        default = read[name].default
        if default is not None and example[name] != default:
            lines.append(f"{name} is {default!r} by default, and {example[name]!r} in .env.example")
    return sorted(lines)


def markdown() -> str:
    explained = [*groups((ROOT / ".env.example").read_text())]
    if lines := problems(explained):
        raise ValueError("; ".join(lines))
    forms = {variable.name: variable.form for variable in (*SERVERS, *variables().values())}
    section, parts = "", []
    for group in explained:
        if group.section != section:
            section = group.section
            parts.append(f"## {section}")
        parts.append("### " + ", ".join(f"`{name}`" for name in group.defaults))
        parts.append("\n".join(f"- `{name}={default}`: {forms[name]}" for name, default in group.defaults.items()))
        parts.append(_prose(group.text, forms))
    return "\n\n".join(parts) + "\n"


def _prose(text: str, names: Collection[str]) -> str:
    """The text as Markdown: variables in code, indented lines as a block, `Default:` begins a paragraph."""
    pieces = text.split("`")
    for number in range(0, len(pieces), 2):  # those that aren't code already
        plain = re.sub(r"([*<\[])", r"\\\1", pieces[number])
        pieces[number] = re.sub(r"\w+", lambda found: f"`{found[0]}`" if found[0] in names else found[0], plain)
    marked = re.sub(r"\s+(Default: )", r"\n\n\1", "`".join(pieces))
    return re.sub(r"^  (\S.*)$", r"\n```sh\n\1\n```\n", marked, flags=re.MULTILINE)
