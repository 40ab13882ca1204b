"""The documentation names files and functions that exist, and its examples are valid.

That its links lead to pages and headings, and that the index has each page, `make check` says: it builds the site.
"""

import ast
import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from chat import frames, received_frames
from chat.domain.events import Kind
from chat.domain.presence import LiveKind
from mysite.graphql import schema
from tests.servers import ROOT

PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
        ROOT / "benchmarks" / "README.md",
        ROOT / ".env.example",
    ]
)
FOLDERS = (
    "benchmarks",
    "chat",
    "deploy",
    "docs",
    "examples",
    "gqlchat",
    "mysite",
    "setup",
    "static",
    "templates",
    "tests",
)
FILES = re.compile(r"[\w.@-]+\.(?:py|js|css|html|md|yml|toml|sh|conf|service|graphql|json|txt|in)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Words with a dot that are neither: files of the embedded Valkey, ASGI's and GraphQL's own names
NOT_CODE = {"users.lock", "keeper.lock", "websocket.close", "extensions.persistedQuery"}
OTHERS = {"redis.conf", "position.json"}  # files that aren't the repository's
README_MAX = 180  # lines
PAGE_MAX = 350  # lines of a page about the architecture


SNIPPET = re.compile(r"# (tests/[\w/]+\.py)\n(.*)", re.DOTALL)
LEFT_OUT = re.compile(r"\n+ *# …\n+")


def page_ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=page_ids)


def quoted(page: Path) -> list[str]:
    """The texts between backticks of a page, outside of blocks of code."""
    prose = FENCE.sub("", page.read_text())
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]


@cache
def known_paths() -> set[str]:
    """The repository's files, but what is installed or made."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for path in listed.splitlines() if (ROOT / path).exists()}


def missing_paths(page: Path) -> Iterator[str]:
    known = known_paths()
    names = {Path(path).name for path in known}
    for word in quoted(page):
        path = word.partition("::")[0]
        if re.fullmatch(r"[\w.@/*-]+", path) is None:
            continue
        if path.split("/")[0] in FOLDERS and "/" in path:
            if not list(ROOT.glob(path)):
                yield path
        elif FILES.fullmatch(path) and path not in names | OTHERS:
            yield path


@each_page
def test_paths_in_backticks_exist(page: Path) -> None:
    assert list(missing_paths(page)) == []


@cache
def site_names() -> dict[str, set[str]]:
    """The names that are defined in each module and class of the site; in a class, those of its bases too."""
    names: dict[str, set[str]] = defaultdict(set)
    bases: dict[str, set[str]] = defaultdict(set)
    for package in ("chat", "gqlchat", "mysite"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text())
            names[path.stem] |= names_in(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    names[node.name] |= names_in(node)
                    bases[node.name] |= {ast.unparse(base).partition("[")[0] for base in node.bases}
    return {name: own.union(*(names.get(base, ()) for base in bases[name])) for name, own in [*names.items()]}


def names_in(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
    return found


@each_page
def test_functions_in_backticks_and_diagrams_exist(page: Path) -> None:
    names = site_names()
    diagrams = " ".join(text for language, text in FENCE.findall(page.read_text()) if language == "mermaid")
    words = {*quoted(page), *re.findall(r"\b[A-Za-z_]+\.[A-Za-z_]+\b", diagrams)} - NOT_CODE
    for word in words:
        match = re.fullmatch(r"(?:\w+\.)*(\w+)\.([A-Za-z_]+)(?:\(.*\))?", word)
        if match and match[1] in names and not FILES.fullmatch(word):
            assert match[2] in names[match[1]], word


@each_page
def test_graphql_documents_are_valid(page: Path) -> None:
    blocks = [text for language, text in FENCE.findall(page.read_text()) if language == "graphql"]
    for block in blocks:
        assert validate(schema._schema, parse(block)) == [], block


def examples_of_frames() -> list[dict[str, Any]]:
    """The frames in the protocol's section about the browser's socket, both ways."""
    _, _, section = (ROOT / "docs" / "protocol.md").read_text().partition("\n## The browser's socket\n")
    section, _, _ = section.partition("\n## ")
    decoder, frames = json.JSONDecoder(), []
    for rest in [text.strip() for language, text in FENCE.findall(section) if language == "json"]:
        while rest:
            frame, end = decoder.raw_decode(rest)
            frames.append(frame)
            rest = rest[end:].strip()
    return frames


def keys_of(value: Any) -> Iterator[str]:
    """The keys of JSON's objects, and of those within them."""
    if isinstance(value, dict):
        yield from value
        value = value.values()
    if not isinstance(value, str | int | None):
        for one in value:
            yield from keys_of(one)


def test_protocol_has_an_example_of_each_frame_of_the_browser() -> None:
    received = [frame for frame in examples_of_frames() if not {"kind", "pong"} & frame.keys()]
    assert {received_frames.purpose_of(frame) for frame in received} == {*received_frames.PURPOSES}


def test_protocol_has_an_example_of_each_frame_to_the_browser_and_its_keys() -> None:
    sent = [frame for frame in examples_of_frames() if "kind" in frame]
    answers = set(re.findall(r'"kind": "(\w+)"', Path(frames.__file__).read_text()))
    assert {frame["kind"] for frame in sent} == {*Kind, *LiveKind, *answers}
    written = set(re.findall(r'"(\w+)":', Path(frames.__file__).read_text()))
    assert written - {*keys_of(examples_of_frames())} == set()


def test_python_programs_of_the_readme_compile() -> None:
    for language, text in FENCE.findall((ROOT / "README.md").read_text()):
        if language == "python":
            compile(text, "README.md", "exec")


def test_readme_is_at_most_180_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_MAX


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "architecture" in page.relative_to(ROOT).as_posix()], ids=page_ids
)
def test_architecture_pages_are_at_most_350_lines(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= PAGE_MAX


def test_index_of_decisions_lists_every_adr() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    decisions = {path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    assert set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", index)) == decisions


def test_snippets_that_name_a_file_are_parts_of_it() -> None:
    fences = FENCE.findall((ROOT / "docs" / "extending.md").read_text())
    snippets = [found for language, text in fences if language == "python" and (found := SNIPPET.fullmatch(text))]
    assert len(snippets) > 10
    for snippet in snippets:
        code = (ROOT / snippet[1]).read_text()
        for part in LEFT_OUT.split(snippet[2].rstrip()):
            assert part in code, f"{snippet[1]} is not as docs/extending.md shows it: {part}"
