"""Pages on which people log in, make an account, or choose the name that they have as a guest."""

from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat.actions.inviting import may_register
from chat.delivery.login_hints import hint
from chat.domain import people
from chat.errors import LoginRequired
from chat.forms import NAME_TAKEN, GuestNameForm, SignUpForm
from chat.storage import accounts

BACKEND = "django.contrib.auth.backends.ModelBackend"  # in sessions, whichever way somebody logged in
FOR_GUESTS = {"login", "signup", "guest_name"}  # names of URLs


class LeadsBack(RedirectURLMixin):
    """A form that leads to `next` afterwards, and keeps it when it is shown again."""

    next_page = "chat:index"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return context | {"next": self.get_redirect_url()}


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignUpView(LeadsBack, FormView):
    """Makes an account with a password and logs it in."""

    template_name = "registration/signup.html"
    form_class = SignUpForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.CHAT_PASSWORDS:
            return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': self.get_redirect_url()})}")
        if not may_register():
            by_invitation = may_register(invited=True)
            context = {"by_invitation": by_invitation, "next": self.get_redirect_url()}
            return render(request, "registration/signup_closed.html", context, status=403)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save(commit=False)  # hashes the password, for which nobody else should wait
        with accounts.names_locked():
            if accounts.is_taken(user.get_username()):  # just now
                form.add_error("username", NAME_TAKEN)
                return self.form_invalid(form)
            user.save()
        login(self.request, user, backend=BACKEND)
        return super().form_valid(form)


class GuestNameView(LeadsBack, FormView):
    """Gives a guest another name."""

    template_name = "registration/guest_name.html"
    form_class = GuestNameForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:  # logged in meanwhile, in another tab
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get_initial(self) -> dict[str, Any]:
        return {"name": people.of_request(self.request).name}

    def form_valid(self, form: GuestNameForm) -> HttpResponse:
        session = self.request.session
        people.rename_guest(session, form.cleaned_data["name"])
        session.save()  # before the hint, as that has sockets look at it
        async_to_sync(hint)(guests=[people.guest_of(session).id])
        return super().form_valid(form)


@never_cache
def me(request: HttpRequest) -> JsonResponse:
    """The person in this browser, as JSON: for pages that are open during a login or logout in another tab."""
    if request.user.is_anonymous and not settings.CHAT_GUESTS:
        error = LoginRequired(_("Log in first."))
        return JsonResponse({"error": {**error.details, "message": str(error)}}, status=403)
    person = people.of_request(request)
    return JsonResponse({"id": person.id, "name": person.name, "isGuest": person.is_guest})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: answers a form that came without the token that belongs to its session.

    A login gives the session another token. So a form for guests that was open in another tab meanwhile fails here, and
    leads to where it would have led. Nothing that it holds is used, but for that address, if it is one of this site.
    """
    match = request.resolver_match
    if request.user.is_authenticated and match is not None and match.view_name in FOR_GUESTS:
        view = LeadsBack()
        view.request = request  # type: ignore[attr-defined]
        return HttpResponseRedirect(view.get_success_url())
    return render(request, "403_csrf.html", {"no_cookie": reason == REASON_NO_CSRF_COOKIE}, status=403)
