"""The documentation names files, functions, settings and anchors that exist."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "benchmarks" / "README.md",
        ROOT / ".env.example",
    ]
)
FOLDERS = ("benchmarks", "chat", "deploy", "docs", "gqlchat", "mysite", "setup", "static", "templates", "tests")
FILES = re.compile(r"[\w.@-]+\.(?:py|js|css|html|md|yml|toml|sh|conf|service|graphql|json|txt|in)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Words with a dot that are neither: files of the embedded Valkey, ASGI's and GraphQL's own names
NOT_CODE = {"users.lock", "keeper.lock", "websocket.close", "extensions.persistedQuery"}
OTHERS = {"redis.conf"}  # files that aren't the repository's
README_MAX = 180  # lines
PAGE_MAX = 350  # lines of a page about the architecture


def page_ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=page_ids)


def quoted(page: Path) -> list[str]:
    """What a page has between backticks, outside of blocks of code."""
    prose = FENCE.sub("", page.read_text())
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]


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
    if page.name == "CHANGELOG.md":
        return  # tells of former versions too
    assert list(missing_paths(page)) == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    prose = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_to_files_and_headings_of_the_repository(page: Path) -> None:
    astray = []
    for link in re.findall(r"\]\(([^)\s]+)\)|srcset=\"([^\"]+)\"|src=\"([^\"]+)\"", FENCE.sub("", page.read_text())):
        target = "".join(link)
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            astray.append(target)
    assert astray == []


def members() -> dict[str, set[str]]:
    """What the functions, methods and attributes of each module and class of the site are called."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in ("chat", "gqlchat", "mysite"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text())
            found[path.stem] |= names_in(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found[node.name] |= names_in(node)
                    found[node.name] |= {name for base in node.bases for name in [ast.unparse(base)]}
    return found


def names_in(node: ast.Module | ast.ClassDef) -> set[str]:
    found = set()
    for one in ast.walk(node):
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
    return found


def inherited(name: str, known: dict[str, set[str]]) -> set[str]:
    own = known[name]
    return own | {inner for base in own if base in known and base != name for inner in known[base]}


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".md"], ids=page_ids)
def test_functions_in_backticks_and_diagrams_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return
    known = members()
    diagrams = [text for language, text in FENCE.findall(page.read_text()) if language == "mermaid"]
    words = quoted(page) + re.findall(r"\b[A-Za-z_]+\.[A-Za-z_]+\b", " ".join(diagrams))
    missing = []
    for word in words:
        if match := re.fullmatch(r"(?:\w+\.)*(\w+)\.(\w+)(?:\(.*\))?", word):
            owner, name = match.groups()
            if owner in known and not FILES.fullmatch(word) and name not in inherited(owner, known):
                missing.append(word)
    assert missing == []


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_MAX


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "architecture" in page.relative_to(ROOT).as_posix()], ids=page_ids
)
def test_pages_about_the_architecture_are_read_in_a_sitting(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= PAGE_MAX


def test_the_index_lists_every_decision() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    decisions = {path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    assert set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", index)) == decisions


def test_settings_in_the_page_and_in_the_example_are_the_same() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    example = re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(example)
