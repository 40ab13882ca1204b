"""The root types: what there is to ask, to do and to listen to, each noun's part from its own file."""

import strawberry

from gqlchat.schema.direct import DirectMutation
from gqlchat.schema.editing import EditingMutation, EditingQuery
from gqlchat.schema.ignoring import IgnoringMutation
from gqlchat.schema.link_previews import LinkPreviewMutation
from gqlchat.schema.mentions import MentionQuery
from gqlchat.schema.moderation import ModerationMutation
from gqlchat.schema.my_rooms import MyRoomsMutation, MyRoomsQuery, MyRoomsSubscription
from gqlchat.schema.people import PersonMutation, PersonQuery
from gqlchat.schema.posting import PostingMutation
from gqlchat.schema.presence import PresenceMutation, PresenceSubscription
from gqlchat.schema.reacting import ReactingMutation
from gqlchat.schema.reports import ReportMutation
from gqlchat.schema.rooms import RoomQuery
from gqlchat.schema.search import SearchQuery
from gqlchat.schema.subscriptions import MessageSubscription

YOU = "In these descriptions, “you” is the person who asks."


@strawberry.type(description=f"Questions. {YOU} `me` tells who that is.")
class Query(EditingQuery, MentionQuery, MyRoomsQuery, PersonQuery, RoomQuery, SearchQuery):
    pass


@strawberry.type(
    description="Changes. A payload has the reason why something was not done in its `error`. Elsewhere, as in "
    "`sendChatMessage`, in queries and in subscriptions, it is an error of GraphQL, with its `code` in `extensions`."
)
class Mutation(
    DirectMutation,
    EditingMutation,
    IgnoringMutation,
    LinkPreviewMutation,
    ModerationMutation,
    MyRoomsMutation,
    PersonMutation,
    PostingMutation,
    PresenceMutation,
    ReactingMutation,
    ReportMutation,
):
    pass


@strawberry.type(
    description="Events, over WebSocket or as server-sent events. Subscribers who ask for the same share one "
    "execution, but for those of `myRoomChanges`."
)
class Subscription(MessageSubscription, MyRoomsSubscription, PresenceSubscription):
    pass
