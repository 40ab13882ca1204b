"""Pages on which people log in: by a password, by a link that they are sent by e-mail, and the ways to others."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, View

from chat.account_views import BACKEND, LeadsBack
from chat.actions import inviting, login_links
from chat.domain.login_links import LASTS, LinkRequest, mailbox_key
from chat.errors import ChatError, NameTaken
from chat.forms import USERNAME_MAX, LoginForm, NameInput, clean_account_name
from chat.storage import login_links as stored_links
from chat.storage.login_links import HoldingLink


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class NewAccountForm(forms.Form):
    """For somebody whose address a link has confirmed."""

    username = forms.CharField(max_length=USERNAME_MAX, label=_("Username"), widget=NameInput())

    def clean_username(self) -> str:
        return clean_account_name(self.cleaned_data["username"])


class LogInView(LoginView):
    """Django's own, with the other ways to log in beside it."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        by_password = settings.CHAT_PASSWORDS
        by_email = AddressForm() if settings.CHAT_LOGIN_LINKS else None
        provider = settings.CHAT_OIDC_NAME
        several = sum(map(bool, (by_password, by_email, provider))) > 1
        ways = {"by_password": by_password, "address_form": by_email, "provider": provider, "several": several}
        return super().get_context_data(**kwargs) | ways


class AdminLogInView(View):
    """The admin pages' own form, as long as people log in by passwords; or else the page that has the other ways."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.CHAT_PASSWORDS:
            return admin.site.login(request)
        if request.user.is_authenticated and not admin.site.has_permission(request):
            raise PermissionDenied  # another login is of no use
        return redirect_to_login(request.GET.get("next", reverse("admin:index")), reverse("login"))


class AskLinkView(LeadsBack, FormView):
    """Sends a link to an address, and says the same of all addresses."""

    template_name = "registration/login_link_ask.html"
    form_class = AddressForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.CHAT_LOGIN_LINKS:
            raise Http404
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def form_valid(self, form: AddressForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        request = LinkRequest(email, get_language() or "", self.get_redirect_url())
        try:
            async_to_sync(login_links.ask)(request)
        except ChatError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        context = {"email": email, "may_register": inviting.may_register()}
        minutes = int(LASTS.total_seconds() // 60)
        return render(self.request, "registration/login_link_sent.html", {**context, "minutes": minutes})


@method_decorator(never_cache, name="dispatch")
class LinkView(View):
    """The page that a link leads to, with a button, since programs that look at mails open links, too."""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        link = self.look(secret)
        return self.refuse() if link is None else self.show(link, NewAccountForm())

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        link = self.look(secret)
        if link is None:
            return self.refuse()
        if link.user is None:
            return self.register(link, NewAccountForm(request.POST))
        return self.log_in(link, link.user) if stored_links.use_up(link) else self.refuse()

    def register(self, link: HoldingLink, form: NewAccountForm) -> HttpResponse:
        if not form.is_valid():
            return self.show(link, form)
        try:
            user = stored_links.register(link, form.cleaned_data["username"], language=get_language() or "")
        except NameTaken as error:  # just now
            form.add_error("username", str(error))
            return self.show(link, form)
        return self.refuse() if user is None else self.log_in(link, user)

    def log_in(self, link: HoldingLink, user: Any) -> HttpResponse:
        self.request.known_mailbox = mailbox_key(link.email)  # type: ignore[attr-defined]  # for chat.login_throttle
        login(self.request, user, backend=BACKEND)
        return HttpResponseRedirect(self.target(link))

    def look(self, secret: str) -> HoldingLink | None:
        if not settings.CHAT_LOGIN_LINKS:
            raise Http404
        link = stored_links.look(secret)
        return link if link is None or link.user is not None or inviting.may_register() else None

    def show(self, link: HoldingLink, form: NewAccountForm) -> HttpResponse:
        return render(self.request, "registration/login_link.html", {"link": link, "form": form})

    def refuse(self) -> HttpResponse:
        return render(self.request, "registration/login_link_over.html", status=410)

    def target(self, link: HoldingLink) -> str:
        """The page that was wanted when the link was asked for, if it is one of the site as this browser knows it."""
        hosts, secure = {self.request.get_host()}, self.request.is_secure()
        if url_has_allowed_host_and_scheme(link.next_path, allowed_hosts=hosts, require_https=secure):
            return link.next_path
        return resolve_url(settings.LOGIN_REDIRECT_URL)
