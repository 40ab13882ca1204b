"""Several server processes behind one port (WEB_CONCURRENCY): where they count together.

Whoever asks for `/metrics` meets one of them, and wants the numbers of all. So each counts in files of a folder that
they share, and the one that is asked adds up.
"""

import contextlib
import hashlib
import multiprocessing
import os
import shutil
from pathlib import Path


def folder(place: Path) -> Path | None:
    """The folder in `place` that this process shares with its siblings, made if need be; None if it has none.

    uvicorn starts its workers by multiprocessing, which gives all children of one parent the same key.
    """
    if multiprocessing.parent_process() is None:
        return None
    key = hashlib.sha256(multiprocessing.current_process().authkey).hexdigest()[:16]
    _sweep(place)
    shared = place / f"{os.getppid()}-{key}"
    shared.mkdir(parents=True, exist_ok=True)
    for left in shared.glob(f"gauge_live*_{os.getpid()}.db"):  # by a worker that is dead, or I wouldn't have its number
        left.unlink()
    return shared


def living(shared: Path) -> set[str]:
    """The numbers of the processes that count in `shared`, and live.

    What those that don't said of their present is removed; what they have counted stays counted.
    """
    alive = set()
    for file in shared.glob("gauge_live*_*.db"):
        process = file.stem.rpartition("_")[2]
        if _is_alive(process):
            alive.add(process)
        else:
            file.unlink(missing_ok=True)
    return alive


def _sweep(place: Path) -> None:
    """Removes the folders of parents that are no more."""
    for shared in place.glob("*-*"):
        if not _is_alive(shared.name.partition("-")[0]):
            shutil.rmtree(shared, ignore_errors=True)


def _is_alive(process: str) -> bool:
    with contextlib.suppress(PermissionError):  # there is one, and it is another user's
        try:
            os.kill(int(process), 0)
        except (ProcessLookupError, ValueError):
            return False
    return True
