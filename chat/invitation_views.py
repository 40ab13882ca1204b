"""Invitations: the page on which they are made and revoked, and the one that each of them leads to."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat import once
from chat.account_views import BACKEND
from chat.actions import inviting
from chat.domain import people
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.forms import SignUpForm
from chat.invitation_errors import InvalidInvitation
from chat.owned_rooms import room_of_owner
from chat.storage import invitations, permissions
from chat.storage.invitations import InvitationRequest

LIFETIMES = [(1, _("in a day")), (7, _("in a week")), (30, _("in 30 days"))]
"""Choices of an expiry: days, and their labels."""
USES = (1, 5, 20, 100)
"""Choices of how many people may use an invitation."""


def uses() -> list[tuple[int, str]]:
    """The choices with their labels, in the language that is active."""
    return [(count, ngettext("{count} person", "{count} people", count).format(count=count)) for count in USES]


class InvitationForm(forms.Form):
    uses = forms.TypedChoiceField(label=_("For"), coerce=int, choices=uses)
    days = forms.TypedChoiceField(label=_("Expires"), coerce=int, choices=LIFETIMES, initial=7)

    def request(self) -> InvitationRequest:
        return InvitationRequest(uses=self.cleaned_data["uses"], days=self.cleaned_data["days"])


class InvitationsView(LoginRequiredMixin, FormView):
    """The invitations to the room `?room=`, for its owners; without a room, those to the site, for its staff.

    Makes one, and shows its link this once; revokes the one whose number is posted as `revoke`.
    """

    template_name = "people/invitations.html"
    form_class = InvitationForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.room = room_of_owner(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (revoked := request.POST.get("revoke")) is None:
            if once.is_used(request):
                return HttpResponseRedirect(request.get_full_path())
            return super().post(request, *args, **kwargs)
        if revoked.isascii() and revoked.isdigit() and len(revoked) < 19:
            async_to_sync(inviting.revoke)(int(revoked), self.room, by=people.of_request(request))
        return HttpResponseRedirect(request.get_full_path())

    def form_valid(self, form: InvitationForm) -> HttpResponse:
        try:
            secret = async_to_sync(inviting.invite)(form.request(), self.room, user=self.request.user)
        except ChatError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        once.note_use(self.request)
        link = self.request.build_absolute_uri(reverse("invitation", args=[secret]))
        return self.render_to_response(self.get_context_data(form=InvitationForm(), link=link))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = [
            {"invitation": one, "left": one.uses - one.used, "by": people.of_user(one.by)}
            for one in invitations.of(self.room)
        ]
        may_register = inviting.may_register(invited=True)
        context = {"room": self.room, "invitations": found, "may_register": may_register, "once": once.mark()}
        return super().get_context_data(**kwargs) | context


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class InvitationView(FormView):
    """The page that an invitation leads to. A guest signs up here; somebody with an account joins the room.

    Looking at it uses nothing up: programs that look at messages open links, too.
    """

    template_name = "registration/invitation.html"
    form_class = SignUpForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.secret = str(kwargs["secret"])
        try:
            self.invitation = invitations.find(self.secret)
        except InvalidInvitation:
            return self.over()
        self.room = None if self.invitation.room is None else Room(self.invitation.room.name)
        if not settings.CHAT_PASSWORDS and not request.user.is_authenticated:  # the form here would ask for one
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def over(self) -> HttpResponse:
        """The same page whatever is wrong, so that nobody learns which invitations there were."""
        return render(self.request, "registration/invitation_over.html", status=404)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and self.belongs():
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def belongs(self) -> bool:
        """Whether there is nothing left to accept for the user who asks."""
        person = people.of_request(self.request)
        return self.room is None or permissions.permission(self.room, person).role is not None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return super().post(request, *args, **kwargs)
        try:
            if self.room is not None:
                async_to_sync(inviting.accept)(self.room, self.secret, person=people.of_request(request))
        except InvalidInvitation:
            return self.over()
        except ChatError as error:
            return self.render_to_response(self.get_context_data(error=str(error)), status=403)
        return HttpResponseRedirect(self.get_success_url())

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save(commit=False)
        try:
            inviting.register(user, self.secret)
        except InvalidInvitation:
            return self.over()
        except ChatError as error:
            form.add_error("username", str(error))
            return self.form_invalid(form)
        login(self.request, user, backend=BACKEND)
        return super().form_valid(form)

    def get_success_url(self) -> str:
        return reverse("chat:index") if self.room is None else self.room.get_absolute_url()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {
            "room": self.room,
            "by": people.of_user(self.invitation.by),
            "may_register": inviting.may_register(invited=True),
        }
        return super().get_context_data(**kwargs) | context
