"""Errors of invitations and of signing up, each with a stable code, as those in `chat.errors`."""

from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError


class InvalidInvitation(ChatError):
    """An invitation that is none, has expired, is used up or was revoked, or whose maker may not invite any more."""

    code = "invalid_invitation"

    def __init__(self) -> None:
        super().__init__(_("This invitation doesn’t hold any more. Ask for a new one."))


class TooManyInvitations(ChatError):
    """A room, or the site, has as many invitations as there may be."""

    code = "too_many_invitations"


class RegistrationClosed(ChatError):
    """Nobody can sign up here: CHAT_REGISTRATION."""

    code = "registration_closed"
