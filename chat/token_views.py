"""The pages of tokens: a user's own, and those of a bot."""

from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat import once
from chat.actions import tokens as actions
from chat.domain import people
from chat.domain.grants import Scope
from chat.domain.token_requests import NAME_MAX, TokenRequest
from chat.errors import ChatError
from chat.models import Token
from chat.owned_rooms import room_of_owner
from chat.storage import bots, tokens

SCOPES = (
    (Scope.READ.value, _("Read: listen, search, look at files")),
    (Scope.WRITE.value, _("Write: post, edit, react, upload files")),
    (Scope.MODERATE.value, _("Moderate: what your role as a moderator or an owner allows")),
)
SCOPE_NAMES = {Scope.READ: _("read"), Scope.WRITE: _("write"), Scope.MODERATE: _("moderate")}
LIFETIMES = (
    (7, _("in a week")),
    (30, _("in 30 days")),
    (90, _("in 90 days")),
    (365, _("in a year")),
    ("", _("never")),
)
"""Choices of an expiry: days, and their labels."""


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_MAX,
        help_text=_("What it is for. You find it by this in the list."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=SCOPES, initial=[Scope.READ, Scope.WRITE], widget=forms.CheckboxSelectMultiple()
    )
    rooms = forms.CharField(
        label=_("Rooms"),
        required=False,
        help_text=_("One to a line. Without any, it is for all rooms that you may enter."),
        widget=forms.Textarea(attrs={"rows": 2, "autocapitalize": "none", "spellcheck": "false"}),
    )
    days = forms.TypedChoiceField(
        label=_("Expires"),
        required=False,
        coerce=int,
        empty_value=None,
        initial=90,
        choices=LIFETIMES,
    )

    def __init__(self, *args: Any, has_rooms: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_rooms:
            del self.fields["rooms"]

    def request(self) -> TokenRequest:
        """Raises InvalidName, InvalidRoomName or InvalidTokenRequest."""
        given = self.cleaned_data
        rooms = [line for line in given.get("rooms", "").splitlines() if line.strip()]
        return TokenRequest.clean(name=given["name"], scopes=given["scopes"], rooms=rooms, days=given["days"])


class TokensView(LoginRequiredMixin, FormView):
    """The tokens of the user who asks. Makes one, and shows it this once; revokes the one posted as `revoke`."""

    template_name = "people/tokens.html"
    form_class = TokenForm
    back_url: str

    def owner(self) -> Any:
        """The user whose tokens these are."""
        self.back_url = people.of_request(self.request).profile_path or "/"
        return self.request.user

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.user = self.owner()
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (revoked := request.POST.get("revoke")) is None:
            if once.is_used(request):
                return HttpResponseRedirect(request.get_full_path())
            return super().post(request, *args, **kwargs)
        if revoked.isascii() and revoked.isdigit() and len(revoked) < 19:
            by = people.of_request(request)
            async_to_sync(actions.revoke)(int(revoked), user_id=self.user.pk, by=by)
        return HttpResponseRedirect(request.get_full_path())

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "has_rooms": self.offers_rooms()}

    def offers_rooms(self) -> bool:
        """Whether tokens may be for other rooms than that of a bot."""
        bot = tokens.bot_of(self.user)
        return bot is None or bot.room_id is None

    def form_valid(self, form: TokenForm) -> HttpResponse:
        try:
            request = form.request()
            secret = async_to_sync(actions.create)(request, user_id=self.user.pk, by=people.of_request(self.request))
        except ChatError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        once.note_use(self.request)
        fresh = TokenForm(**{**self.get_form_kwargs(), "data": None, "files": None})
        context = self.get_context_data(form=fresh, secret=secret, hook_url=self.hook_url(request, secret))
        return self.render_to_response(context)

    def hook_url(self, request: TokenRequest, secret: str) -> str | None:
        """The address of the token's webhook, if it is for writing in one room."""
        is_for_one = bool(request.rooms and len(request.rooms) == 1) or not self.offers_rooms()
        if Scope.WRITE not in request.scopes or not is_for_one:
            return None
        return self.request.build_absolute_uri(f"/hooks/{secret}/")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {
            "owner": self.user,
            "back_url": self.back_url,
            "tokens": [(token, scope_names(token)) for token in tokens.of_user(self.user.pk)],
            "once": once.mark(),
        }
        return super().get_context_data(**kwargs) | context


def scope_names(token: Token) -> list[str]:
    return [str(SCOPE_NAMES.get(scope, scope)) for scope in token.scopes.split()]  # type: ignore[call-overload]


class BotTokensView(TokensView):
    """The same for the bot `?bot=` of the room `?room=`, for its owners; without a room, for the site's staff."""

    def owner(self) -> Any:
        room = room_of_owner(self.request)
        bot = bots.find(room, self.request.GET.get("bot", ""))
        if bot is None:
            raise Http404
        self.back_url = reverse("bots") + (f"?{urlencode({'room': room.name})}" if room else "")
        return bot.user
