"""Control messages: what processes tell each other beside events. Hints as well: they may be lost, or come twice.

They are sent through a group on each of the layer's servers, and have an id, by which a process handles them once.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

# The groups of rooms begin with "chat_" and "chat.", so this is none of them. On other servers it is control.1 or so.
CONTROL_GROUP = "control"
CONTROL_TYPE = "chat.control"
ControlHandler = Callable[[Mapping[str, Any]], None]


def on_control(subject: str) -> Callable[[ControlHandler], ControlHandler]:
    """Decorator: calls a function, in the event loop of each hub, with what `hub.send_control` sends of the subject."""

    def register(function: ControlHandler) -> ControlHandler:
        _handlers[subject] = function
        return function

    return register


_handlers: dict[str, ControlHandler] = {}


def message(subject: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """The message as the channel layer carries it."""
    return {"type": CONTROL_TYPE, "id": uuid.uuid4().hex, "subject": subject, "about": about}


def handle(subject: str, about: Mapping[str, Any]) -> None:
    """Calls the subject's handler. Never raises: a message may be of another version."""
    try:
        _handlers[subject](about)
    except Exception as error:
        logger.warning("Can't make sense of what was told about %.100r: %r", subject, error)
