"""The past of rooms for listeners that recover, without a database."""

import pytest

from chat.delivery import listener
from chat.delivery.listener import Listener
from chat.delivery.rooms import source
from chat.domain.events import Event
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room

PAGE_SIZE = 10


class Past:
    """Messages 1 to `last` of each room, for listeners that recover; `read` says how often they have asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.last = last
        self.read = 0
        monkeypatch.setattr(source, "in_database", self.recover_all)
        monkeypatch.setattr(listener, "PAGE_SIZE", PAGE_SIZE)

    async def recover_all(self, function: object, requests: list[RecoveryRequest]) -> list[Recovery]:
        """In the place of `in_database`."""
        self.read += 1
        return [self.recover(request) for request in requests]

    def recover(self, request: RecoveryRequest) -> Recovery:
        offsets = range(request.after.offset + 1, self.last + 1)[: request.size]
        missed = [Event(room=request.log, message=str(offset), offset=offset) for offset in offsets]
        return Recovery(missed, request.after, Position(self.last))


def joined(listener: Listener, last: int) -> None:
    """In the place of the hub, which has heard as much of each of the listener's rooms as is stored."""

    async def catch_up(room: Room) -> Position:
        raise AssertionError(f"the hub is not behind in {room}")

    for room in listener.logs:
        listener.joined(room, Position(last), catch_up)
