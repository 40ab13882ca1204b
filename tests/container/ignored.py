"""The files that an image is made from: those of the repository that .dockerignore lets through."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.servers import ROOT


def context_files() -> Iterator[Path]:
    """Relative to the repository. Of the patterns that match a file, or a folder that it is in, the last one counts."""
    rules = [
        (not line.startswith("!"), pattern(line.removeprefix("!").strip("/")))
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for top in sorted(ROOT.iterdir()):
        if not is_ignored(Path(top.name), rules) or top.is_file():
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                relative = path.relative_to(ROOT)
                if path.is_file() and not is_ignored(relative, rules):
                    yield relative


def is_ignored(path: Path, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    ignored = False
    for excludes, matching in rules:
        if any(matching.fullmatch(str(part)) for part in (path, *path.parents)):
            ignored = excludes
    return ignored


def pattern(text: str) -> re.Pattern[str]:
    """As Docker reads it: `*` is for a part of a path, `**/` for any folders."""
    parts = (re.escape(part).replace(r"\*", "[^/]*") for part in text.split("**/"))
    return re.compile("(?:.*/)?".join(parts))
