"""The ids of server-sent events: how far a client has heard each of a stream's logs, in one text.

A browser's EventSource sends the last id that it got as the header `Last-Event-ID` when it comes back. The text has a
part for each log, `<log>:<offset>:<id of the entry>`, where the log is a hash of its group: the names of rooms may have
any characters, which a header may not. The id is empty where it isn't known.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from django.utils.translation import gettext_lazy as _

from chat.domain.logs import Log
from chat.domain.positions import Position
from chat.errors import InvalidPosition

LogT = TypeVar("LogT", bound=Log)

ID_MAX = 200  # characters; an id that is longer, which a client has made up, is none of an entry without its end, too
PART = re.compile(rf"([0-9a-f]{{16}}):([0-9]{{1,18}}):([0-9A-Za-z_.~%-]{{0,{ID_MAX}}})", re.ASCII)


def encode(heard: Mapping[Any, Position]) -> str:
    return ",".join(f"{key(log)}:{position.offset}:{_quoted(position.id)}" for log, position in heard.items())


def _quoted(id: str | None) -> str:
    return quote(id, safe="", errors="replace")[:ID_MAX] if id else ""


def decode(event_id: str, logs: Iterable[LogT]) -> dict[LogT, Position]:
    """The positions in those of `logs` that the id has; others in it are passed over. Raises InvalidPosition."""
    positions: dict[str, Position] = {}
    for part in event_id.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise InvalidPosition(_("Last-Event-ID has to be the id of an event, as it was sent."))
        positions[match[1]] = Position(int(match[2]), unquote(match[3]) or None)
    return {log: positions[key(log)] for log in logs if key(log) in positions}


@lru_cache(maxsize=1024)
def key(log: Log) -> str:
    return hashlib.blake2b(log.group.encode(), digest_size=8).hexdigest()
