from typing import Optional

from .base_model import BaseModel
from .enums import MessageKind


class Heard(BaseModel):
    kind: MessageKind
    offset: Optional[int]
    id: Optional[str]
    message: str
    user: Optional["HeardUser"]


class HeardUser(BaseModel):
    id: str
    name: str


Heard.model_rebuild()
