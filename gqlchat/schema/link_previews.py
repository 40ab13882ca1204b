"""Previews of the pages that messages link to."""

import strawberry

from chat.actions import link_previews
from chat.domain import rooms
from chat.storage.history import check_offset
from gqlchat.schema import context
from gqlchat.schema.arguments import MESSAGE_OFFSET, ROOM_NAME, Input
from gqlchat.schema.errors import ERROR, Problem, errors_in


@strawberry.input(description="The parameters of `removeLinkPreview`.")
class RemoveLinkPreviewInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description=MESSAGE_OFFSET)
    url: str = strawberry.field(description="The `url` of one of its `links`.")


@strawberry.type(description="The outcome of `removeLinkPreview`: `error` is null where it went well.")
class RemoveLinkPreviewPayload:
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class LinkPreviewMutation:
    @strawberry.mutation(
        description="Takes the preview of a page from a message, which doesn't show it again after edits either. All "
        "hear it who ask for LINKS. For its author, moderators and owners."
    )
    @errors_in(RemoveLinkPreviewPayload)
    async def remove_link_preview(
        self, info: strawberry.Info, input: Input[RemoveLinkPreviewInput]
    ) -> RemoveLinkPreviewPayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), check_offset(input.offset)
        await link_previews.remove(room=room, offset=offset, url=input.url, person=person)
        return RemoveLinkPreviewPayload()
