"""The other processes of the site: which of them live, as far as each server of the layer tells."""

from collections import OrderedDict

HEARTBEAT = 5.0  # seconds between two signs of life of a process
DEAD_AFTER = 17.0  # seconds without a sign of life: three are missed
DEAD_MAX = 100  # dead processes that are remembered, in case they were only slow

Peer = tuple[int, str]
"""The number of a server, and the id of a process that was heard through it."""


class Peers:
    """When each process was last heard of, and what was known of those that are taken for dead."""

    def __init__(self) -> None:
        self._heard: dict[Peer, float] = {}  # on the event loop's clock
        self._dead: OrderedDict[Peer, list[str]] = OrderedDict()

    def note(self, server: int, process: str, now: float) -> list[str]:
        """The process lives. If it was taken for dead, returns the groups of the rooms that it was struck off."""
        self._heard[server, process] = now
        return self._dead.pop((server, process), [])

    def end(self, server: int, process: str) -> None:
        """The process has said that it ends."""
        self._heard.pop((server, process), None)

    def silent(self, now: float) -> list[Peer]:
        """The processes that haven't been heard for DEAD_AFTER, each once."""
        silent = [peer for peer, heard in self._heard.items() if now - heard > DEAD_AFTER]
        for peer in silent:
            del self._heard[peer]
        return silent

    def bury(self, peer: Peer, groups: list[str]) -> None:
        """Remembers of which rooms' presence a process has been struck off."""
        if groups:
            self._dead[peer] = groups
            if len(self._dead) > DEAD_MAX:
                self._dead.popitem(last=False)

    def forget(self) -> None:
        """Nobody here wants to know any more."""
        self._heard.clear()
        self._dead.clear()
