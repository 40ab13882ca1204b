"""Work that two processes must not do at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.storage.transfer.errors import TransferError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file at `path` until the block ends, or the process. Raises TransferError if another one does."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TransferError(f"Another process is at work in {path.parent}.") from error
        yield
