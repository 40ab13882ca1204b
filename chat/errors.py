"""What can go wrong with a request: domain errors, each with a stable code that clients may rely on.

The text says to a person what to do. How an error travels is each adapter's matter.
"""


class ChatError(Exception):
    """Something was asked for that can't be done; `str()` of it is written for whoever asked."""

    code = "error"


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


class Unavailable(ChatError):
    """The database does not answer: nothing was stored, or nothing can be read."""

    code = "unavailable"


class SlowListener(ChatError):
    """A listener took its events so slowly that its outbox is full; it missed some and has to start over."""

    code = "slow_listener"
