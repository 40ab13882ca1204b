"""Tells those in a room what is shown of the pages that a message links to, as soon as that is known.

It is told live only, by a control message: nothing that anybody says depends on it, and the history has it, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chat.delivery import hub
from chat.delivery.control import on_control
from chat.delivery.hub import Hub
from chat.domain.events import Event, Kind
from chat.domain.links import Link
from chat.domain.rooms import Room

SUBJECT = "links"  # of the control messages


async def tell(room: Room, target: int, links: Sequence[Link]) -> None:
    """Tells all processes, after the fact, that the message at `target` shows these links."""
    about = {"room": room.name, "target": target, "links": [link.as_json() for link in links]}
    await hub.send_control(SUBJECT, about)


@on_control(SUBJECT)
def on_links(about: Mapping[str, Any]) -> None:
    room, links = Room(str(about["room"])), Link.all_from_json(about["links"])
    Hub.here().hear(Event(room=room, message="", kind=Kind.LINKS, target=int(about["target"]), links=links))
