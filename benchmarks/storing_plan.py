"""The plan of what is measured about storing: databases near and far, and the loads on a server that has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.databases import NEAR, SQLITE, Database

REPEAT = 3  # times, in turn, so that what is compared is measured close together; the results have medians
POSTERS = ((1, 1), (12, 1), (12, 12), (60, 1), (60, 60))  # people, and the rooms that they are spread over
RETURNING = 400
IDLE_ROOMS = 40_000


@dataclass(frozen=True)
class Load:
    """A program of this folder, its options, and a `title` that tells it from others."""

    program: str
    title: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """A server on this database, and the loads that it is put under one after the other."""

    database: Database
    loads: tuple[Load, ...]

    @property
    def title(self) -> str:
        return f"storing: {self.database.name}"


def posters(count: int, rooms: int, seconds: float) -> Load:
    options = ("--posters", str(count), "--rooms", str(rooms), "--seconds", str(seconds))
    return Load("posters", posters_title(count, rooms), options)


def posters_title(count: int, rooms: int) -> str:
    return f"{count} in {rooms} room{'s' if rooms > 1 else ''}" if count > 1 else "1 alone"


def storm(returning: int, *options: str) -> Load:
    return Load("storm", storm_title(returning), ("--returning", str(returning), "--cookies", *options))


def mixed_storm(returning: int) -> Load:
    """A quarter comes back by GraphQL, and as many browsers as that leave meanwhile."""
    options = ("--returning", str(returning), "--cookies", "--graphql", "25", "--leavers", str(returning // 4))
    return Load("storm", f"{returning}, a quarter by GraphQL, others leave", options)


def storm_title(returning: int) -> str:
    return f"{returning} browsers"


def idle_rooms(rooms: int, seconds: float, look: float = 2) -> Load:
    options = ("--rooms", str(rooms), "--seconds", str(seconds), "--look", str(look))
    return Load("idle_rooms", f"{rooms:,}", options)


def full(delays: Sequence[float]) -> Iterator[Stage]:
    """Everything, for PostgreSQL here and at these distances (milliseconds, each way), and for SQLite."""
    crowds = tuple(posters(count, rooms, seconds=3) for count, rooms in POSTERS)
    storms = (storm(RETURNING), mixed_storm(RETURNING))
    for _ in range(REPEAT):
        for database in (NEAR, *(Database("PostgreSQL", delay) for delay in delays), SQLITE):
            yield Stage(database, (*crowds, *storms))
    yield Stage(NEAR, (idle_rooms(IDLE_ROOMS, seconds=15),))


def quick(delays: Sequence[float]) -> Iterator[Stage]:
    """A look at the main figures, in half a minute."""
    crowds = (posters(1, 1, seconds=1), posters(60, 60, seconds=1))
    storms = (storm(100, "--calm", "1.5", "--around", "3"),)
    idle = (idle_rooms(2000, seconds=3, look=0.5),)
    for database in (NEAR, *(Database("PostgreSQL", delay) for delay in delays)):
        yield Stage(database, (*crowds, *storms, *(idle if database is NEAR else ())))
