"""Parts of files that are asked for by the header Range of HTTP (RFC 9110, 14)."""

import re
from dataclasses import dataclass

RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(ValueError):
    """A range that begins after the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `first` to `last`, both of them too."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def read_range(header: str, size: int) -> ByteRange | None:
    """The part of a file of `size` bytes that is asked for; None if that is all of it.

    It is all, too, for several ranges at once, other units and what can't be understood: a server may answer so. Raises
    Unsatisfiable.
    """
    match = RANGE.fullmatch(header)
    if match is None:
        return None
    first, last = match.groups()
    if first:
        begin, end = int(first), int(last) if last else size - 1
        if last and end < begin:
            return None
    elif last:
        begin, end = size - int(last), size - 1
        if not int(last):
            raise Unsatisfiable
    else:
        return None
    if begin >= size:
        raise Unsatisfiable
    return ByteRange(max(0, begin), min(end, size - 1))
