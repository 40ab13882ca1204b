"""The channel layer, and which of its servers are away.

A layer may spread the groups over several servers. It then has a number for each of them: `server_count` says how many
there are, and `server_of(group)` on which of them a group is, from 0. A layer without these has one server.

A layer raises whatever its backend does, so `except Exception` here means: the server is away. Only a message that
can't be packed is the mistake of the app that sends it (`is_mistake`).
"""

import asyncio
import itertools
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from channels.layers import get_channel_layer

from chat import metrics
from chat.delivery.availability import Availability
from chat.delivery.detached_tasks import DetachedTasks
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1.0  # seconds that anybody waits for the layer
PROBE_GROUP = "chat.nobody"  # a group that no process is in
PROBE_TYPE = "chat.probe"

Message = Mapping[str, Any]


class Layer(PerLoop):
    """Sends to groups, and knows which servers are away: nobody waits for these, and one at a time tries."""

    def __init__(self) -> None:
        self._servers: defaultdict[int, Availability] = defaultdict(lambda: Availability(LAYER_TIMEOUT))

    @property
    def server_count(self) -> int:
        try:
            return getattr(get_channel_layer(), "server_count", 1)
        except Exception:
            return 1

    def server_of(self, group: str) -> int:
        """The number of the server that the group is on, from 0."""
        return 0 if self.server_count == 1 else get_channel_layer().server_of(group)

    def group_on_each_server(self, name: str) -> list[str]:
        """For each server a group that is on it: `name` itself, and names made of it. The same in all processes."""
        found: dict[int, str] = {}
        for number in itertools.count():
            group = f"{name}.{number}" if number else name
            found.setdefault(self.server_of(group), group)
            if len(found) == self.server_count:
                return [group for _, group in sorted(found.items())]
        raise AssertionError  # the numbers don't end

    def is_away(self, server: int) -> bool:
        return self._servers[server].away

    @property
    def is_any_away(self) -> bool:
        return any(server.away for server in self._servers.values())

    async def send(self, *addressed: tuple[str, Message]) -> None:
        """Sends messages to the groups named with them. A message to a server that is away is lost.

        Waits no longer than LAYER_TIMEOUT.
        """
        by_server: defaultdict[int, list[tuple[str, Message]]] = defaultdict(list)
        for group, message in addressed:
            by_server[self.server_of(group)].append((group, message))
        waiting: dict[asyncio.Task[None], int] = {}
        for server, messages in by_server.items():
            was_away = self.is_away(server)
            if self._servers[server].may_try():
                # In its own task: clients of Redis have taken a cancellation for an answer, or broken off half-way.
                sending = DetachedTasks.here().start(self._send(server, messages))
                if not was_away:
                    waiting[sending] = server
        await self._wait_for(waiting)

    async def look(self) -> list[bool]:
        """Whether each server answers, found out now. Waits no longer than LAYER_TIMEOUT."""
        probes = self.group_on_each_server(PROBE_GROUP)
        sending = {
            DetachedTasks.here().start(self._send(server, [(group, {"type": PROBE_TYPE})])): server
            for server, group in enumerate(probes)
        }
        await self._wait_for(sending)
        self._measure()
        return [not self.is_away(server) for server in range(len(probes))]

    async def _wait_for(self, sending: Mapping[asyncio.Task[None], int]) -> None:
        if sending:
            _, late = await asyncio.wait(sending, timeout=LAYER_TIMEOUT)
            for task in late:
                self.lose(sending[task], TimeoutError("no answer"))

    async def _send(self, server: int, addressed: Iterable[tuple[str, Message]]) -> None:
        reached = False
        for group, message in addressed:
            try:
                await get_channel_layer().group_send(group, message)
                reached = True
            except Exception as error:
                if not is_mistake(error):
                    self.lose(server, error)
                    return
                # The other processes read entries from the database.
                logger.error("Can't send a %s to %s", message.get("type"), group, exc_info=error)
        if reached:
            self.find(server)

    def lose(self, server: int, error: Exception) -> None:
        """The server has failed with `error`, or doesn't answer."""
        if self._servers[server].lose():
            logger.warning("%s is away. Going on without it, from the database: %r", self._name(server), error)
            self._measure()

    def lose_receiving(self, error: Exception) -> None:
        """Nothing could be received. With several servers that says of none of them that it is away."""
        if self.server_count == 1:
            self.lose(0, error)
        else:
            logger.warning("Can't receive from the channel layer, trying again: %r", error)

    def find(self, server: int) -> None:
        """The server has answered."""
        if self._servers[server].find():
            logger.warning("%s is back.", self._name(server))
            self._measure()

    def _name(self, server: int) -> str:
        count = self.server_count
        return "The channel layer" if count == 1 else f"Server {server + 1} of {count} of the channel layer"

    def _measure(self) -> None:
        metrics.REDIS_UP.set(not self.is_any_away)
        for number, server in self._servers.items():
            metrics.REDIS_SERVER_UP.labels(number + 1).set(not server.away)


def is_mistake(error: Exception) -> bool:
    """Whether a message is the cause: it can't be packed, or unpacked. No server is away then."""
    return isinstance(error, TypeError | ValueError | OverflowError) and not isinstance(error, OSError)


def describe(answers: list[bool]) -> str:
    """The answers that `look` got, in words: `ok`, or which servers are away and what that means."""
    if all(answers):
        return "ok"
    if not any(answers):
        return "away: messages arrive by way of the database"
    away = ", ".join(str(number) for number, answer in enumerate(answers, 1) if not answer)
    return f"away: {away} of {len(answers)} servers; messages of the rooms there arrive by way of the database"
