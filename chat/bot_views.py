"""The page of a room's bots, for its owners; without a room, of the site's, for its staff."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat.actions import bots as actions
from chat.domain import people
from chat.errors import ChatError
from chat.forms import USERNAME_MAX, NameInput, clean_account_name
from chat.owned_rooms import room_of_owner
from chat.storage import bots, tokens


class BotForm(forms.Form):
    username = forms.CharField(label=_("Name"), max_length=USERNAME_MAX, widget=NameInput())

    def clean_username(self) -> str:
        return clean_account_name(self.cleaned_data["username"])


class BotsView(LoginRequiredMixin, FormView):
    """Lists the bots, makes one, and deletes the one whose user's primary key is posted as `delete`."""

    template_name = "people/bots.html"
    form_class = BotForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.room = room_of_owner(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (deleted := request.POST.get("delete")) is None:
            return super().post(request, *args, **kwargs)
        bot = bots.find(self.room, deleted)
        try:
            if bot is not None:
                async_to_sync(actions.delete)(bot, self.room, by=people.of_request(request))
        except ChatError as error:
            form = BotForm()
            return self.render_to_response(self.get_context_data(form=form, error=str(error)), status=400)
        return HttpResponseRedirect(request.get_full_path())

    def form_valid(self, form: BotForm) -> HttpResponse:
        try:
            username = form.cleaned_data["username"]
            async_to_sync(actions.make)(username, self.room, by=people.of_request(self.request))
        except ChatError as error:
            form.add_error("username", str(error))
            return self.form_invalid(form)
        return HttpResponseRedirect(self.request.get_full_path())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = bots.of(self.room)
        counted = tokens.counts(bot.user_id for bot in found)
        listed = [
            {"bot": bot, "person": people.of_user(bot.user), "tokens": counted.get(bot.user_id, 0)} for bot in found
        ]
        return super().get_context_data(**kwargs) | {"room": self.room, "bots": listed}
