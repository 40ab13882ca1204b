"""Files of JSON Lines: written so that a broken-off one can be gone on with, and read line by line."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from chat.storage.transfer.errors import InvalidExport, TransferError

LINE_MAX = 16_000_000  # bytes of a line
PART = ".part"  # ends the name of a file that isn't whole yet

Json = dict[str, Any]


class NumberedLine(NamedTuple):
    number: int
    value: Json


def encoded(value: Json) -> bytes:
    """A line as it is written: always the same for the same value."""
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


class LineWriter:
    """Writes a file under another name until it is whole.

    A file that was broken off is gone on with: its lines are given to `keep`, in their order, and are kept up to the
    first for which that returns False. A line that the end of the process has cut in two is dropped.
    """

    def __init__(self, path: Path, keep: Callable[[Json], bool]) -> None:
        if path.exists():
            raise TransferError(f"{path} is there already. Remove it, or choose another directory.")
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._file = self._part.open("ab")
        self._file.truncate(self._whole_lines(keep))

    def _whole_lines(self, keep: Callable[[Json], bool]) -> int:
        """The size of the lines that are kept, in bytes."""
        size = 0
        with self._part.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n") or not keep(json.loads(line)):
                    break
                size += len(line)
        return size

    def __enter__(self) -> "LineWriter":
        return self

    def write(self, value: Json) -> None:
        self._file.write(encoded(value))

    def finish(self) -> None:
        """The file is whole: it gets its name once the disk has it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.rename(self._path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_lines(path: Path) -> Iterator[NumberedLine]:
    """The lines of the file, one after the other. Raises InvalidExport for one that is no JSON object."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_MAX + 1):
            number += 1
            yield NumberedLine(number, _decoded(line, number))


def _decoded(line: bytes, number: int) -> Json:
    if len(line) > LINE_MAX:
        raise InvalidExport(f"longer than {LINE_MAX:,} bytes", number)
    if not line.endswith(b"\n"):
        raise InvalidExport("broken off: the file isn't whole", number)
    try:
        value = json.loads(line.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidExport(f"no JSON: {error}", number) from error
    if not isinstance(value, dict):
        raise InvalidExport("no JSON object", number)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def digest(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
