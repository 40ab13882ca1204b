"""Webhooks with real server processes: the one that delivers is killed in the middle of it, and another goes on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
from django.utils import timezone

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import bots, log, webhooks
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from chat.storage.webhooks import WebhookRequest
from tests.receivers import Received, Receiver, running_receiver, says
from tests.servers import Server

MESSAGES = 60  # in each room
ROOMS = ("room1", "room2")
ANN = Person(id="guest-00000000000000aa", name="Ann")
VARIABLES = {"CHAT_WEBHOOKS": "true", "CHAT_OUTGOING_NETWORKS": "127.0.0.0/8", "CHAT_WEBHOOK_TIMEOUT": "60"}


def make_webhooks(receiver: Receiver) -> None:
    """One for all entries of each room, whose answers are posted by a bot of the site."""
    bot = bots.make(username="echo", room=None, by=None)
    for name in ROOMS:
        log.append([Draft(room=find(name), text="before", person=ANN)])
        request = WebhookRequest(url=receiver.url(f"/{name}"), author_id=bot.pk)
        webhooks.make(room=find(name), request=request, by=None)


async def answer(received: Received, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each message by its own text, after a moment."""
    await asyncio.sleep(0.005)
    writer.write(says(f"re {received.data['message']}"))
    await writer.drain()


async def say_all(server: Server, name: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{server.host}/ws/chat/{name}/") as socket:
        for number in range(MESSAGES):
            await socket.send_json({"message": f"{number}", "client_id": f"mine-{number}"})
        said = set()
        async with asyncio.timeout(60):
            while len(said) < MESSAGES:
                client_id = json.loads(await socket.receive_str()).get("client_id") or ""
                if client_id.startswith("mine-"):
                    said.add(client_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def couriers_of_webhooks() -> set[str | None]:
    return {courier async for courier in models.Webhook.objects.values_list("courier", flat=True)}


async def replies(name: str) -> list[str]:
    found = models.Message.objects.filter(room__name=name, text__startswith="re ").order_by("offset")
    return [text async for text in found.values_list("text", flat=True)]


async def test_killed_process_leaves_no_hole_and_no_reply_is_posted_twice(
    start_servers: Callable[..., list[Server]],
) -> None:
    async with running_receiver() as receiver:
        await in_database(make_webhooks, receiver)
        receiver.answers = {f"/{name}": [answer] for name in ROOMS}
        (killed,) = await asyncio.to_thread(start_servers, 1, **VARIABLES)

        async def taken() -> bool:
            return None not in await couriers_of_webhooks()

        await until(taken)
        (courier,) = await couriers_of_webhooks()
        (other,) = await asyncio.to_thread(start_servers, 1, **VARIABLES)
        speaking = [asyncio.create_task(say_all(other, name)) for name in ROOMS]
        await receiver.until(lambda: all(len(receiver.at(f"/{name}")) > MESSAGES // 3 for name in ROOMS))
        killed.process.kill()
        await asyncio.gather(*speaking)
        past = timezone.now() - timedelta(seconds=1)
        await models.Courier.objects.filter(pk=courier).aupdate(until=past)  # as when its lease is over

        async def all_replied() -> bool:
            return all([len(await replies(name)) >= MESSAGES for name in ROOMS])

        await until(all_replied)
    for name in ROOMS:
        told = [one.data["offset"] for one in receiver.at(f"/{name}")]
        assert told == sorted(told)  # what was told twice was told so at once
        said = models.Message.objects.filter(room__name=name, person_id__startswith="guest-", offset__gt=1)
        assert sorted({*told}) == [offset async for offset in said.order_by("offset").values_list("offset", flat=True)]
        assert sorted(await replies(name)) == sorted(f"re {number}" for number in range(MESSAGES))
