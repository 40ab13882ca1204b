"""A broadcast and nothing else: what the server itself costs per frame."""

from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

sends: set[Send] = set()


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    if scope["type"] != "websocket":
        return
    try:
        while (event := await receive())["type"] != "websocket.disconnect":
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
                sends.add(send)
            else:
                frame = {"type": "websocket.send", "text": event["text"]}
                for send_to in list(sends):
                    await send_to(frame)
    finally:
        sends.discard(send)
