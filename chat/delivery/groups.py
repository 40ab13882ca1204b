"""The groups that this process is in: those of logs with listeners here, and on each server one for control messages.

A process (an event loop, to be exact) has one channel, which is in each of these groups once. All that comes through
them is received there. While one of the layer's servers is away, only what is asked of that server fails, and one task
per server tries again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from channels.layers import get_channel_layer

from chat import metrics
from chat.delivery import availability, layer
from chat.delivery.control import CONTROL_GROUP
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.layer import Layer

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Group:
    """Whether the process is in one group, and what is done about it."""

    name: str
    server: int  # of the layer's servers, the one that the group is on
    is_control: bool = False
    joined: bool = False  # or was never told to have left
    leaving: bool = False  # whether it was tried to leave, and failed
    syncing: asyncio.Task[None] | None = None


class Groups:
    """Joins and leaves groups for one event loop, and receives what comes through them."""

    def __init__(self, receive: Callable[[Any], None]) -> None:
        """`receive` is called with each message, and must not raise."""
        self._receive = receive
        self._layer = Layer.here()
        self._wanted: set[str] = set()  # the groups of logs with listeners, and those of attendances
        self._others: dict[str, Group] = {}  # by name: those that the process is in, or that are to be joined
        self._control: dict[str, Group] = {}
        self._channel: str | None = None
        self._opening = asyncio.Lock()  # around making the channel
        self._receiving: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None  # the same task, once it has to end
        self._retrying: dict[int, asyncio.Task[None]] = {}  # by server, while it is away

    def __contains__(self, name: object) -> bool:
        """Whether the process is in that group, as far as is known here."""
        return name in self._others and self._others[name].joined

    def wants(self, name: str) -> bool:
        """Whether the process is, or is about to be, in that group."""
        return name in self._wanted

    async def want(self, wanted: Mapping[str, bool]) -> None:
        """Joins the groups that are wanted, and leaves the others; goes on when the caller is cancelled.

        Waits no longer than LAYER_TIMEOUT for the servers of these groups, and not at all for those that are away.
        """
        for name, is_wanted in wanted.items():
            if is_wanted:
                self._wanted.add(name)
                self._others.setdefault(name, Group(name, self._layer.server_of(name)))
            else:
                self._wanted.discard(name)
        if self._wanted and len(self._control) < self._layer.server_count:
            for server, name in enumerate(self._layer.group_on_each_server(CONTROL_GROUP)):
                self._control.setdefault(name, Group(name, server, is_control=True))
        changed = [self._others[name] for name in wanted if name in self._others]
        servers = {group.server for group in changed}
        syncing = self._sync_all([*changed, *self._control.values()])
        await self._wait_for({task: server for task, server in syncing.items() if server in servers})
        self._close_if_idle()
        if self._closing:
            await asyncio.wait([self._closing], timeout=layer.LAYER_TIMEOUT)

    async def _wait_for(self, syncing: Mapping[asyncio.Task[None], int]) -> None:
        if syncing:
            _, late = await asyncio.wait(syncing, timeout=layer.LAYER_TIMEOUT)
            for task in late:
                self._layer.lose(syncing[task], TimeoutError("no answer"))

    def _in_step(self, group: Group) -> bool:
        wanted = bool(self._wanted) if group.is_control else group.name in self._wanted
        return group.joined == wanted

    def _sync_all(self, groups: Iterable[Group]) -> dict[asyncio.Task[None], int]:
        """The tasks that bring groups in step, with their servers. For those that are away, one task tries."""
        syncing = {}
        for group in groups:
            if self._layer.is_away(group.server):
                self._forget_if_left(group)
                if not self._in_step(group):
                    self._retry(group.server)
            elif group.syncing or not self._in_step(group):
                syncing[self._sync(group)] = group.server
        return syncing

    def _sync(self, group: Group) -> asyncio.Task[None]:
        """The one task that brings this group in step, be it under way or new."""
        if group.syncing is None:
            group.syncing = DetachedTasks.here().start(self._do_sync(group))
        return group.syncing

    async def _do_sync(self, group: Group) -> None:
        try:
            while not self._in_step(group):
                await self._change(group)
                self._layer.find(group.server)
        except Exception as error:
            self._layer.lose(group.server, error)
            self._retry(group.server)
        finally:
            group.syncing = None
        self._forget_if_left(group)
        self._close_if_idle()

    async def _change(self, group: Group) -> None:
        if not group.joined:
            await get_channel_layer().group_add(group.name, await self._open())
            group.joined = True
        else:
            if group.leaving:  # a layer that failed to leave a group may have forgotten that it is in there
                await get_channel_layer().group_add(group.name, self._channel)
            group.leaving = True
            await get_channel_layer().group_discard(group.name, self._channel)
            group.joined = False
        group.leaving = False

    def _forget_if_left(self, group: Group) -> None:
        if not group.joined and not group.syncing and self._in_step(group):
            (self._control if group.is_control else self._others).pop(group.name, None)

    # While a server is away

    def _retry(self, server: int) -> None:
        if server not in self._retrying:
            self._retrying[server] = DetachedTasks.here().start(self._keep_retrying(server))

    async def _keep_retrying(self, server: int) -> None:
        """Tries one group at an interval; once that succeeds, all of the server's that are out of step."""
        try:
            while self._out_of_step(server):
                await asyncio.sleep(availability.RETRY_INTERVAL)
                for group in self._out_of_step(server)[:1]:
                    await asyncio.wait([self._sync(group)])
                if not self._layer.is_away(server) and (remaining := self._out_of_step(server)):
                    await asyncio.wait([self._sync(group) for group in remaining])
        finally:
            if self._retrying.get(server) is asyncio.current_task():
                del self._retrying[server]

    def _out_of_step(self, server: int) -> list[Group]:
        groups = [*self._others.values(), *self._control.values()]
        return [group for group in groups if group.server == server and not self._in_step(group)]

    # The channel

    async def _open(self) -> str:
        """This process's channel, at which it receives."""
        async with self._opening:
            if self._channel is None:
                self._channel = await get_channel_layer().new_channel()
                self._receiving = DetachedTasks.here().start(self._keep_receiving(self._channel))
            return self._channel

    async def _keep_receiving(self, channel: str) -> None:
        while True:
            try:
                message = await get_channel_layer().receive(channel)
            except Exception as error:
                if layer.is_mistake(error):  # anybody can send to a group
                    metrics.DROPPED.inc()
                    logger.warning("Dropped a message that can't be unpacked: %s", type(error).__name__)
                    await asyncio.sleep(0)
                else:
                    self._layer.lose_receiving(error)
                    await asyncio.sleep(availability.RETRY_INTERVAL)
            else:
                self._receive(message)

    def _close_if_idle(self) -> None:
        """Receives no more, if the process is in no group."""
        if self._others or self._control:
            return
        for retrying in self._retrying.values():
            retrying.cancel()
        self._retrying.clear()
        if self._receiving:
            self._receiving.cancel()
            self._closing = self._receiving
        self._receiving = self._channel = None
