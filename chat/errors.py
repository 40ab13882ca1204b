"""The errors of the domain, each with a stable code that clients may rely on.

The text tells a person what to do. Each door decides how an error travels, and in which language: errors are raised in
threads and in batches that work for many people, so the text is made where it is sent, by `chat.domain.languages`.
"""

import logging
import math
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import metrics

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)

grouped = lazy(partial(number_format, force_grouping=True), str)
"""A number as a parameter of an error's text: `grouped(64000)` is “64,000”, and “64.000” in German."""


class ChatError(Exception):
    """A request that can't be met; its `str()` is written for the person who made it, in the language that is active.

    `text` is marked for translation, and has a place for each parameter: `Banned(_("You are banned from “{room}”."),
    room=room.name)`. With ngettext_lazy, its third argument is the name of the parameter that is counted.
    """

    code = "error"

    def __init__(self, text: "StrOrPromise", **parameters: object) -> None:
        super().__init__(text)
        self.text = text
        self.parameters = parameters

    def __str__(self) -> str:
        return self.text.format(**self.parameters) if self.parameters else str(self.text)

    @property
    def details(self) -> dict[str, Any]:
        """Facts for programs, as JSON: the code at least."""
        return {"code": self.code}


class InvalidName(ChatError):
    """A name of a room or a person is empty, too long, or has characters that a name can't have."""

    code = "invalid_name"


class InvalidRoomName(InvalidName):
    code = "invalid_room_name"


class InvalidMessage(ChatError):
    """The message is not a text, or one that can't be stored or sent on."""

    code = "invalid_message"


class BlankMessage(InvalidMessage):
    code = "blank_message"


class MessageTooLong(InvalidMessage):
    code = "message_too_long"


class InvalidClientId(ChatError):
    """A client's own id of a message is not a text of 1 to 100 characters."""

    code = "invalid_client_id"


class InvalidPosition(ChatError):
    """A value that can't be an offset of a room's log."""

    code = "invalid_position"


class InvalidPage(ChatError):
    """A page of a list that is too large, or asked for from both ends."""

    code = "invalid_page"


class NoRooms(ChatError):
    """A request to listen that names no room."""

    code = "no_rooms"


class LoginRequired(ChatError):
    code = "login_required"


class NotAMember(ChatError):
    """The room is private, and the person is not a member."""

    code = "not_a_member"


class Removed(NotAMember):
    """A listener's person has been removed from a private room."""

    code = "removed"


class Banned(ChatError):
    """The person is banned from this room."""

    code = "banned"


class NotAllowed(ChatError):
    """The person's role in the room does not allow it."""

    code = "not_allowed"


class ReadOnly(ChatError):
    """The room is read-only: only its owners and moderators may post."""

    code = "read_only"


class InvalidSlowMode(ChatError):
    """A pause between messages that is no whole number of seconds, or too long."""

    code = "invalid_slow_mode"


class InvalidReason(ChatError):
    """The reason of a report is not a text of at most 500 characters."""

    code = "invalid_reason"


class TooManyIgnored(ChatError):
    """A person ignores as many others as one may."""

    code = "too_many_ignored"


class NoSuchMessage(ChatError):
    """No message is kept under that offset."""

    code = "no_such_message"


class InvalidEmoji(ChatError):
    """A reaction is not exactly one emoji."""

    code = "invalid_emoji"


class TooManyReactions(ChatError):
    """A message has as many different emoji as it may have, and the one asked for is none of them."""

    code = "too_many_reactions"


class NoSuchPerson(ChatError):
    """There is no account of that name, and no person with that id."""

    code = "no_such_person"


class InvalidPeople(ChatError):
    """A direct room is asked for with nobody else, or with too many."""

    code = "invalid_people"


class InvalidProfile(ChatError):
    """A line about oneself, or a time zone, that can't be one."""

    code = "invalid_profile"


class NameTaken(InvalidName):
    """Another account has that name, or one that looks like it, as its username or its display name."""

    code = "name_taken"


class LastOwner(ChatError):
    """The room would be left without an owner."""

    code = "last_owner"


class RoomExists(ChatError):
    """A room of that name exists already."""

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
    """A frame of a WebSocket has more than CHAT_FRAME_MAX bytes."""

    code = "frame_too_long"


class RateLimited(ChatError):
    """A person or an address exceeds its rate: CHAT_RATE_PERSON and so on."""

    code = "rate_limited"
    wording = ngettext_lazy(
        "That was too fast. Please try again in {seconds} second.",
        "That was too fast. Please try again in {seconds} seconds.",
        "seconds",
    )

    def __init__(self, retry_after: float) -> None:
        super().__init__(self.wording, seconds=math.ceil(retry_after))
        self.retry_after = round(retry_after, 3)
        """Seconds until the same request may succeed."""

    @property
    def details(self) -> dict[str, Any]:
        return {**super().details, "retry_after": self.retry_after}


class SlowMode(RateLimited):
    """The room is in slow mode, and the person has posted there a short while ago."""

    code = "slow_mode"
    wording = ngettext_lazy(
        "Slow mode: you can write again in {seconds} second.",
        "Slow mode: you can write again in {seconds} seconds.",
        "seconds",
    )


class SessionEnded(ChatError):
    """The login of a connection has ended: logged out, no active user any more, or the session is over."""

    code = "session_ended"


class Unavailable(ChatError):
    """The database does not answer: nothing was stored, or nothing can be read."""

    code = "unavailable"


class SlowListener(ChatError):
    """A listener took its events so slowly that its outbox is full; it missed some and has to start over."""

    code = "slow_listener"


class InternalError(ChatError):
    """Stands for an unexpected exception. `id` finds it in the log."""

    code = "internal_error"

    def __init__(self, id: str) -> None:
        super().__init__(_("Something went wrong on the server."))
        self.id = id

    @property
    def details(self) -> dict[str, Any]:
        return {"code": self.code, "id": self.id}


def unforeseen(error: BaseException) -> ChatError:
    """`error` as clients may see it. The original goes into the log, with its traceback."""
    if isinstance(error, ChatError):
        return error
    masked = InternalError(secrets.token_hex(6))
    logger.error("Something went wrong, told as %s", masked.id, exc_info=error, extra={"error_id": masked.id})
    metrics.MASKED_ERRORS.inc()
    return masked
