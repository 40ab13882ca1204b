"""The cost of servers: CPU and memory of their process trees, and the commands that Redis ran for them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from redis import Redis


def tree(pids: Sequence[int]) -> list[psutil.Process]:
    roots = [psutil.Process(pid) for pid in pids]
    return [process for root in roots for process in (root, *root.children(recursive=True))]


def cpu(pids: Sequence[int]) -> float:
    """Seconds of CPU, in user mode and in the kernel, that the trees of `pids` have used so far."""
    times = [process.cpu_times() for process in tree(pids)]
    return float(sum(one.user + one.system for one in times))


def machine() -> float:
    """Seconds of CPU that all processes of this machine have used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def others(pids: Sequence[int]) -> float:
    """Seconds of CPU that everything on this machine has used but the trees of `pids` and this process."""
    return machine() - cpu(pids) - time.process_time()


def resident(pids: Sequence[int]) -> int:
    """Bytes of memory that the trees of `pids` have."""
    return sum(process.memory_info().rss for process in tree(pids))


@dataclass(frozen=True)
class RedisUse:
    """The commands that a Redis has run so far, those of this very question aside, and its seconds of CPU."""

    commands: int = 0
    cpu: float = 0.0

    def __sub__(self, earlier: "RedisUse") -> "RedisUse":
        return RedisUse(self.commands - earlier.commands, self.cpu - earlier.cpu)


def redis_use(redis: Redis | None) -> RedisUse:
    if redis is None:
        return RedisUse()
    stats, cpu = redis.info("commandstats"), redis.info("cpu")
    commands = sum(stat["calls"] for name, stat in stats.items() if name != "cmdstat_info")
    return RedisUse(commands, cpu["used_cpu_user"] + cpu["used_cpu_sys"])
