"""An instance of the site reduced to its Valkey: sends the lines it reads to a group and prints those it receives.

    python -m tests.mysite.instance <directory>

The first line it prints is the run id of its server. It ends with its standard input.
"""

import asyncio
import sys
from pathlib import Path

import redis.asyncio

from mysite.valkey import ValkeyChannelLayer, ValkeyUnavailable, url

GROUP = "everybody"


async def main(directory: Path) -> None:
    layer = ValkeyChannelLayer(directory)
    channel = await open_channel(layer)
    async with redis.asyncio.from_url(url(directory)) as client:
        print((await client.info("server"))["run_id"], flush=True)
    await layer.group_add(GROUP, channel)
    hearing = asyncio.create_task(hear(layer, channel))
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            await layer.group_send(GROUP, {"type": "line", "text": line.strip()})
        except (OSError, redis.RedisError) as error:
            print(f"Not sent: {error!r}", file=sys.stderr)
    hearing.cancel()


async def open_channel(layer: ValkeyChannelLayer) -> str:
    """Tries until the server answers, as the site does: a keeper that is about to stop it takes a while to do so."""
    while True:
        try:
            return await layer.new_channel()
        except ValkeyUnavailable:
            await asyncio.sleep(0.1)


async def hear(layer: ValkeyChannelLayer, channel: str) -> None:
    while True:
        print((await layer.receive(channel))["text"], flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
