from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class PostMessageInput(BaseModel):
    room_name: str = Field(alias="roomName")
    message: str
    "The text, in a small Markdown: docs/protocol.md has its signs."
    client_id: Optional[str] = Field(alias="clientId", default=None)
    "An id of your own making, such as a UUID. Sent again with the same one, the message is said once."
    reply_to: Optional[int] = Field(alias="replyTo", default=None)
    "The `offset` of the message in this room that it replies to, and quotes."
    attachment_ids: Optional[list[str]] = Field(alias="attachmentIds", default=None)
    "Files that you have uploaded to this room: see docs/protocol.md. Then `message` may be empty."
