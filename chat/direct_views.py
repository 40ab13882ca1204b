"""The page that leads to direct rooms."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat.actions import direct
from chat.domain import people
from chat.errors import ChatError
from chat.forms import NameInput
from chat.storage.direct_rooms import PEOPLE_MAX

USERNAMES_MAX = 20 * 151  # characters: so many names as Django has them, and what separates them


class DirectRoomForm(forms.Form):
    usernames = forms.CharField(
        label=_("User names"),
        max_length=USERNAMES_MAX,
        help_text=format_lazy(_("Of up to {most} people, with commas between them."), most=PEOPLE_MAX - 1),
        widget=NameInput(),
    )


class DirectRoomView(LoginRequiredMixin, FormView):
    """Leads to the direct room with the people of the form, or with `person_id`, which buttons elsewhere post."""

    template_name = "chat/room_direct.html"
    form_class = DirectRoomForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "person_id" not in request.POST:
            return super().post(request, *args, **kwargs)
        return self.open(DirectRoomForm({"usernames": ""}), person_ids=[request.POST["person_id"]])

    def form_valid(self, form: DirectRoomForm) -> HttpResponse:
        names = (name.strip() for name in form.cleaned_data["usernames"].split(","))
        return self.open(form, usernames=[name.removeprefix("@") for name in names if name])

    def open(self, form: DirectRoomForm, *, usernames: list[str] | None = None, **others: Any) -> HttpResponse:
        by = people.of_request(self.request)
        try:
            room = async_to_sync(direct.open_room)(usernames or [], by=by, **others)
        except ChatError as error:
            form.errors.clear()
            form.add_error("usernames", str(error))
            return self.form_invalid(form)
        return HttpResponseRedirect(room.get_absolute_url())
