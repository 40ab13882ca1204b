"""Copies files of the site's storage into a directory, each under its id: names that people gave them lead nowhere."""

import shutil
from pathlib import Path
from uuid import UUID

from chat.storage import file_store
from chat.storage.file_store import outages_as_os_errors
from chat.storage.transfer.line_file import PART

FOLDER = "files"


def copy_file(id: UUID, directory: Path, *, preview: bool = False) -> str | None:
    """Copies the file into `directory`, unless it is there. Returns where, or None if the storage doesn't have it.

    Raises OSError.
    """
    name = file_store.name_of(id, preview=preview)
    path = directory / FOLDER / Path(name).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART)
        try:
            with (
                outages_as_os_errors(),
                file_store.storage().open(name, "rb") as source,
                part.open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
        except FileNotFoundError:
            return None
        part.rename(path)
    return f"{FOLDER}/{path.name}"
