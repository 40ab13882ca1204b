"""Sources: where an app's logs are read, who may hear them, and how their events travel. The chat has one, too.

docs/extending.md, "A subscription of your own", shows one from beginning to end.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol

from typing_extensions import TypeVar

from chat.delivery.entries import StartOver
from chat.delivery.groups import Groups
from chat.delivery.reads import Reads
from chat.domain.logs import Changes, Head, Log, LogEvent
from chat.domain.positions import Position
from chat.domain.recoveries import LogPart, Range, Recovery, RecoveryRequest, merged
from chat.errors import ChatError
from chat.per_loop import PerLoop

LogT = TypeVar("LogT", bound=Log, default=Any)
EventT = TypeVar("EventT", bound=LogEvent, default=Any)

Look = Callable[[], Awaitable[Changes]]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The person with that id hears nothing more, and is told the error, which is made for each listener."""

    person_id: str | None
    error: Callable[[], ChatError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The change that an entry makes to who may hear its log, or be heard there, from then on.

    With `recheck`, all who listen are looked up before they hear anything more. `restricted` and `read_only` are what
    they are in `Head` from then on; None leaves them as they were.
    """

    excludes: Exclusion | None = None
    recheck: bool = False
    restricted: bool | None = None
    read_only: bool | None = None


RECHECK = Effect(recheck=True, restricted=True)


class Attendance(Protocol):
    """An app's record of who listens here, as the chat has for presence. The hub calls this; it may not raise."""

    message_type: str
    """The type of messages in groups which are handed to `receive`."""

    def arrive(self, listener: Any) -> None:
        """The listener hears its logs from now on."""

    def depart(self, listener: Any, error: Exception | None = None) -> None:
        """The listener hears nothing more; it may have departed before. With an `error`, it was ended by that."""

    def hear(self, event: Any) -> None:
        """The event came to this process."""

    def receive(self, message: Mapping[str, Any]) -> None: ...

    def groups_left(self, logs: Iterable[Any]) -> Iterable[str]:
        """The groups that the process has to leave, now that listeners of these logs have departed."""


class Source(PerLoop, ABC, Generic[LogT, EventT]):
    """The logs of one app, for the hub: a subclass says where they are read, and who may hear them.

    One instance serves an event loop. `register` tells of which class of logs it is the source.

    An app has to have `heads` and `read`, and in most cases `refused`. It is asked for many logs and people at once, so
    that many who come together cost few queries. All may raise Unavailable: the question is asked again later.
    """

    event_type: ClassVar[str]
    """The type of its messages in groups, as the channel layer has it: `todo.entry`, say. Nobody else uses it."""

    group_key: ClassVar[str] = "group"
    """The key under which such a message has the name of its group."""

    usual_kinds: ClassVar[Set[Hashable] | None] = None
    """The kinds of events that a listener hears which names none; None is all."""

    def __init__(self) -> None:
        self.reads = Reads(self)

    # Where the logs are read

    @abstractmethod
    async def heads(self, logs: Sequence[LogT]) -> Mapping[LogT, Head]:
        """Where each of the logs ends; those that don't exist yet may be left out."""

    @abstractmethod
    async def read(self, ranges: Mapping[LogT, Sequence[Range]]) -> Mapping[LogT, LogPart]:
        """The entries whose offsets are in the ranges, which don't overlap; both their ends belong to them.

        Read how far a log has come before its entries, or both at once: what isn't there below `last_offset` is gone.
        """

    async def recover(self, requests: Sequence[RecoveryRequest]) -> Sequence[Recovery | ChatError]:
        """A recovery for each of `requests`, in their order; an error in the place of one that is refused."""
        ranges: dict[LogT, list[Range]] = defaultdict(list)
        for request in requests:
            ranges[request.log].append(request.range)
        parts = await self.read({log: merged(several) for log, several in ranges.items()})
        for part in parts.values():
            link(part)
        found = [parts.get(request.log, LogPart()).recovery(request) for request in requests]
        missing = [request.log for request, recovery in zip(requests, found, strict=True) if recovery is None]
        heads = await self.reads.heads(missing)
        # Asked last: a person who may not hear the log any more is told nothing.
        refused = await self.refused([(request.log, request.person) for request in requests if request.person])
        return [
            refused.get((request.log, request.person))
            or recovery
            or Recovery(None, request.after, heads[request.log].position)
            for request, recovery in zip(requests, found, strict=True)
        ]

    def looks(self) -> Look:
        """A function that is called once a second while somebody listens, and says what has changed since the last
        call. By default it can't tell, and the heads of all logs that somebody listens to are read each time.
        """
        return look_at_all

    # Permission to hear them

    async def refused(self, pairs: Sequence[tuple[LogT, Any]]) -> Mapping[tuple[LogT, Any], ChatError | None]:
        """The errors for those of the people who may not hear the log beside them.

        Asked where a log is restricted: as somebody comes, after an entry that says so, and in a recovery.
        """
        return {}

    def effect(self, event: EventT) -> Effect | None:
        """The change that an entry makes to who may hear its log; None for most. An unknown one may change anything."""
        return None if event.known else RECHECK

    # How their events travel

    def to_group(self, event: EventT) -> Mapping[str, Any]:
        """The event as the channel layer carries it: with `type`, `group_key`, `offset` and `id`.

        By default it says no more than that there is an entry, and other processes read it.
        """
        return {"type": self.event_type, self.group_key: event.log.group, "offset": event.offset, "id": event.id}

    def parse(self, message: Mapping[str, Any], log: LogT) -> EventT | None:
        """The event of such a message, which anybody may have sent; None if it has to be read. Raises MalformedEvent.

        It may be of another release: what isn't understood is no error, but an event that isn't `known`.
        """
        return None

    def start_over(self, log: LogT, position: Position) -> Any:
        """The event that tells listeners that what they hear from here on follows `position`."""
        return StartOver(log=log, offset=position.offset, id=position.id)

    def attendance(self, groups: Groups, knows_all_may_hear: Callable[[LogT], bool]) -> Attendance | None:
        """Called once by each hub with listeners of this source, with the groups that it is in.

        `knows_all_may_hear` tells whether all who listen to a log here are known to be still allowed to.
        """
        return None


_sources: dict[type, type[Source]] = {}


def register(log_class: type[LogT], source: type[Source[LogT, Any]]) -> None:
    """Says where logs of a class are read. To be called as the app gets ready: in `AppConfig.ready`."""
    _sources[log_class] = source


def source_of(log: Log) -> Source:
    """The source of the log, in the running event loop."""
    return _sources[type(log)].here()


def usual_kinds(logs: Iterable[Log]) -> Set[Hashable] | None:
    """The kinds that a listener of these logs hears which names none; None is all."""
    sources = {_sources[type(log)] for log in logs}
    if len(sources) > 1:
        raise ValueError("The logs of one listener are all of one source")
    return next((source.usual_kinds for source in sources), None)


def link(part: LogPart) -> None:
    """Has each entry name the one before it."""
    for offset, entry in part.entries.items():
        before = part.entries.get(offset - 1)
        if before is not None and entry.previous is None:
            part.entries[offset] = replace(entry, previous=before.id)


async def look_at_all() -> Changes:
    return Changes(everything=True)
