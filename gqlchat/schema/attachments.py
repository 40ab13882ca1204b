"""Files of messages."""

import strawberry

from chat.domain import files
from chat.domain.rooms import Room


@strawberry.type(description="An image that stands for a file.")
class Preview:
    url: str = strawberry.field(description="The path of its address on this site.")
    width: int = strawberry.field(description="Pixels.")
    height: int = strawberry.field(description="Pixels.")


@strawberry.type(description="A file of a message.")
class Attachment:
    id: strawberry.ID = strawberry.field(description="The id that uploading it returned.")
    name: str = strawberry.field(description="One line without slashes, of at most 255 bytes of UTF-8.")
    type: str = strawberry.field(
        description="By the content: an image, audio or video that may be shown, or else `application/octet-stream`."
    )
    size: int = strawberry.field(description="Bytes.")
    url: str = strawberry.field(
        description="The path of its address on this site, for those who may read the room when they ask for it."
    )
    preview: Preview | None = strawberry.field(description="Null where the file isn't an image.")

    @classmethod
    def of(cls, attachment: files.Attachment, room: Room) -> "Attachment":
        preview = None
        if size := attachment.preview:
            preview = Preview(url=attachment.preview_path(room), width=size.width, height=size.height)
        return cls(
            id=strawberry.ID(attachment.id),
            name=attachment.name,
            type=attachment.type,
            size=attachment.size,
            url=attachment.path(room),
            preview=preview,
        )
