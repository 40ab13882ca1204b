"""The scenario at the end of Strawberry's guide: a GraphQL client and a browser in the same rooms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport

from tests.browser.live import LiveSiteTestCase
from tests.browser.room_window import RoomWindow, enter

SUBSCRIBE = """
subscription SubscribeToChatRooms {
  joinChatRooms(rooms: [{ roomName: "room1" }, { roomName: "room2" }] user: "foo") { roomName message currentUser }
}
"""
SEND = """mutation echo { sendChatMessage(message: "hello room 1", room: { roomName: "room1" }) }"""


class Heard:
    """The results of a `joinChatRooms` subscription, one at a time."""

    def __init__(self, results: AsyncIterator[dict[str, Any]]) -> None:
        self.results = results

    async def next(self) -> dict[str, str]:
        async with asyncio.timeout(10):
            return (await anext(self.results))["joinChatRooms"]


class GuideTests(LiveSiteTestCase):
    async def test_graphql_client_hears_browsers_in_two_rooms(self) -> None:
        await self.hears_browsers(WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL)

    async def test_graphql_client_with_the_older_subprotocol_hears_browsers_in_two_rooms(self) -> None:
        await self.hears_browsers(WebsocketsTransport.APOLLO_SUBPROTOCOL)

    async def test_browser_shows_a_message_sent_by_mutation_over_http(self) -> None:
        browser = self.enter("room1")
        async with Client(transport=AIOHTTPTransport(f"{self.live_server_url}/graphql")) as session:
            assert await session.execute(gql(SEND)) == {"sendChatMessage": None}
        browser.hear("hello room 1")

    async def hears_browsers(self, subprotocol: str) -> None:
        async with self.subscribe(subprotocol) as heard:
            assert [await heard.next(), await heard.next()] == [
                {"roomName": "room1", "message": "Hello my name is foo!", "currentUser": "foo"},
                {"roomName": "room2", "message": "Hello my name is foo!", "currentUser": "foo"},
            ]
            for room in ["room2", "room1"]:
                self.enter(room).say(f"from the browser in {room}")
                said = {"roomName": room, "message": f"from the browser in {room}", "currentUser": "foo"}
                assert await heard.next() == said

    @asynccontextmanager
    async def subscribe(self, subprotocol: str) -> AsyncIterator[Heard]:
        transport = WebsocketsTransport(f"{self.live_server_ws_url}/graphql", subprotocols=[subprotocol])
        async with Client(transport=transport) as session:
            assert transport.subprotocol == subprotocol
            results = session.subscribe(gql(SUBSCRIBE))
            yield Heard(results)
            await results.aclose()

    def enter(self, room: str) -> RoomWindow:
        return enter(self.browser, self.live_server_url, room)
