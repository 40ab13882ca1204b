"""The root types: what there is to ask, to do and to listen to, each noun's part from its own file."""

import strawberry

from gqlchat.schema.direct import DirectMutation
from gqlchat.schema.editing import EditingMutation, EditingQuery
from gqlchat.schema.ignoring import IgnoringMutation
from gqlchat.schema.mentions import MentionQuery
from gqlchat.schema.moderation import ModerationMutation
from gqlchat.schema.my_rooms import MyRoomsMutation, MyRoomsQuery, MyRoomsSubscription
from gqlchat.schema.people import PersonMutation, PersonQuery
from gqlchat.schema.posting import PostingMutation
from gqlchat.schema.presence import PresenceMutation, PresenceSubscription
from gqlchat.schema.reacting import ReactingMutation
from gqlchat.schema.reports import ReportMutation
from gqlchat.schema.rooms import RoomQuery
from gqlchat.schema.subscriptions import MessageSubscription


@strawberry.type
class Query(EditingQuery, MentionQuery, MyRoomsQuery, PersonQuery, RoomQuery):
    pass


@strawberry.type
class Mutation(
    DirectMutation,
    EditingMutation,
    IgnoringMutation,
    ModerationMutation,
    MyRoomsMutation,
    PersonMutation,
    PostingMutation,
    PresenceMutation,
    ReactingMutation,
    ReportMutation,
):
    pass


@strawberry.type
class Subscription(MessageSubscription, MyRoomsSubscription, PresenceSubscription):
    pass
