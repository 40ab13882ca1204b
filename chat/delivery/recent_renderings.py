"""Renderings of the last second's events, shared by all listeners that hear them."""

import asyncio
from typing import Generic, TypeVar
from weakref import ref

KEPT = 1.0  # seconds: a process without listeners hears of no deletion, so it may keep no text for long
KEPT_MAX = 100  # events; listeners that are farther behind are few

Rendering = TypeVar("Rendering")


class RecentRenderings(Generic[Rendering]):
    """Renderings by their events, of which each is one object for all its listeners."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[object, Rendering]] = {}  # with the event, or another could get its id

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, event: object) -> Rendering | None:
        kept = self._by_id.get(id(event))
        return None if kept is None else kept[1]

    def keep(self, event: object, rendering: Rendering) -> None:
        self._by_id[id(event)] = event, rendering
        if len(self) > KEPT_MAX:
            del self._by_id[next(iter(self._by_id))]  # the oldest
        asyncio.get_running_loop().call_later(KEPT, _forget, ref(self), id(event))


def _forget(renderings: "ref[RecentRenderings[Rendering]]", key: int) -> None:
    if (alive := renderings()) is not None:
        alive._by_id.pop(key, None)
