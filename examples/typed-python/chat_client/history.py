from pydantic import Field

from .base_model import BaseModel
from .fragments import Heard


class History(BaseModel):
    room: "HistoryRoom"


class HistoryRoom(BaseModel):
    messages: "HistoryRoomMessages"


class HistoryRoomMessages(BaseModel):
    page_info: "HistoryRoomMessagesPageInfo" = Field(alias="pageInfo")
    edges: list["HistoryRoomMessagesEdges"]


class HistoryRoomMessagesPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")


class HistoryRoomMessagesEdges(BaseModel):
    node: "HistoryRoomMessagesEdgesNode"


HistoryRoomMessagesEdgesNode = Heard
History.model_rebuild()
HistoryRoom.model_rebuild()
HistoryRoomMessages.model_rebuild()
HistoryRoomMessagesEdges.model_rebuild()
