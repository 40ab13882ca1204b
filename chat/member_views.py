"""The pages for creating a room, and for managing its members and bans."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View

from chat.actions import reporting
from chat.actions.moderation import Action, carry_out
from chat.domain import cursors, people, rooms
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import is_storable
from chat.errors import Banned, ChatError, InvalidPage, InvalidRoomName, NotAMember
from chat.forms import NameInput
from chat.models import Role
from chat.storage import avatars, history, links, members, moderation, permissions, posting_limits, reports, webhooks
from chat.storage.posting_limits import SLOW_MODE_MAX
from chat.storage.reports import Report
from chat.views import closed, display_name

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SHOWN_MAX = 100  # members, and bans, on a page
REPORTS_MAX = 50  # that are shown
PAUSES = (
    (0, _("off")),
    (5, _("5 seconds")),
    (10, _("10 seconds")),
    (30, _("30 seconds")),
    (60, _("1 minute")),
    (300, _("5 minutes")),
    (900, _("15 minutes")),
    (3600, _("1 hour")),
    (SLOW_MODE_MAX, _("6 hours")),
)
"""Choices of slow mode: seconds, and their labels."""
LATELY = 200  # messages whose senders are offered to be added or banned


class NewRoomForm(forms.Form):
    name = forms.CharField(
        label=_("Room name"),
        max_length=rooms.NAME_MAX,
        widget=NameInput(),
    )
    private = forms.BooleanField(
        label=_("Private"),
        initial=True,
        required=False,
        help_text=_("Only people whom you add can find and enter the room."),
    )


class NewRoomView(LoginRequiredMixin, FormView):
    """Creates a room and makes its creator the owner."""

    template_name = "chat/room_new.html"
    form_class = NewRoomForm

    def form_valid(self, form: NewRoomForm) -> HttpResponse:
        by, given = people.of_request(self.request), form.cleaned_data
        try:
            room = rooms.enter(given["name"], by)
            async_to_sync(carry_out)(moderation.create, room, private=given["private"], by=by)
        except ChatError as error:
            form.add_error("name", str(error))
            return self.form_invalid(form)
        return HttpResponseRedirect(room.get_absolute_url())


def role(given: str) -> Role:
    return Role(given) if given in Role.values else Role.MEMBER


def seconds(given: str) -> int:
    """-1, which is refused, for what is no number."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


def pauses(slow_mode: int) -> list[tuple[int, "StrOrPromise"]]:
    """The choices of slow mode, with their labels; the one that is set is always among them."""
    choices: dict[int, StrOrPromise] = dict(PAUSES)
    return sorted(({slow_mode: _("{count} seconds").format(count=slow_mode)} | choices).items())


class MembersView(View):
    """Members and bans of the room `?room=`, with forms to change them. Each form posts its action as `do`.

    Members are those whose usernames come after `?after=`, and bans those before the one numbered `?before=`.
    """

    ACTIONS: dict[str, tuple[Action, Callable[[QueryDict], list[Any]]]] = {
        "set_role": (moderation.set_role, lambda given: [given.get("username", ""), role(given.get("role", ""))]),
        "remove": (moderation.remove_member, lambda given: [given.get("username", "")]),
        "ban": (moderation.ban, lambda given: [given.get("person_id", "")]),
        "unban": (moderation.unban, lambda given: [given.get("person_id", "")]),
        "set_private": (moderation.set_private, lambda given: [given.get("private") == "true"]),
        "set_read_only": (posting_limits.set_read_only, lambda given: [given.get("read_only") == "true"]),
        "set_slow_mode": (posting_limits.set_slow_mode, lambda given: [seconds(given.get("seconds", ""))]),
        "set_link_previews": (links.set_link_previews, lambda given: [given.get("on") == "true"]),
        "delete": (moderation.delete_message, lambda given: [history.check_offset(given.get("offset"))]),
    }
    DISMISS = "dismiss"  # is no entry of the log

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.person = people.of_request(request)
        try:
            self.room = rooms.enter(request.GET.get("room"), self.person)
            permissions.check(self.room, self.person)
        except InvalidRoomName as error:
            context = {"error": error, "room_name_max": rooms.NAME_MAX}
            return render(request, "chat/room_invalid.html", context, status=400)
        except ChatError as error:
            return closed(request, Room(str(request.GET.get("room"))), error)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest) -> HttpResponse:
        do = request.POST.get("do", "")
        if do not in self.ACTIONS and do != self.DISMISS:
            return self.show(error=_("That is not understood here."), status=400)
        try:
            if do == self.DISMISS:
                offset = history.check_offset(request.POST.get("offset"))
                async_to_sync(reporting.dismiss)(room=self.room, offset=offset, person=self.person)
            else:
                action, arguments = self.ACTIONS[do]
                async_to_sync(carry_out)(action, self.room, *arguments(request.POST), by=self.person)
        except ChatError as error:
            return self.show(error=str(error), status=400)
        left = request.POST.get("username") == self.person.username
        return HttpResponseRedirect(self.room.get_absolute_url() if left else request.get_full_path())

    def show(self, *, error: "StrOrPromise" = "", status: int = 200) -> HttpResponse:
        try:
            context = self.context()
        except (Banned, NotAMember) as refusal:
            return closed(self.request, self.room, refusal)
        return render(self.request, "chat/members.html", {**context, "error": error}, status=status)

    def context(self) -> dict[str, Any]:
        permission = permissions.permission(self.room, self.person)
        belonging = self.members()
        pictures = avatars.paths(person.id for person, _role in belonging)
        context = {
            "is_first": not {"after", "before"} & {*self.request.GET},
            "room": self.room,
            "display_name": display_name(self.room, self.person),
            "permission": permission,
            "offers_link_previews": settings.CHAT_LINK_PREVIEWS and (permission.may_moderate or self.room.is_direct),
            "is_pair": self.room.is_direct and len(belonging) <= 2,  # who write to each other just here
            "roles": Role.choices,
            "members": [
                {
                    "person": person,
                    "role": role,
                    "is_self": person.id == self.person.id,
                    "avatar": pictures.get(person.id),
                }
                for person, role in belonging[:SHOWN_MAX]
            ],
        }
        if len(belonging) > SHOWN_MAX:
            context["more_members_url"] = self.url_of(after=belonging[SHOWN_MAX - 1][0].username)
        if permission.owns:
            context["webhooks_in_trouble"] = webhooks.in_trouble(self.room)
        if permission.may_moderate:
            bans = self.bans()
            context |= {"bans": [person for _number, person in bans[:SHOWN_MAX]], "others": self.others()}
            if len(bans) > SHOWN_MAX:
                context["more_bans_url"] = self.url_of(before=bans[SHOWN_MAX - 1][0])
            context |= {"reports": self.reports(), "pauses": pauses(permission.slow_mode)}
        return context

    def url_of(self, **place: object) -> str:
        """This page at another place in the list of members or in that of bans."""
        here = {key: self.request.GET[key] for key in ("after", "before") if key in self.request.GET}
        return f"{self.room.get_members_url()}&{urlencode(here | place)}"

    def members(self) -> list[tuple[Person, Role]]:
        """The members to show, and one more if there are more. Raises Banned or NotAMember."""
        after = self.request.GET.get("after") or None
        if after and not is_storable(after):
            after = None
        found = members.member_pages([self.room], person=self.person, size=SHOWN_MAX + 1, after=after)[self.room]
        if isinstance(found, ChatError):
            raise found
        return found

    def bans(self) -> list[tuple[int, Person]]:
        """The numbers and the people of the bans to show, and one more if there are more. Raises as `members`."""
        try:
            before = cursors.read_number(self.request.GET["before"]) if "before" in self.request.GET else None
        except InvalidPage:
            before = None
        found = members.ban_pages([self.room], person=self.person, size=SHOWN_MAX + 1, after=before)[self.room]
        if isinstance(found, ChatError):
            raise found
        return found

    def reports(self) -> list[Report]:
        """The last REPORTS_MAX reports. Raises Banned or NotAMember."""
        found = reports.report_pages([self.room], person=self.person, size=REPORTS_MAX)[self.room]
        if isinstance(found, ChatError):
            raise found
        return found

    def others(self) -> list[Person]:
        """People who spoke here lately, without members and those who are banned."""
        lately = history.lately_heard(self.room, LATELY)
        known = members.belonging_or_banned(self.room, lately)
        return [person for person in lately if person.id not in known]
