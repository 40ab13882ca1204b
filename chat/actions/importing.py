"""Tells those who have a room open of what was imported into it."""

from chat.delivery.publisher import publish
from chat.domain.events import Event


async def tell(last: Event | None) -> None:
    """Publishes the last entry of a room that is there now: its listeners read the others."""
    if last is not None:
        await publish(last)
