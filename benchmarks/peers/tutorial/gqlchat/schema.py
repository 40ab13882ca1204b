import os
import threading
from collections.abc import AsyncGenerator

import strawberry
from channels.layers import get_channel_layer  # noqa: TID251

# The guide's greeting: everyone who joins tells everyone, which drowns all messages from a few hundred on.
GREETS = bool(os.environ.get("GREETS"))


@strawberry.input
class ChatRoom:
    room_name: str


@strawberry.type
class ChatRoomMessage:
    room_name: str
    current_user: str
    message: str


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def send_chat_message(self, room: ChatRoom, message: str) -> None:
        group = f"chat_{room.room_name}"
        await get_channel_layer().group_send(group, {"type": "chat.message", "room_id": group, "message": message})


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def join_chat_rooms(
        self, info: strawberry.Info, rooms: list[ChatRoom], user: str
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        ws = info.context["ws"]
        groups = [f"chat_{room.room_name}" for room in rooms]
        if GREETS:
            greeting = f"process: {os.getpid()} thread: {threading.current_thread().name} -> Hello my name is {user}!"
            for group in groups:
                await ws.channel_layer.group_add(group, ws.channel_name)
                await ws.channel_layer.group_send(
                    group, {"type": "chat.message", "room_id": group, "message": greeting}
                )
        async with ws.listen_to_channel("chat.message", groups=groups) as messages:
            async for message in messages:
                if message["room_id"] in groups:
                    yield ChatRoomMessage(room_name=message["room_id"], message=message["message"], current_user=user)


schema = strawberry.Schema(Query, Mutation, Subscription)
