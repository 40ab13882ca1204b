"""The frames that a GraphQL subscriber sends, in either subprotocol.

In queries and variables, ROOMS stands for a list of rooms (`[{roomName:"bench"}]`), ROOM for the name of the first of
them, and NUMBER for the subscriber's number.
"""

import json
from collections.abc import Sequence

SAME = 'subscription{joinChatRooms(rooms:ROOMS,user:"foo"){roomName message currentUser}}'
DISTINCT = "subscription($user:String!){joinChatRooms(rooms:ROOMS,user:$user){roomName message currentUser}}"
DISTINCT_VARIABLES = '{"user":"userNUMBER"}'

START = {"graphql-transport-ws": "subscribe", "graphql-ws": "start"}


def room_names(room: str, rooms: int) -> list[str]:
    """`bench`, or where there are several rooms `bench-0`, `bench-1` …"""
    return [room] if rooms == 1 else [f"{room}-{number}" for number in range(rooms)]


def subscribe(*, protocol: str, id: str, query: str, variables: str | None, names: Sequence[str], number: int) -> bytes:
    """The frame that starts an operation."""
    payload: dict[str, object] = {"query": fill(query, names, number)}
    if variables:
        payload["variables"] = json.loads(fill(variables, names, number))
    return json.dumps({"type": START[protocol], "id": id, "payload": payload}).encode()


def fill(text: str, names: Sequence[str], number: int) -> str:
    rooms = ",".join(f'{{roomName:"{name}"}}' for name in names)
    return text.replace("ROOMS", f"[{rooms}]").replace("ROOM", names[0]).replace("NUMBER", str(number))
