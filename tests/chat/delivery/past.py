"""What was said in a room, without a database."""

import pytest

from chat.delivery import listener
from chat.domain.events import Event
from chat.domain.rooms import Room
from chat.storage.history import Recovery

PAGE_SIZE = 10


class Past:
    """Messages 1 to `last` of each room, for listeners that recover; `read` says how often they have asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.last = last
        self.read = 0
        monkeypatch.setattr(listener, "in_database", self.recover)
        monkeypatch.setattr(listener, "PAGE_SIZE", PAGE_SIZE)

    async def recover(self, function: object, room: Room, after: int, size: int, *, person: object) -> Recovery:
        self.read += 1
        offsets = range(after + 1, self.last + 1)[:size]
        return Recovery([Event(room=room, message=str(offset), offset=offset) for offset in offsets], self.last)
