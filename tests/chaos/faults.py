"""Faults of the site and of its clients. A fault returns once all is as it was, with a line that describes it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from signal import Signals

from tests.chaos.clients import Client
from tests.chaos.site import Process, Site

Fault = Callable[[Site, list[Client], Random], Awaitable[str]]
INTERVAL = 2.5  # seconds from one fault to the next, on average: some begin while others last


def plan(seed: int, seconds: float, faults: list[Fault]) -> Iterator[tuple[float, Fault, Random]]:
    """When, what, and the dice for how; every fault comes up as often as every other."""
    random = Random(seed)
    waiting: list[Fault] = []
    for number in range(int(seconds / INTERVAL)):
        if not waiting:
            waiting = random.sample(faults, len(faults))
        yield (number + random.uniform(0.2, 1)) * INTERVAL, waiting.pop(), Random(f"{seed} {number}")


async def kill_valkey(site: Site, clients: list[Client], random: Random) -> str:
    return await _end(random.choice(site.valkeys), Signals.SIGKILL, random.uniform(0, 4))


async def stop_valkey(site: Site, clients: list[Client], random: Random) -> str:
    seconds, valkey = random.uniform(0.5, 5), random.choice(site.valkeys)
    async with valkey.lock:
        valkey.send(Signals.SIGSTOP)
        await asyncio.sleep(seconds)
        valkey.send(Signals.SIGCONT)
    return f"{valkey.name} stopped for {seconds:.1f} s"


async def kill_server(site: Site, clients: list[Client], random: Random) -> str:
    return await _end(random.choice(site.servers), Signals.SIGKILL, random.uniform(0, 3))


async def deploy_server(site: Site, clients: list[Client], random: Random) -> str:
    return await _end(random.choice(site.servers), Signals.SIGTERM, 0)


async def cut_sockets(site: Site, clients: list[Client], random: Random) -> str:
    cut = random.sample(clients, random.randint(1, len(clients)))
    for client in cut:
        client.cut()
    return f"{len(cut)} sockets cut"


FAULTS: list[Fault] = [kill_valkey, stop_valkey, kill_server, deploy_server, cut_sockets]


# Between the servers and PostgreSQL


async def terminate_sessions(site: Site, clients: list[Client], random: Random) -> str:
    assert site.database
    server, ended, times = random.randrange(len(site.servers)), 0, random.randint(1, 6)
    async with site.database.lock:
        for _ in range(times):
            ended += await asyncio.to_thread(site.database.terminate, server)
            await asyncio.sleep(random.uniform(0, 0.5))
    return f"{ended} sessions of {site.servers[server].name} at PostgreSQL terminated, in {times} turns"


async def cut_database(site: Site, clients: list[Client], random: Random) -> str:
    assert site.database
    proxies = random.sample(site.database.proxies, random.randint(1, len(site.servers)))
    async with site.database.lock:
        cut = sum(len(proxy.connections) for proxy in proxies)
        for proxy in proxies:
            await asyncio.to_thread(proxy.cut)
    return f"{cut} connections of {len(proxies)} servers to PostgreSQL cut"


async def black_hole(site: Site, clients: list[Client], random: Random) -> str:
    """The server has to notice by itself; PostgreSQL keeps the other end, as after a network that is gone."""
    assert site.database
    server = random.randrange(len(site.servers))
    proxy = site.database.proxies[server]
    async with site.database.lock:
        open_ones = [connection for connection in proxy.connections if not connection.black_holed]
        some = open_ones and random.sample(open_ones, random.randint(1, len(open_ones)))
        if some:
            await asyncio.to_thread(proxy.black_hole, *some)
    return f"{len(some)} connections of {site.servers[server].name} to PostgreSQL became black holes"


POSTGRESQL_FAULTS: list[Fault] = [terminate_sessions, cut_database, black_hole]


async def _end(process: Process, number: Signals, seconds: float) -> str:
    async with process.lock:
        await process.stop(number)
        await asyncio.sleep(seconds)
        await process.start()
    return f"{process.name} ended by {number.name}, and started again after {seconds:.1f} s"
