"""Pages: the rooms, a room, and who one is. What happens in a room comes through `chat.consumers`."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat.connections import login_watch
from chat.domain import names, people, rooms
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, InvalidName, InvalidRoomName, LoginRequired, NotAMember
from chat.frames import shown
from chat.storage import history, pages, permissions

SESSION_KEY = "chat_rooms"
ROOMS_REMEMBERED = 12

guests_if_allowed = user_passes_test(lambda user: settings.CHAT_GUESTS or user.is_authenticated)


@guests_if_allowed
def index(request: HttpRequest) -> HttpResponse:
    if name := request.GET.get("room", "").strip():
        return redirect(Room(name))  # the form without JavaScript; the room's page says what is wrong with a name
    person = people.of_request(request)
    context = {
        "rooms": lately_used(request, person),
        "own_rooms": permissions.rooms_of(person),
        "room_name_max": rooms.NAME_MAX,
    }
    return render(request, "chat/index.html", context)


@guests_if_allowed
def room(request: HttpRequest, room_name: str) -> HttpResponse:
    person = people.of_request(request)
    try:
        entered = rooms.enter(room_name, person)
    except InvalidRoomName as error:
        return render(request, "chat/room_invalid.html", {"error": error, "room_name_max": rooms.NAME_MAX}, status=400)
    try:
        last = history.last_offset(entered, person=person)  # before the page is read: it counts where nothing is kept
        page = pages.page(entered, person=person, size=pages.PAGE_SIZE, from_end=True)
    except (Banned, NotAMember) as error:
        return closed(request, entered, error)
    permission = permissions.permission(entered, person)
    used = [entered, *(other for other in lately_used(request, person) if other != entered)][:ROOMS_REMEMBERED]
    request.session[SESSION_KEY] = [one.name for one in used]
    room_data = {
        "room": entered.name,
        "person": {"id": person.id, "name": person.name, "isGuest": person.is_guest},
        "moderates": permission.may_moderate,
        "messageMax": settings.CHAT_MESSAGE_MAX,
        "showOrigin": settings.CHAT_SHOW_ORIGIN,
        "history": {"messages": [shown(event) for event in page.events], "more": page.has_earlier},
        "position": page.events[-1].offset if page.events else last,
        "positionId": page.events[-1].id if page.events else None,
    }
    context = {
        "room": entered,
        "rooms": used,
        "room_data": room_data,
        "events": page.events,
        "permission": permission,
        "guests": settings.CHAT_GUESTS,
    }
    return render(request, "chat/room.html", context)


@never_cache
def me(request: HttpRequest) -> JsonResponse:
    """Who one is in this browser: for pages that are open while one logs in or out in another tab."""
    if request.user.is_anonymous and not settings.CHAT_GUESTS:
        error = LoginRequired("Log in first.")
        return JsonResponse({"error": {**error.details, "message": str(error)}}, status=403)
    person = people.of_request(request)
    return JsonResponse({"id": person.id, "name": person.name, "isGuest": person.is_guest})


def closed(request: HttpRequest, room: Room, error: ChatError) -> HttpResponse:
    """Why somebody may not enter, and what they can do about it."""
    return render(request, "chat/room_closed.html", {"room": room, "error": error}, status=403)


def lately_used(request: HttpRequest, person: Person) -> list[Room]:
    """The rooms this person was in and may be in still, the last one first."""
    rooms = [Room(name) for name in request.session.get(SESSION_KEY, ())]
    return [room for room, permission in permissions.by_room(rooms, person).items() if permission.may_enter]


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignUpView(RedirectURLMixin, FormView):
    """Makes an account and logs it in."""

    template_name = "registration/signup.html"
    form_class = UserCreationForm
    next_page = "chat:index"

    def form_valid(self, form: UserCreationForm) -> HttpResponse:
        login(self.request, form.save())
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": self.get_redirect_url()}


class GuestNameForm(forms.Form):
    name = forms.CharField(
        max_length=people.NAME_MAX,
        help_text="What others see beside what you say.",
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "autofocus": True}),
    )

    def clean_name(self) -> str:
        try:
            name = people.clean_name(self.cleaned_data["name"])
        except InvalidName as error:
            raise forms.ValidationError(str(error)) from None
        if get_user_model().objects.filter(username__iexact=names.skeleton(name)).exists():
            raise forms.ValidationError("Somebody with an account has that name.")
        return name


class GuestNameView(RedirectURLMixin, FormView):
    """Gives a guest another name."""

    template_name = "registration/guest_name.html"
    form_class = GuestNameForm
    next_page = "chat:index"

    def get_initial(self) -> dict[str, Any]:
        return {"name": people.of_request(self.request).name}

    def form_valid(self, form: GuestNameForm) -> HttpResponse:
        session = self.request.session
        people.rename_guest(session, form.cleaned_data["name"])
        session.save()  # before the hint, as that has sockets look at it
        async_to_sync(login_watch.hint)(guests=[people.guest_of(session).id])
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": self.get_redirect_url()}
