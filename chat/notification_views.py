"""The page on which users choose how they are notified, and what their browsers tell it."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import FormView, View

from chat.actions import digests, notifying, rate_limits
from chat.domain import people, rooms
from chat.domain.login_links import mailbox_key
from chat.domain.subscriptions import NOT_UNDERSTOOD, InvalidSubscription, as_base64, label_of
from chat.errors import ChatError, LoginRequired
from chat.models import Detail, Involvement
from chat.storage import notification_choices, own_rooms, push_keys, push_subscriptions
from chat.storage.notification_choices import Choice

BODY_MAX = 5000  # bytes of what a browser says of its subscription


class ChoiceForm(forms.Form):
    detail = forms.ChoiceField(
        label=_("What they say"),
        widget=forms.RadioSelect,
        choices=[
            (Detail.NAMES, _("Who wrote, and where")),
            (Detail.TEXT, _("What was written, too: others may see it on a locked screen")),
        ],
    )
    digest = forms.BooleanField(
        label=_("Send me an e-mail"),
        required=False,
        help_text=_("At most one a day, about mentions and direct messages that you haven’t read for a long time."),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("digest") and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", _("Where should the e-mail go?"))
        return cleaned


class NotificationsView(LoginRequiredMixin, FormView):
    """Shows the choices; the form changes them. Forms beside it remove a device, or choose a room (`room`, `on`)."""

    template_name = "notifications/notifications.html"
    form_class = ChoiceForm
    success_url = reverse_lazy("notifications")

    def get_initial(self) -> dict[str, Any]:
        chosen = notification_choices.choice(people.of_request(self.request))
        email = chosen.email or getattr(self.request.user, "email", "")
        return {"detail": chosen.detail, "digest": chosen.digest, "email": email}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = people.of_request(self.request)
        chosen = notification_choices.choice(person)
        wanting_all = notification_choices.rooms_with_all(person)
        return super().get_context_data(**kwargs) | {
            "devices": push_subscriptions.devices(person),
            "unconfirmed": chosen.email if asks_to_confirm(chosen) else "",
            "logs_in": settings.CHAT_LOGIN_LINKS,
            "rooms": [
                {"own": own, "all": own.room in wanting_all, "muted": own.involvement is not Involvement.ALL}
                for own in own_rooms.own_rooms(person, size=own_rooms.ROOMS_MAX)
                if not own.room.is_direct
            ],
            "push": settings.CHAT_PUSH,
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = people.of_request(request)
        try:
            if request.POST.get("device", "").isdecimal():
                async_to_sync(notifying.unsubscribe)(person=person, id=int(request.POST["device"][:18]))
            elif "room" in request.POST:
                room = rooms.enter(request.POST["room"], person)
                async_to_sync(notifying.set_push_all)(room, request.POST.get("on") == "true", person=person)
            else:
                return super().post(request, *args, **kwargs)
        except ChatError as error:
            return self.render_to_response(self.get_context_data(error=str(error)), status=400)
        return HttpResponseRedirect(self.get_success_url())

    def form_valid(self, form: ChoiceForm) -> HttpResponse:
        person = people.of_request(self.request)
        before = notification_choices.choice(person)
        try:
            chosen = async_to_sync(notifying.choose)(person=person, language=get_language(), **form.cleaned_data)
            if asks_to_confirm(chosen):
                async_to_sync(rate_limits.spend_mailbox)(mailbox_key(chosen.email))
                digests.ask_to_confirm(person, chosen)
            if settings.CHAT_LOGIN_LINKS and before.is_confirmed and before.email != chosen.email:
                digests.tell_of_another_address(person, before)
        except (ChatError, OSError) as error:
            message = str(error) if isinstance(error, ChatError) else _("The e-mail can’t be sent just now.")
            form.add_error(None, message)
            return self.form_invalid(form)
        return HttpResponseRedirect(self.get_success_url())


def asks_to_confirm(chosen: Choice) -> bool:
    """Whether somebody who reads the mail at the address has to confirm it first, as there is a use for it."""
    return bool(chosen.email) and not chosen.is_confirmed and (chosen.digest or settings.CHAT_LOGIN_LINKS)


@method_decorator(csrf_exempt, name="dispatch")
class DevicesView(View):
    """Takes what a browser says of its subscription, as JSON. Answers with the site's key, or an error.

    A page of another site can't send JSON here without asking first, which this answers nothing. So it needs no token,
    which service workers don't have.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        key = as_base64(push_keys.public_key())
        mine = push_subscriptions.devices(people.of_request(request)) if request.user.is_authenticated else []
        return JsonResponse({"key": key, "endpoints": [one.endpoint for one in mine]})

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            self.take(request, read_body(request))
        except ChatError as error:
            status = 403 if isinstance(error, LoginRequired) else 400
            return JsonResponse({"error": {**error.details, "message": str(error)}}, status=status)
        return JsonResponse({})

    def take(self, request: HttpRequest, said: dict[str, Any]) -> None:
        person = people.of_request(request)
        if not request.user.is_authenticated:
            raise LoginRequired(_("Log in to be notified on this device."))
        if "ended" in said:
            async_to_sync(notifying.unsubscribe)(person=person, endpoint=said["ended"])
            return
        async_to_sync(notifying.subscribe)(
            said.get("subscription"),
            person=person,
            session_key=request.session.session_key or "",
            label=label_of(request.headers.get("User-Agent", "")),
            language=get_language() or "",
            before=said.get("before"),
        )


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body. Raises InvalidSubscription."""
    if request.content_type != "application/json" or len(request.body) > BODY_MAX:
        raise InvalidSubscription(NOT_UNDERSTOOD)
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        raise InvalidSubscription(NOT_UNDERSTOOD) from None
    if not isinstance(said, dict):
        raise InvalidSubscription(NOT_UNDERSTOOD)
    return said
