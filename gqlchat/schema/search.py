"""Search in what was said."""

from typing import Annotated

import strawberry
from strawberry.relay import PageInfo

from chat.actions import searching
from chat.domain import search_excerpts
from chat.domain.files import names_of
from chat.domain.search import NAMES_MAX, PHRASES_MAX, TEXT_MAX
from chat.domain.search_excerpts import excerpt
from chat.storage.pages import PAGE_SIZE
from chat.storage.search import Found, Results
from gqlchat.schema import context
from gqlchat.schema.connections import After, First, number_cursor, size_of
from gqlchat.schema.messages import ChatRoomMessage


@strawberry.type(description="A part of a text, as it was written.")
class ExcerptPart:
    text: str = strawberry.field(description="The characters of this part.")
    is_hit: bool = strawberry.field(description="Whether it is what was looked for.")

    @classmethod
    def of(cls, part: search_excerpts.Part) -> "ExcerptPart":
        return cls(text=part.text, is_hit=part.is_hit)


@strawberry.type(description="A message that was found, and its place among what was found.")
class SearchEdge:
    cursor: str = strawberry.field(description="The place, for `after`.")
    node: ChatRoomMessage = strawberry.field(description="The message.")
    excerpt: list[ExcerptPart] = strawberry.field(
        description="The text around what was looked for, in parts: put together, they are at most some 300 characters "
        "of `message`, with an ellipsis where something is left out."
    )

    @classmethod
    def of(cls, found: Found, results: Results, current_user: str) -> "SearchEdge":
        text = found.event.message or names_of(found.event.attachments)
        return cls(
            cursor=str(found.key),
            node=ChatRoomMessage.of(found.event, current_user, of_history=True),
            excerpt=[ExcerptPart.of(part) for part in excerpt(text, results.query.phrases)],
        )


@strawberry.type(
    description="Messages that were found, the newest first. For older ones, ask with `after: endCursor` while "
    "`hasNextPage` is true."
)
class SearchConnection:
    page_info: PageInfo = strawberry.field(description="The ends of this part, and whether there is more.")
    edges: list[SearchEdge] = strawberry.field(description="The messages of this part.")
    is_complete: bool = strawberry.field(
        description="False while older messages aren't indexed yet, so that some may be missing."
    )


@strawberry.type
class SearchQuery:
    @strawberry.field(
        description="Messages that you may read and that have all that `text` looks for: words, beginnings (`caf*`), "
        '`"phrases"`, `from:name`, `in:room`, `after:2026-01-31`, `before:2026-02-28` and `has:file`; without regard '
        "to case and diacritics."
    )
    async def search(
        self,
        info: strawberry.Info,
        text: Annotated[
            str,
            strawberry.argument(
                description=f"The search: at most {TEXT_MAX} characters, {PHRASES_MAX} words and {NAMES_MAX} people or "
                "rooms, or else the error `invalid_search`."
            ),
        ],
        room_name: Annotated[
            str | None, strawberry.argument(description="Searches this room alone, as `in:` does in the text.")
        ] = None,
        username: Annotated[
            str | None, strawberry.argument(description="Searches what this person wrote, as `from:` does in the text.")
        ] = None,
        first: First = PAGE_SIZE,
        after: After = None,
    ) -> SearchConnection:
        person = context.person(info)
        size, _ = size_of(first, None)
        key = number_cursor(after)
        results = await searching.find(
            text, person=person, size=size, after=key, room_name=room_name, username=username
        )
        edges = [SearchEdge.of(found, results, person.name) for found in results.found]
        page_info = PageInfo(
            has_previous_page=after is not None,
            has_next_page=results.has_more,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return SearchConnection(page_info=page_info, edges=edges, is_complete=results.is_complete)
