from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Post(BaseModel):
    post_message: "PostPostMessage" = Field(alias="postMessage")


class PostPostMessage(BaseModel):
    message: Optional["PostPostMessageMessage"]
    error: Optional["PostPostMessageError"]


class PostPostMessageMessage(BaseModel):
    offset: Optional[int]


class PostPostMessageError(BaseModel):
    code: str
    message: str
    retry_after: Optional[float] = Field(alias="retryAfter")


Post.model_rebuild()
PostPostMessage.model_rebuild()
