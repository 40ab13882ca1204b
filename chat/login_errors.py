"""Reasons why a login at the provider fails, each with a page of its own text."""

from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError


class LoginFailed(ChatError):
    """`status` is that of the page."""

    code = "login_failed"
    status = 403
    explanation = _("You can’t log in here.")

    def __init__(self) -> None:
        super().__init__(self.explanation)


class ProviderFailed(LoginFailed):
    """The provider can't be reached, or what it says can't be trusted. The log says more."""

    status = 502
    explanation = _(
        "The login service doesn’t answer as it should. Try again in a few minutes, or tell the site’s staff."
    )


class ProviderDeclined(LoginFailed):
    """The person said no there, or isn't let in."""

    explanation = _("The login service didn’t let you in, or you broke it off. You can try again.")


class LoginExpired(LoginFailed):
    """This browser didn't begin the login, has ended it already, or began it long ago."""

    status = 400
    explanation = _("This login was begun long ago, in another browser, or is done already. Please begin again.")


class AccountRefused(LoginFailed):
    """The account is deactivated, or is a bot's."""

    explanation = _("Your account here is deactivated. The site’s staff can tell you more.")


class AddressTaken(LoginFailed):
    """The account that has confirmed the address belongs to another identity at the provider already."""

    explanation = _(
        "The account here with your e-mail address belongs to somebody else at the login service. Log in there as "
        "before, or ask the site’s staff."
    )


class NoAccount(LoginFailed):
    """Nobody here belongs to the identity, and the site makes no accounts for those who come."""

    explanation = _("You have no account here, and this site makes none by itself. Ask its staff for one.")
