"""Forms in which people log in and choose what they are called, and the input of all forms that ask for a name."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from chat.domain import names, people
from chat.errors import InvalidName
from chat.storage import accounts, tokens

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

USERNAME_MAX = 150  # characters, as Django has it
NAME_TAKEN = _("The name of another account looks like that one.")


class NameInput(forms.TextInput):
    """A focused input for names, which the browser neither completes nor corrects."""

    def __init__(self) -> None:
        super().__init__(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        )


class LoginForm(AuthenticationForm):
    """Django's own, for people: a bot can't log in, even if staff gave it a password."""

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if tokens.bot_of(user) is not None:
            raise self.get_invalid_login_error()


class SignUpForm(UserCreationForm):
    """Django's own, for a name that nobody takes for another's."""

    def clean_username(self) -> str:
        username = super().clean_username()  # which knows if an account has the name itself
        return free_name(username, longest=USERNAME_MAX, taken=NAME_TAKEN)


def clean_account_name(typed: str) -> str:
    """A username that a new account may have. Raises ValidationError."""
    UnicodeUsernameValidator()(typed)
    return free_name(typed, longest=USERNAME_MAX, taken=NAME_TAKEN)


class GuestNameForm(forms.Form):
    name = forms.CharField(
        max_length=people.NAME_MAX,
        label=_("Name"),
        help_text=_("Others see it beside what you say."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "autofocus": True}),
    )

    def clean_name(self) -> str:
        taken = _("Somebody with an account has that name, or one that looks like it.")
        return free_name(self.cleaned_data["name"], longest=people.NAME_MAX, taken=taken)


def free_name(typed: str, *, longest: int, taken: "StrOrPromise") -> str:
    """The name that was typed, if one may take it. Raises ValidationError; with the text `taken` for an account's."""
    try:
        name = names.clean(typed, what=_("The name"), longest=longest)
    except InvalidName as error:
        raise forms.ValidationError(str(error)) from None
    if names.is_call(name):
        raise forms.ValidationError(names.NO_CALL)
    if names.is_reserved(name):
        raise forms.ValidationError(names.NO_NAME_OF_SITE)
    if accounts.is_taken(name):
        raise forms.ValidationError(taken)
    return name
