"""Errors of tokens, each with a stable code, as those in `chat.errors`. The codes are those of RFC 6750."""

from chat.errors import ChatError


class InvalidToken(ChatError):
    """A token that is none, has expired or was revoked, or whose bot has been removed from its room."""

    code = "invalid_token"


class InsufficientScope(ChatError):
    """The token doesn't allow this: its scopes don't, or it is for other rooms."""

    code = "insufficient_scope"


class TooManyTokens(ChatError):
    """A user has as many tokens, or a room as many bots, as there may be."""

    code = "too_many_tokens"


class InvalidTokenRequest(ChatError):
    """A token is asked for without a scope, with one that doesn't exist, or for a time that is none."""

    code = "invalid_token_request"
