from pydantic import Field

from .base_model import BaseModel


class Begin(BaseModel):
    me: "BeginMe"
    room: "BeginRoom"


class BeginMe(BaseModel):
    id: str
    name: str


class BeginRoom(BaseModel):
    last_offset: int = Field(alias="lastOffset")


Begin.model_rebuild()
