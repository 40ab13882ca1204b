"""Folders for temporary files that may be large: none stays for good, however the process ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "chat-import-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for temporary files, deleted after the block.

    A process that is killed leaves its folder. The next one that makes one deletes it: nobody holds its lock any more.
    """
    _delete_abandoned()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, _locked(Path(name)):
        yield Path(name)


def _delete_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), _locked(folder):
            if any(folder.iterdir()):  # an empty one may be so new that it isn't locked yet
                shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises OSError if another process has it locked, or if it is a link, by which others could have us delete."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
