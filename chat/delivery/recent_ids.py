"""The ids of the entries that this process has given to its listeners of late."""

KEPT_MAX = 10_000  # ids: more than are on their way through a channel layer at any time


class RecentIds:
    """The last KEPT_MAX ids.

    Most entries are heard of twice: from the poster or the database, and through the layer. These tell the second time
    from an entry that has an old offset because the log went back.
    """

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}  # in the order in which they came

    def add(self, id: str) -> None:
        self._ids[id] = None
        if len(self._ids) > KEPT_MAX:
            del self._ids[next(iter(self._ids))]

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and id in self._ids
