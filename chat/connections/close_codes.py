"""The codes with which a socket is closed, from which its client knows whether to come back: docs/protocol.md."""

from chat.connections.sockets import LOG_IN, SLOW
from chat.errors import (
    Banned,
    ChatError,
    InternalError,
    LoginRequired,
    NotAllowed,
    NotAMember,
    SessionEnded,
    SlowListener,
    TooManyConnections,
    Unavailable,
)
from chat.token_errors import InsufficientScope

BAD_REQUEST = 4400
CLOSE_CODES: dict[type, int] = {
    LoginRequired: LOG_IN,
    SessionEnded: LOG_IN,
    InsufficientScope: 4403,
    NotAllowed: 4403,
    NotAMember: 4403,
    Banned: 4403,
    SlowListener: SLOW,
    TooManyConnections: 4429,
    Unavailable: 1013,
    InternalError: 1011,
}


def close_code(error: ChatError) -> int:
    """The code for an error, or else for the error that its class is derived from."""
    return next((CLOSE_CODES[kind] for kind in type(error).__mro__ if kind in CLOSE_CODES), BAD_REQUEST)
