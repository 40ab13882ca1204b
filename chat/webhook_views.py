"""The pages of a room's webhooks, for its owners; without a room, of those of the site's bots, for its staff."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View

from chat import once, webhook_texts
from chat.actions import webhooks as actions
from chat.domain import people
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.models import Bot, Webhook
from chat.outgoing.client import MAX_URL
from chat.owned_rooms import room_of_owner
from chat.storage import bots, webhooks
from chat.storage.webhooks import WebhookRequest

ALL, NOBODY, ME = "all", "nobody", "me"


def address(page: str, room: Room | None, *args: object) -> str:
    return reverse(page, args=args) + (f"?{urlencode({'room': room.name})}" if room else "")


class WebhookForm(forms.Form):
    """`hears` is ALL, or the primary key of a bot's user; `author` is NOBODY, ME, or one like that."""

    url = forms.CharField(
        label=_("Address"),
        max_length=MAX_URL,
        help_text=_("To this URL, the site sends a POST for each event."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    hears = forms.ChoiceField(label=_("It hears"))
    author = forms.ChoiceField(
        label=_("Answers are posted by"),
        help_text=_(
            "The text in the receiver’s answer is posted as a reply. Of mentions, the bot that is mentioned posts it."
        ),
    )

    def __init__(self, *args: Any, room: Room | None, bots: list[Bot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(str(bot.user_id), people.of_user(bot.user).name) for bot in bots]
        mentions = [(id, _("mentions of {bot}").format(bot=name)) for id, name in named]
        everything = [(ALL, _("everything in this room"))] if room else []
        self.fields["hears"].choices = [*everything, *mentions]  # type: ignore[attr-defined]
        self.fields["author"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose …")),
            (NOBODY, _("nobody: they aren’t posted")),
            *named,
            (ME, _("you")),
        ]
        if room is None:
            del self.fields["author"]

    def request(self, *, own_id: int) -> WebhookRequest:
        """`own_id` is the primary key of the user who asks."""
        given = self.cleaned_data
        if given["hears"] != ALL:
            bot_id = int(given["hears"])
            return WebhookRequest(url=given["url"], bot_id=bot_id, author_id=bot_id)
        author = {NOBODY: None, ME: own_id}.get(given["author"], given["author"])
        return WebhookRequest(url=given["url"], author_id=None if author is None else int(author))


class WebhooksView(LoginRequiredMixin, FormView):
    """Lists the webhooks, and makes one, whose secret is shown this once."""

    template_name = "people/webhooks.html"
    form_class = WebhookForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.room = room_of_owner(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if once.is_used(request):
            return HttpResponseRedirect(address("webhooks", self.room))
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "room": self.room, "bots": bots.of(self.room)}

    def form_valid(self, form: WebhookForm) -> HttpResponse:
        try:
            request = form.request(own_id=self.request.user.pk)  # type: ignore[arg-type]
            webhook = async_to_sync(actions.make)(self.room, request, by=people.of_request(self.request))
        except ChatError as error:
            form.add_error("url", str(error))
            return self.form_invalid(form)
        once.note_use(self.request)
        return show(self.request, self.room, webhook, secret=webhook.secret)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = webhooks.of(self.room)
        listed = [(one, address("webhook", self.room, one.pk)) for one in found]
        offered = self.room is not None or bool(bots.of(None))
        context = {
            "room": self.room,
            "webhooks": listed,
            "without_bot": webhooks.without_bot(found),
            "offered": offered,
            "once": once.mark(),
        }
        return super().get_context_data(**kwargs) | context


class WebhookView(LoginRequiredMixin, View):
    """One webhook, with its last deliveries. Each form posts as `do` what it does."""

    ACTIONS: dict[str, Callable[..., Awaitable[Any]]] = {
        "rotate": actions.rotate_secret,
        "on": actions.switch,
        "off": actions.switch,
        "test": actions.send_test,
        "try": actions.try_now,
        "again": actions.send_again,
        "remove": actions.delete,
    }

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.room = room_of_owner(request)
            found = webhooks.find(self.room, str(kwargs["webhook_id"]))
            if found is None:
                raise Http404
            self.webhook = found
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get(self, request: HttpRequest, webhook_id: int) -> HttpResponse:
        return show(request, self.room, self.webhook)

    def post(self, request: HttpRequest, webhook_id: int) -> HttpResponse:
        do = request.POST.get("do", "")
        if do not in self.ACTIONS:
            return show(request, self.room, self.webhook, error=_("That is not understood here."))
        if once.is_used(request):
            return HttpResponseRedirect(address("webhook", self.room, self.webhook.pk))
        arguments: dict[str, Any] = {"by": people.of_request(request)}
        if do in {"on", "off"}:
            arguments["on"] = do == "on"
        if do == "again":
            given = request.POST.get("delivery", "")
            arguments["delivery_id"] = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
        try:
            result = async_to_sync(self.ACTIONS[do])(self.webhook, self.room, **arguments)
        except ChatError as error:
            return show(request, self.room, self.webhook, error=str(error))
        if do == "rotate":
            once.note_use(request)
            return show(request, self.room, self.webhook, secret=result, is_rotated=True)
        if do == "remove":
            return HttpResponseRedirect(address("webhooks", self.room))
        return HttpResponseRedirect(address("webhook", self.room, self.webhook.pk))


def show(request: HttpRequest, room: Room | None, webhook: Webhook, *, error: Any = "", **more: Any) -> HttpResponse:
    deliveries = webhooks.last_deliveries(webhook)
    context = {
        "room": room,
        "webhook": webhook,
        "host": urlsplit(webhook.url).netloc,
        "page_url": address("webhook", room, webhook.pk),
        "back_url": address("webhooks", room),
        "is_due": webhook.due_at is None or webhook.due_at <= timezone.now(),
        "deliveries": [
            (one, webhook_texts.problem_of(webhook, one), webhook_texts.reply_of(one)) for one in deliveries
        ],
        "maker": webhooks.maker_of(webhook),
        "in_charge": webhooks.in_charge_of(webhook),
        "without_bot": webhooks.without_bot([webhook]),
        "error": error,
        "once": once.mark(),
        **more,
    }
    return render(request, "people/webhook.html", context, status=400 if error else 200)
