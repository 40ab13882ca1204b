"""A large site in seconds of use, simulated: how much of each of its parts a crowd takes."""

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.commits import Commits, Draft
from benchmarks.costs import Costs
from benchmarks.crowd import Crowd, spread

MIB = 1024  # KiB
SECONDS = 5  # that are simulated
WAIT_MAX = 0.1  # seconds that a post may wait, at the 99th percentile


@dataclass(frozen=True)
class Layout:
    """Machines and servers. `round_trip` to the database is in seconds, `disk` is what a commit waits for it."""

    processes: int = 100
    cores: int = 16  # of a machine; a process for each
    memory: int = 32  # GiB of a machine
    redis_servers: int = 1
    database_cores: int = 16
    database_connections: int = 500  # max_connections of PostgreSQL
    connections_of_a_process: int = 4  # CHAT_DATABASE_CONNECTIONS
    lanes: int = 1  # of these, for writing
    round_trip: float = 0.002
    round_trips: int = 1  # of a commit
    disk: float = 0.001
    together: int = 0  # listeners; rooms up to this size are kept at one process each

    @property
    def machines(self) -> int:
        return -(-self.processes // self.cores)

    @property
    def commit(self) -> float:
        """Seconds."""
        return self.round_trips * self.round_trip + self.disk


@dataclass(frozen=True)
class Part:
    """How much of a part of the site is used, and how much there is."""

    name: str
    used: float
    limit: float
    unit: str

    @property
    def share(self) -> float:
        return self.used / self.limit


@dataclass(frozen=True)
class Day:
    """The measurements: the `parts`, and amounts in a second that have no limit of their own."""

    parts: list[Part]
    deliveries: float
    redis_messages: float
    commits: float
    watched: float  # messages that processes read to see what is new
    return_of_all: float  # seconds until all processes together have taken everybody back

    @property
    def scarcest(self) -> Part:
        return max(self.parts, key=lambda part: part.share)


class Simulation:
    """The crowd's messages, one by one, in some seconds of this layout's life."""

    def __init__(self, crowd: Crowd, layout: Layout, costs: Costs, seed: int = 1) -> None:
        self.crowd, self.layout, self.costs = crowd, layout, costs
        self.chance = random.Random(seed)
        sizes = crowd.sizes()
        self.rates = crowd.rates(sizes)
        self.listeners = spread(sizes, layout.processes, layout.together, self.chance)
        self.cpu = [array("d", bytes(8 * (SECONDS + 1))) for _ in range(layout.processes)]  # by process and second
        self.redis = [0.0] * layout.redis_servers  # microseconds
        self.redis_messages = 0
        self.deliveries = 0

    def run(self) -> Day:
        commits = Commits(self.layout.lanes, self.layout.commit)
        stored = 0
        for at, draft in commits.run(self.drafts()):
            stored += 1
            self.publish(at, draft)
        return Day(
            parts=self.parts(commits, stored),
            deliveries=self.deliveries / SECONDS,
            redis_messages=self.redis_messages / SECONDS,
            commits=commits.count / SECONDS,
            watched=self.layout.processes * stored / SECONDS,
            return_of_all=self.crowd.connections * self.costs.come_back / 1e6 / self.layout.processes,
        )

    def drafts(self) -> Iterator[Draft]:
        """Messages at random times, by people at random processes of their rooms."""
        found = []
        for room, rate in enumerate(self.rates):
            at = self.chance.expovariate(rate) if rate else SECONDS
            while at < SECONDS:
                [process] = self.chance.choices(*zip(*self.listeners[room].items(), strict=True))
                found.append(Draft(at, room, process))
                at += self.chance.expovariate(rate)
        yield from sorted(found)

    def publish(self, at: float, draft: Draft) -> None:
        """Charges Redis and every process that has listeners in the room."""
        costs, second = self.costs, min(int(at), SECONDS)
        listeners = self.listeners[draft.room]
        self.redis[draft.room % len(self.redis)] += costs.publish + costs.copy * (len(listeners) - 1)
        self.redis_messages += 1 + len(listeners)
        self.deliveries += listeners.total()
        for process, count in listeners.items():
            message = costs.post if process == draft.process else costs.hear
            self.cpu[process][second] += message + count * costs.delivery

    def parts(self, commits: Commits, stored: int) -> list[Part]:
        layout, costs = self.layout, self.costs
        rooms, people = self.held()
        said = stored / SECONDS
        idle = (costs.idle_room * max(rooms) + costs.watch * said) / 1e6
        busiest = max(max(seconds[:SECONDS]) for seconds in self.cpu) / 1e6
        memory = costs.process_memory + costs.room_memory * max(rooms) + costs.connection_memory * max(people)
        at_once = min(layout.cores, layout.processes)
        waits = sorted(commits.waits) or [0.0]
        storing = costs.store + layout.processes * costs.watched  # microseconds of PostgreSQL's for a message
        return [
            Part("a process's CPU, its busiest second", busiest + idle, 1.0, "cores"),
            Part("a machine's memory", memory * at_once / MIB**2, layout.memory, "GiB"),
            Part("a Redis's CPU", max(self.redis) / 1e6 / SECONDS, 1.0, "cores"),
            Part("PostgreSQL's CPU", said * storing / 1e6, layout.database_cores, "cores"),
            Part(
                "PostgreSQL's connections",
                layout.processes * layout.connections_of_a_process,
                layout.database_connections,
                "",
            ),
            Part("a room's lock", max(commits.locked.values(), default=0) / SECONDS, 1.0, "of the time"),
            Part("a post's wait, p99", waits[int(len(waits) * 0.99)], WAIT_MAX, "s"),
        ]

    def held(self) -> tuple[list[int], list[int]]:
        """How many rooms and how many people each process has."""
        rooms, people = [0] * self.layout.processes, [0] * self.layout.processes
        for listeners in self.listeners:
            for process, count in listeners.items():
                rooms[process] += 1
                people[process] += count
        return rooms, people


def first_to_break(crowd: Crowd, layout: Layout, costs: Costs, most: int = 64) -> tuple[float, Part]:
    """The multiple of the messages, doubled step by step, at which a part is used up, and that part.

    If there is none up to `most`, the scarcest part there.
    """
    times = 1
    while True:
        larger = replace(crowd, messages=crowd.messages * times, room_rate=crowd.room_rate * times)
        part = Simulation(larger, layout, costs).run().scarcest
        if part.share >= 1 or times >= most:
            return times, part
        times *= 2
