"""Browsers and a GraphQL client on three servers, in one room."""

from collections.abc import Callable

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.servers import Server

JOIN = 'subscription { joinChatRooms(rooms: [{ roomName: "room1" }], user: "foo") { message } }'


async def test_browsers_and_graphql_client_on_three_servers_hear_each_other(
    start_servers: Callable[[int], list[Server]], browser: Chromium
) -> None:
    first, second, third = start_servers(3)
    one = enter(browser, f"http://{first.host}", "room1")
    other = enter(browser, f"http://{second.host}", "room1")
    async with Client(transport=WebsocketsTransport(f"ws://{third.host}/graphql")) as session:
        results = session.subscribe(gql(JOIN))
        assert await anext(results) == {"joinChatRooms": {"message": "Hello my name is foo!"}}

        one.say("from the first")
        other.hear("from the first")
        other.say("from the second")
        one.hear("from the second")

        for message in ["from the first", "from the second"]:
            assert await anext(results) == {"joinChatRooms": {"message": message}}
        await results.aclose()
    assert one.lines == other.lines == ["Hello my name is foo!", "from the first", "from the second"]
