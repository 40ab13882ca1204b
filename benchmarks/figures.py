"""The figures to reach, as ratios of what was measured in one go."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.measured import Measured
from benchmarks.plan import SIZES
from benchmarks.servers import BARE, NODE_PEER, SITE, TUTORIAL
from benchmarks.storing_plan import IDLE_ROOMS, RETURNING, storm_title

CPU = "cpu_us_per_delivery"
MODES = {"gql": "GraphQL", "ws": "browser"}
FAR = 1.0  # milliseconds each way, the distance that the figures are about


@dataclass(frozen=True)
class Figure:
    """A measured value and its limit: the most it may be, or the `least`. `value` is None where it wasn't measured."""

    what: str
    value: float | None
    most: float | None = None
    least: float | None = None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if (self.most is not None and self.value > self.most) or (self.least is not None and self.value < self.least):
            return "not reached"
        return "reached"


def figures(measured: Measured) -> Iterator[Figure]:
    yield from posting(measured)
    yield from storms(measured)
    yield from deliveries(measured)
    yield from presence(measured)
    yield from connections(measured)
    yield from redis(measured)
    for key, what in (("lost", "lost"), ("doubled", "doubled"), ("disordered", "out of order")):
        yield Figure(f"{what} by this site, in all that was measured", measured.broken(key), most=0)


def posting(measured: Measured) -> Iterator[Figure]:
    """How long a post takes, and how many are stored."""
    alone = measured.of_posters("p50_ms", 1, 1, FAR)
    yield Figure("1 poster alone, far: wait in round trips", divided(alone, 2 * FAR), most=3)
    far, near = (measured.of_posters("per_s", 60, 60, delay) for delay in (FAR, 0))
    yield Figure("60 posters in 60 rooms: far ÷ near", divided(far, near), least=0.7)
    for written in measured.writing:
        if written["database"] == "PostgreSQL, 1 ms away":
            continue
        many, one = written.get("posts, 60 in 60"), written.get("posts, 60 in 1")
        yield Figure(f"stored, {written['database']}: 60 rooms ÷ 1 room", divided(many, one), least=0.8)
        lone, bare = written.get("posts, 1 in 1"), written.get("bare inserts")
        yield Figure(f"stored, {written['database']}: 1 poster alone ÷ bare inserts", divided(lone, bare), least=0.5)


def storms(measured: Measured) -> Iterator[Figure]:
    """The effect of clients that come back on posting, and rooms in which nothing is said."""
    title = storm_title(RETURNING)
    during, calm = (measured.of_storm(key, title, FAR) for key in ("storm_p99_ms", "calm_p99_ms"))
    yield Figure(f"storm of {RETURNING}, far: p99 of posts ÷ calm", divided(during, calm), most=4)
    far, near = (measured.of_storm("all_back_s", title, delay) for delay in (FAR, 0))
    yield Figure(f"storm of {RETURNING}: all back, far ÷ near", divided(far, near), most=1.5)
    yield Figure(f"{IDLE_ROOMS:,} idle rooms: % of a core", measured.of_idle_rooms(f"{IDLE_ROOMS:,}"), most=1)


def presence(measured: Measured) -> Iterator[Figure]:
    """The effect of people who come and go on those who are told of it."""
    frames = measured.of_presence("most_frames_of_a_kind_in_any_second")
    yield Figure("presence and typing: most frames of a kind to a client in a second", frames, most=1)


def deliveries(measured: Measured) -> Iterator[Figure]:
    """The cost of a delivery."""
    for n in (800, 3000):
        yield Figure(f"browser CPU, {n:,}: ÷ bare uvicorn", measured.ratio(CPU, SITE, BARE, "ws", n), most=1.05)
    for n in (800, 3000):
        yield Figure(f"browser CPU, {n:,}: ÷ Node", measured.ratio(CPU, SITE, NODE_PEER, "ws", n), most=1.2)
    for n, most in ((200, 0.6), (800, 0.5), (3000, 0.45)):
        yield Figure(f"GraphQL CPU, {n:,}: ÷ Node", measured.ratio(CPU, SITE, NODE_PEER, "gql", n), most=most)
    for n in SIZES:
        distinct, same = (measured.value(CPU, SITE, "gql", n, users=users) for users in ("distinct", "same"))
        yield Figure(f"GraphQL CPU, {n:,}, distinct users: ÷ same", divided(distinct, same), most=1.5)
    for mode, most in (("gql", 1 / 15), ("ws", 1 / 12)):
        for n in (200, 800):
            ratio = measured.ratio(CPU, SITE, TUTORIAL, mode, n)
            yield Figure(f"{MODES[mode]} CPU, {n:,}: ÷ tutorial", ratio, most=most)
    for mode, name in MODES.items():
        late = measured.ratio("p99_ms", SITE, NODE_PEER, mode, 800)
        yield Figure(f"{name} p99 at 10,000 deliveries a second, 800: ÷ Node", late, most=1.5)


def connections(measured: Measured) -> Iterator[Figure]:
    """The cost of a connection."""
    for n in (800, 3000):
        connecting = measured.ratio("connect_cpu_ms", SITE, NODE_PEER, "gql", n)
        yield Figure(f"connect and subscribe CPU, {n:,}: ÷ Node", connecting, most=1.0)
    for mode, most in (("gql", 24), ("ws", 20)):
        idle = measured.value("kib_per_conn", SITE, mode, 3000)
        yield Figure(f"KiB of an idle connection, {MODES[mode]}", idle, most=most)


def redis(measured: Measured) -> Iterator[Figure]:
    for n, processes in ((800, 1), (3000, 1), (800, 2), (3000, 2)):
        ran = measured.value("redis_per_message", SITE, "gql", n, processes=processes)
        what = f"Redis commands per message, {n:,}, {processes} process{'es' if processes > 1 else ''}"
        yield Figure(what, ran, most=processes + 1)


def divided(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
