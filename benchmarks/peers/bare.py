"""A broadcast and nothing else: what the server itself costs per frame.

Each message is read and written as JSON, once, with the keys and the length of this site's frames.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

OTHER_KEYS = {
    "kind": "message",
    "id": "0b9c2f64e1d84a0f9d5c7a3e8b1f6a27",
    "offset": 120,
    "room": "bench",
    "user": "guest-c3715bc2",
    "user_id": "guest-c3715bc2c573f4d2",
    "sent_at": "2026-01-31T14:29:07.874971+00:00",
    "origin": {"process": 4711, "thread": "MainThread"},
}

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
                said = {"message": json.loads(event["text"])["message"], **OTHER_KEYS}
                frame = {"type": "websocket.send", "text": json.dumps(said, separators=(",", ":"))}
                for send_to in list(sends):
                    await send_to(frame)
    finally:
        sends.discard(send)
