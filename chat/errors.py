"""What can go wrong with a request: domain errors, each with a stable code that clients may rely on.

The text says to a person what to do. How an error travels is each adapter's matter.
"""

import logging
import math
import secrets
from typing import Any

from chat import metrics

logger = logging.getLogger(__name__)


class ChatError(Exception):
    """Something was asked for that can't be done; `str()` of it is written for whoever asked."""

    code = "error"

    @property
    def details(self) -> dict[str, Any]:
        """What programs may want to know beside the text, as JSON: the code at least."""
        return {"code": self.code}


class InvalidName(ChatError):
    """A name of a room or a person is empty, too long or has characters that a name can't have."""

    code = "invalid_name"


class InvalidRoomName(InvalidName):
    code = "invalid_room_name"


class InvalidMessage(ChatError):
    """The message is no text, or a text that can't be stored or sent on."""

    code = "invalid_message"


class BlankMessage(InvalidMessage):
    code = "blank_message"


class MessageTooLong(InvalidMessage):
    code = "message_too_long"


class InvalidClientId(ChatError):
    """A client's own id of a message is no text of 1 to 100 characters."""

    code = "invalid_client_id"


class InvalidPosition(ChatError):
    """What was given as an offset of a room's log can't be one."""

    code = "invalid_position"


class InvalidPage(ChatError):
    """A part of a list was asked for that is too large, or from both ends."""

    code = "invalid_page"


class NoRooms(ChatError):
    """Somebody wants to listen, but names no room."""

    code = "no_rooms"


class LoginRequired(ChatError):
    code = "login_required"


class NotAMember(ChatError):
    """The room is private, and whoever asks is none of its members."""

    code = "not_a_member"


class Removed(NotAMember):
    """Who listens in a private room has been removed from it."""

    code = "removed"


class Banned(ChatError):
    """Whoever asks may not be in this room."""

    code = "banned"


class NotAllowed(ChatError):
    """It takes another role in the room to do that."""

    code = "not_allowed"


class NoSuchMessage(ChatError):
    """No message is kept under that offset."""

    code = "no_such_message"


class NoSuchPerson(ChatError):
    """Nobody has an account of that name, or is there by that id."""

    code = "no_such_person"


class LastOwner(ChatError):
    """The room would be left without an owner."""

    code = "last_owner"


class RoomExists(ChatError):
    """A room of that name is there already."""

    code = "room_exists"


class TooManyConnections(ChatError):
    """An address has CHAT_CONNECTIONS_PER_ADDRESS open already."""

    code = "too_many_connections"


class TooManySubscriptions(ChatError):
    """A connection has CHAT_SUBSCRIPTIONS_PER_CONNECTION under way already."""

    code = "too_many_subscriptions"


class TooManyRooms(ChatError):
    """A subscription is for more than CHAT_ROOMS_PER_SUBSCRIPTION."""

    code = "too_many_rooms"


class FrameTooLong(ChatError):
    """What came through a WebSocket has more than CHAT_FRAME_MAX bytes."""

    code = "frame_too_long"


class RateLimited(ChatError):
    """Somebody, or an address, says more in a while than its rates allow, CHAT_RATE_PERSON and so on."""

    code = "rate_limited"

    def __init__(self, retry_after: float) -> None:
        self.retry_after = round(retry_after, 3)
        """In how many seconds one may go on."""
        seconds = math.ceil(retry_after)
        super().__init__(f"That was too fast. Please try again in {seconds} second{'s' if seconds > 1 else ''}.")

    @property
    def details(self) -> dict[str, Any]:
        return {**super().details, "retry_after": self.retry_after}


class SessionEnded(ChatError):
    """Who was logged in has logged out since, or is no user any more; or a guest's session is over."""

    code = "session_ended"


class Unavailable(ChatError):
    """The database does not answer: nothing was stored, or nothing can be read."""

    code = "unavailable"


class SlowListener(ChatError):
    """A listener took its events so slowly that its outbox is full; it missed some and has to start over."""

    code = "slow_listener"


class InternalError(ChatError):
    """What clients are told of an exception that nobody foresaw. `id` finds it in the log."""

    code = "internal_error"

    def __init__(self, id: str) -> None:
        super().__init__("Something went wrong on the server.")
        self.id = id

    @property
    def details(self) -> dict[str, Any]:
        return {"code": self.code, "id": self.id}


def unforeseen(error: BaseException) -> ChatError:
    """`error` as clients may see it. What it really is goes into the log, with its traceback."""
    if isinstance(error, ChatError):
        return error
    masked = InternalError(secrets.token_hex(6))
    logger.error("Something went wrong, told as %s", masked.id, exc_info=error, extra={"error_id": masked.id})
    metrics.MASKED_ERRORS.inc()
    return masked
