"""Pages of people: a user's profile, and changing one's own."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat.actions import profiles as actions
from chat.domain import people
from chat.domain.people import NAME_MAX
from chat.domain.profiles import ABOUT_MAX, Profile, ProfileChange, offered_time_zones
from chat.errors import ChatError, InvalidName
from chat.storage import ignoring, profiles
from chat.views import guests_if_allowed

WAYS_UP = {".", ".."}  # parts of a path that browsers don't send


@guests_if_allowed
def profile(request: HttpRequest, username: str) -> HttpResponse:
    return show(request, profiles.by_username(username))


@guests_if_allowed
def profile_by_id(request: HttpRequest, person_id: str) -> HttpResponse:
    """Leads to the page by the username, if that can be a part of an address."""
    found = profiles.by_id(person_id)
    username = found.person.username if found else None
    if not username or WAYS_UP & set(username.split("/")):
        return show(request, found)
    return redirect("profile", username)


def show(request: HttpRequest, found: Profile | None) -> HttpResponse:
    if found is None:
        raise Http404
    reader = people.of_request(request)
    is_own = reader.id == found.person.id
    context = {
        "profile": found,
        "local_time": found.local_time(timezone.now()),
        "is_own": is_own,
        "is_ignored": found.person in ignoring.ignored(reader),
        "rooms": [] if is_own else profiles.rooms_in_common(reader, found.person),
    }
    return render(request, "people/profile.html", context)


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label=_("Display name"),
        max_length=NAME_MAX,
        required=False,
        help_text=_("Others see it in the place of your user name, with which you go on logging in."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "dir": "auto"}),
    )
    about = forms.CharField(
        label=_("About you"),
        max_length=ABOUT_MAX,
        required=False,
        help_text=_("One line: your pronouns, say, or what you do."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Others see what time it is for you."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.initial.get("time_zone") or ""
        zones = sorted({chosen, *offered_time_zones()} - {""})
        self.fields["time_zone"].choices = [("", _("Not told")), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]


class EditProfileView(LoginRequiredMixin, FormView):
    """Changes the profile of the person who asks."""

    template_name = "people/edit.html"
    form_class = ProfileForm

    def get_initial(self) -> dict[str, Any]:
        found = profiles.by_id(people.of_request(self.request).id)
        assert found is not None  # who is logged in has an active account
        return {"display_name": found.display_name, "about": found.about, "time_zone": found.time_zone}

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        by = people.of_request(self.request)
        try:
            change = ProfileChange.clean(**form.cleaned_data)
            async_to_sync(actions.update)(change, by=by)
        except ChatError as error:
            form.add_error("display_name" if isinstance(error, InvalidName) else None, str(error))
            return self.form_invalid(form)
        return HttpResponseRedirect(by.profile_path or "/")
