"""Arguments, and fields of inputs, that many operations have."""

from typing import Annotated, TypeVar

import strawberry

from chat.domain.rooms import NAME_MAX

ROOM_NAME = (
    f"The room's name: 1 to {NAME_MAX} characters of any script, or else the error `invalid_room_name`. Names that "
    "begin with `@` are those of direct rooms."
)
MESSAGE_OFFSET = "The `offset` of the message. Where there is none: the error `no_such_message`."
USERNAME = "The user's `username`. Where there is none: the error `no_such_person`."

Parameters = TypeVar("Parameters")

Input = Annotated[Parameters, strawberry.argument(description="The parameters, as one object.")]
MessageOffset = Annotated[int, strawberry.argument(description=MESSAGE_OFFSET)]
RoomName = Annotated[str, strawberry.argument(description=ROOM_NAME)]
