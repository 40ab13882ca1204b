"""Frames that come from a browser: JSON as text. `docs/protocol.md` lists them."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.actions.rate_limits import check_frame
from chat.domain.people import NAME_MAX
from chat.domain.texts import CLIENT_ID_MAX, is_storable
from chat.errors import ChatError
from chat.models import Involvement


class InvalidFrame(ChatError):
    """A frame that is none of those in docs/protocol.md."""

    code = "invalid_frame"


PURPOSES = (
    *("edit", "message", "delete", "react", "typing", "before", "after", "complete", "versions"),
    "remove_preview",
    *("read", "unread", "read_all", "involvement", "leave"),
    *("report", "reports", "dismiss", "ignore"),
    *("visible", "me", "ping"),
)
"""Keys, each of which names what a frame is for; where there are several, the first of these counts."""


def read_frame(text: str | None) -> dict[str, Any]:
    """A JSON object. Raises InvalidFrame or FrameTooLong."""
    if text is None:
        raise InvalidFrame(_("Binary frames aren’t understood here: send JSON as text."))
    check_frame(text)
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame(_("The frame is not JSON.")) from None
    if not isinstance(frame, dict):
        raise InvalidFrame(_("The frame has to be a JSON object."))
    return frame


def purpose_of(frame: dict[str, Any]) -> str:
    """One of PURPOSES. Raises InvalidFrame."""
    for purpose in PURPOSES:
        if purpose in frame:
            return purpose
    raise InvalidFrame(_("The frame has no “message”."))


def read_request(question: dict[str, Any]) -> dict[str, str]:
    """The client's own id of its question, as the answer has it: {"request": id}, or {}. Raises InvalidFrame."""
    request = question.get("request")
    if request is None:
        return {}
    if isinstance(request, str) and len(request) <= CLIENT_ID_MAX and is_storable(request):
        return {"request": request}
    raise InvalidFrame(
        _("A client’s id of a question has to be a text of at most {longest} characters."), longest=CLIENT_ID_MAX
    )


def read_typing(frame: dict[str, Any]) -> bool:
    """Raises InvalidFrame."""
    if not isinstance(frame["typing"], bool):
        raise InvalidFrame(_("“{key}” has to be true or false."), key="typing")
    return frame["typing"]


def read_visible(frame: dict[str, Any]) -> bool:
    """Whether somebody can see the page. Raises InvalidFrame."""
    if not isinstance(frame["visible"], bool):
        raise InvalidFrame(_("“{key}” has to be true or false."), key="visible")
    return frame["visible"]


def read_on(frame: dict[str, Any]) -> bool:
    """Whether a reaction, say, is to be there, which it is unless the frame says otherwise. Raises InvalidFrame."""
    on = frame.get("on", True)
    if isinstance(on, bool):
        return on
    raise InvalidFrame(_("“{key}” has to be true or false."), key="on")


def read_url(frame: dict[str, Any]) -> str:
    """Raises InvalidFrame."""
    if not isinstance(frame.get("url"), str):
        raise InvalidFrame(_("“{key}” has to be a text."), key="url")
    url: str = frame["url"]
    return url


def read_beginning(frame: dict[str, Any]) -> str:
    """The beginning of a name. Raises InvalidFrame."""
    beginning = frame["complete"]
    if isinstance(beginning, str) and len(beginning) <= NAME_MAX and is_storable(beginning):
        return beginning
    raise InvalidFrame(_("The beginning of a name has to be a text of at most {longest} characters."), longest=NAME_MAX)


def read_involvement(given: object) -> Involvement:
    """Raises InvalidFrame."""
    if isinstance(given, str) and given in Involvement.values:
        return Involvement(given)
    raise InvalidFrame(_("An involvement has to be one of {values}."), values=", ".join(Involvement.values))


def read_ping(frame: dict[str, Any]) -> int:
    """Raises InvalidFrame if it is no whole number of those that every client can hold."""
    ping = frame["ping"]
    if isinstance(ping, bool) or not isinstance(ping, int) or not 0 <= ping < 2**53:
        raise InvalidFrame(_("A ping has to be a whole number, 0 or more."))
    return ping
