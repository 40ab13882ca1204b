"""Reading and changing a .env: what it has stays as it is, but for the variables that change."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

ASSIGNMENT = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


def read(path: Path) -> dict[str, str]:
    return dict(ASSIGNMENT.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Sets `values` in the file, all or none. Only its owner may read it: the one of its folder, where root asks."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for name, value in values.items():
        line = f"{name}={value}"
        text, found = re.subn(rf"^{name}=.*$", lambda _, line=line: line, text, flags=re.MULTILINE)  # type: ignore[misc]
        if not found:
            text = f"{text.rstrip()}\n{line}\n".lstrip()
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(partial, owner.st_uid, owner.st_gid)
    partial.replace(path)
