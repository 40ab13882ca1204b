"""Reading and changing a .env: what it has stays as it is, but for the variables that change. And whose files are."""

import os
import pwd
import re
import stat
from collections.abc import Mapping
from pathlib import Path

ASSIGNMENT = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


def read(path: Path) -> dict[str, str]:
    return dict(ASSIGNMENT.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}


def problem_with(path: Path) -> str | None:
    """The reason for which this user can't write the file, and what to do; None if they can."""
    place = path if path.exists() else path.parent
    owner = place.stat().st_uid
    if os.geteuid() in {0, owner} and os.access(path.parent, os.W_OK):
        return None
    if place == path.parent and os.access(place, os.W_OK):
        return None
    return f"{path} can't be written by this user. Run this as root, or as {_name(owner)}, to whom {place} belongs."


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def write(path: Path, values: Mapping[str, str]) -> None:
    """Sets `values` in the file, all or none.

    Owner, group and mode stay as they are. Only the owner may read a new one: the one of its folder, where root asks.
    """
    before = path.stat() if path.exists() else None
    text = path.read_text(encoding="utf-8") if before else ""
    for name, value in values.items():
        line = f"{name}={value}"
        text, found = re.subn(rf"^{name}=.*$", lambda _, line=line: line, text, flags=re.MULTILINE)  # type: ignore[misc]
        if not found:
            text = f"{text.rstrip()}\n{line}\n".lstrip()
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    owner = before or path.parent.stat()
    if os.geteuid() == 0 or before:
        os.chown(partial, owner.st_uid, owner.st_gid)
    if before:
        partial.chmod(stat.S_IMODE(before.st_mode))
    partial.replace(path)


def give_back(folder: Path) -> None:
    """Has what root has just made in the folder belong to the folder's owner, who is to write to it."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            made = os.lstat(path)
            if made.st_uid == 0 and (stat.S_ISDIR(made.st_mode) or made.st_nlink == 1):
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
