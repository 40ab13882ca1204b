"""The files that a database names."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.files.storage import Storage, storages

Read = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a statement in the database whose files are wanted."""


def storage() -> Storage:
    return storages["chat_files"]


def named_files(read: Read, tables: Iterable[str]) -> Iterator[str]:
    """The names in the storage of all files that the database names, which has these tables."""
    yield from ()
