"""Faults of the site and of its clients. A fault returns once all is as it was, with a line that describes it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from signal import Signals

from tests.chaos.clients import Client
from tests.chaos.site import Process, Site

Fault = Callable[[Site, list[Client], Random], Awaitable[str]]
INTERVAL = 2.5  # seconds from one fault to the next, on average: some begin while others last


def plan(seed: int, seconds: float) -> Iterator[tuple[float, Fault, Random]]:
    """When, what, and the dice for how; every fault comes up as often as every other."""
    random = Random(seed)
    waiting: list[Fault] = []
    for number in range(int(seconds / INTERVAL)):
        if not waiting:
            waiting = random.sample(FAULTS, len(FAULTS))
        yield (number + random.uniform(0.2, 1)) * INTERVAL, waiting.pop(), Random(f"{seed} {number}")


async def kill_valkey(site: Site, clients: list[Client], random: Random) -> str:
    return await _end(site.valkey, Signals.SIGKILL, random.uniform(0, 4))


async def stop_valkey(site: Site, clients: list[Client], random: Random) -> str:
    seconds = random.uniform(0.5, 5)
    async with site.valkey.lock:
        site.valkey.send(Signals.SIGSTOP)
        await asyncio.sleep(seconds)
        site.valkey.send(Signals.SIGCONT)
    return f"Valkey stopped for {seconds:.1f} s"


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


async def _end(process: Process, number: Signals, seconds: float) -> str:
    async with process.lock:
        await process.stop(number)
        await asyncio.sleep(seconds)
        await process.start()
    return f"{process.name} ended by {number.name}, and started again after {seconds:.1f} s"
