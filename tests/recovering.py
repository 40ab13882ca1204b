"""Reading a room's log as one client does that comes back."""

from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage.recoveries import recover_all

SIZE = 10_000  # entries; more than any test stores


def recover(room: Room, after: Position, size: int = SIZE, *, person: Person | None) -> Recovery:
    """The entries after `after`. Raises Banned or NotAMember."""
    (found,) = recover_all([RecoveryRequest(log=room, after=after, size=size, person=person)])
    if isinstance(found, ChatError):
        raise found
    return found


def entries_after(room: Room, offset: int = 0) -> list[Event]:
    """The entries after `offset`, however many they are, for the site itself. Their log must go on from there."""
    request = RecoveryRequest(log=room, after=Position(offset), size=SIZE, resumed=True, person=None)
    (found,) = recover_all([request])
    assert isinstance(found, Recovery)
    assert found.events is not None
    return found.events
