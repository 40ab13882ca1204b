from pydantic import Field

from .base_model import BaseModel
from .fragments import Heard


class Listen(BaseModel):
    room_messages: "ListenRoomMessages" = Field(alias="roomMessages")


ListenRoomMessages = Heard
Listen.model_rebuild()
