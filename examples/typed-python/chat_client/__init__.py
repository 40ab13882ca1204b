from .async_base_client import AsyncBaseClient
from .base_model import BaseModel, Upload
from .begin import Begin, BeginMe, BeginRoom
from .client import Client
from .enums import MessageKind
from .exceptions import (
    GraphQLClientError,
    GraphQLClientGraphQLError,
    GraphQLClientGraphQLMultiError,
    GraphQLClientHttpError,
    GraphQLClientInvalidResponseError,
)
from .fragments import Heard, HeardUser
from .history import (
    History,
    HistoryRoom,
    HistoryRoomMessages,
    HistoryRoomMessagesEdges,
    HistoryRoomMessagesEdgesNode,
    HistoryRoomMessagesPageInfo,
)
from .input_types import PostMessageInput
from .listen import Listen, ListenRoomMessages
from .post import Post, PostPostMessage, PostPostMessageError, PostPostMessageMessage

__all__ = [
    "AsyncBaseClient",
    "BaseModel",
    "Begin",
    "BeginMe",
    "BeginRoom",
    "Client",
    "GraphQLClientError",
    "GraphQLClientGraphQLError",
    "GraphQLClientGraphQLMultiError",
    "GraphQLClientHttpError",
    "GraphQLClientInvalidResponseError",
    "Heard",
    "HeardUser",
    "History",
    "HistoryRoom",
    "HistoryRoomMessages",
    "HistoryRoomMessagesEdges",
    "HistoryRoomMessagesEdgesNode",
    "HistoryRoomMessagesPageInfo",
    "Listen",
    "ListenRoomMessages",
    "MessageKind",
    "Post",
    "PostMessageInput",
    "PostPostMessage",
    "PostPostMessageError",
    "PostPostMessageMessage",
    "Upload",
]
