"""Where links in e-mails lead: to confirm an address, and to end digests. Neither needs a login."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from chat.actions import digests
from chat.domain.mail_links import Purpose, read


@method_decorator(csrf_exempt, name="dispatch")
class MailLinkView(View):
    """Asks first, since programs that look at mails open links, too.

    Mail programs that offer to unsubscribe post here at once (RFC 8058), without a cookie, and so without a token
    against forgery: the address itself is the proof.
    """

    purpose: Purpose = Purpose.UNSUBSCRIBE

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = read(token, self.purpose)
        if link is None:
            raise Http404
        return self.show(request, email=link.email)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        link = read(token, self.purpose)
        if link is None:
            raise Http404
        digests.follow(link, self.purpose)
        return self.show(request, email=link.email, done=True)

    def show(self, request: HttpRequest, **context: Any) -> HttpResponse:
        confirms = self.purpose is Purpose.CONFIRM
        return render(
            request,
            "notifications/mail_link.html",
            {"confirms": confirms, "logs_in": settings.CHAT_LOGIN_LINKS, **context},
        )
