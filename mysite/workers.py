"""Metrics of several server processes behind one port (WEB_CONCURRENCY).

A request for `/metrics` reaches one of them, and is meant for all. So each process counts in files of a folder that
they share, and the one that is asked adds them up.
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
    for left in shared.glob(f"gauge_live*_{os.getpid()}.db"):  # of a dead process that had this one's number
        left.unlink()
    return shared


def living(shared: Path) -> set[str]:
    """The numbers of the living processes that count in `shared`.

    Gauges of dead processes are removed; their counters stay.
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
    """Removes the folders of dead parents."""
    for shared in place.glob("*-*"):
        if not _is_alive(shared.name.partition("-")[0]):
            shutil.rmtree(shared, ignore_errors=True)


def _is_alive(process: str) -> bool:
    with contextlib.suppress(PermissionError):  # it exists, and belongs to another user
        try:
            os.kill(int(process), 0)
        except (ProcessLookupError, ValueError):
            return False
    return True
