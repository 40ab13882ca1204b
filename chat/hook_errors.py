"""Errors of incoming webhooks, each with a stable code, as those in `chat.errors`."""

from chat.errors import ChatError


class UnknownHookType(ChatError):
    """The body is of a type that isn't read."""

    code = "unsupported_type"


class InvalidHook(ChatError):
    """The body isn't what its type says, or there is no text in it."""

    code = "invalid_hook"


class NoRoomOfHook(ChatError):
    """The token is for no room or several, and the URL names none."""

    code = "no_rooms"


class WrongMethod(ChatError):
    """A webhook is asked for by another method than POST."""

    code = "method_not_allowed"
