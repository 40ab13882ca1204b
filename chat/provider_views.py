"""Logging in at the site's provider of OpenID Connect: the way there, and the way back."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.generic import View

from chat.account_views import BACKEND, LeadsBack
from chat.login_errors import LoginFailed
from chat.openid import provider
from chat.storage import identities
from chat.storage.database import release_connection


@method_decorator(never_cache, name="dispatch")
class ProviderView(LeadsBack, View):
    """Waits for the provider in the request's own thread, and without a connection to the database."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.CHAT_OIDC_ISSUER:
            raise Http404
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        try:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]
        except LoginFailed as error:
            context = {"error": error, "provider": settings.CHAT_OIDC_NAME}
            return render(request, "registration/provider_failed.html", context, status=error.status)


class ToProviderView(ProviderView):
    def get(self, request: HttpRequest) -> HttpResponse:
        list(request.session.keys())  # read before the connection is given back
        release_connection()
        there = provider.begin(
            request,
            redirect_uri=request.build_absolute_uri(reverse("from_provider")),
            next_path=self.get_redirect_url(),
            language=get_language() or "",
        )
        return HttpResponseRedirect(there)


class FromProviderView(ProviderView):
    def get(self, request: HttpRequest) -> HttpResponse:
        list(request.session.keys())
        release_connection()
        claims, next_path = provider.finish(request)
        user = identities.account_of(
            claims, may_link=settings.CHAT_OIDC_LINK_EMAIL, may_register=settings.CHAT_OIDC_REGISTER
        )
        if settings.CHAT_OIDC_STAFF_GROUP:
            identities.set_staff(user, claims, group=settings.CHAT_OIDC_STAFF_GROUP)
        login(request, user, backend=BACKEND)
        hosts, secure = {request.get_host()}, request.is_secure()
        if url_has_allowed_host_and_scheme(next_path, allowed_hosts=hosts, require_https=secure):
            return HttpResponseRedirect(next_path)
        return HttpResponseRedirect(self.get_success_url())
