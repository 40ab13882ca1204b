"""The page of the people whom one ignores; its form, and that on profiles, ignores somebody or undoes that."""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.generic import View

from chat.actions import ignoring as actions
from chat.domain import people
from chat.errors import ChatError
from chat.storage import ignoring
from chat.views import guests_if_allowed


@method_decorator(guests_if_allowed, name="dispatch")
class IgnoredView(RedirectURLMixin, View):
    """Lists the ignored people. A form posts a `person_id`, `on` (true or false), and where to go `next`."""

    next_page = "ignored"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest) -> HttpResponse:
        on = request.POST.get("on") == "true"
        try:
            person = people.of_request(request)
            async_to_sync(actions.set_ignored)(request.POST.get("person_id"), on, person=person)
        except ChatError as error:
            return self.show(error=str(error), status=400)
        return HttpResponseRedirect(self.get_success_url())

    def show(self, *, status: int = 200, **context: Any) -> HttpResponse:
        context["ignored"] = ignoring.ignored(people.of_request(self.request))
        return render(self.request, "people/ignored.html", context, status=status)
