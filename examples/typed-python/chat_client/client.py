from collections.abc import AsyncIterator
from typing import Any, Optional, Union

from .async_base_client import AsyncBaseClient
from .base_model import UNSET, UnsetType
from .begin import Begin
from .history import History
from .input_types import PostMessageInput
from .listen import Listen
from .post import Post


def gql(q: str) -> str:
    return q


class Client(AsyncBaseClient):
    async def begin(self, room: str, **kwargs: Any) -> Begin:
        query = gql("""
            query Begin($room: String!) {
              me {
                id
                name
              }
              room(name: $room) {
                lastOffset
              }
            }
            """)
        variables: dict[str, object] = {"room": room}
        response = await self.execute(
            query=query, operation_name="Begin", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Begin.model_validate(data)

    async def listen(
        self,
        room: str,
        after: Union[Optional[int], UnsetType] = UNSET,
        after_id: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> AsyncIterator[Listen]:
        query = gql("""
            subscription Listen($room: String!, $after: Int, $afterId: ID) {
              roomMessages(
                rooms: [{roomName: $room, after: $after, afterId: $afterId}]
                kinds: [MESSAGE]
              ) {
                ...Heard
              }
            }

            fragment Heard on ChatRoomMessage {
              kind
              offset
              id
              message
              user {
                id
                name
              }
            }
            """)
        variables: dict[str, object] = {
            "room": room,
            "after": after,
            "afterId": after_id,
        }
        async for data in self.execute_ws(
            query=query, operation_name="Listen", variables=variables, **kwargs
        ):
            yield Listen.model_validate(data)

    async def history(
        self, room: str, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> History:
        query = gql("""
            query History($room: String!, $after: String) {
              room(name: $room) {
                messages(first: 100, after: $after) {
                  pageInfo {
                    hasNextPage
                  }
                  edges {
                    node {
                      ...Heard
                    }
                  }
                }
              }
            }

            fragment Heard on ChatRoomMessage {
              kind
              offset
              id
              message
              user {
                id
                name
              }
            }
            """)
        variables: dict[str, object] = {"room": room, "after": after}
        response = await self.execute(
            query=query, operation_name="History", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return History.model_validate(data)

    async def post(self, input: PostMessageInput, **kwargs: Any) -> Post:
        query = gql("""
            mutation Post($input: PostMessageInput!) {
              postMessage(input: $input) {
                message {
                  offset
                }
                error {
                  code
                  message
                  retryAfter
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="Post", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Post.model_validate(data)
