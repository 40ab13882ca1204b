"""The page of the audit log: of a room, for its owners; without a room, of the whole site, for its staff."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from chat.domain import cursors, people, rooms
from chat.domain.rooms import Room
from chat.errors import InvalidPage, InvalidRoomName
from chat.models import AuditRecord, Verb
from chat.storage import audit, permissions
from chat.storage.audit import Filter

PAGE_SIZE = 50  # records


class FilterForm(forms.Form):
    person = forms.CharField(
        label=_("Person"), required=False, max_length=150, help_text=_("The person who did it, or to whom it was done.")
    )
    in_room = forms.CharField(label=_("Room"), required=False, max_length=rooms.NAME_MAX)
    verb = forms.ChoiceField(label=_("Deed"), required=False, choices=[("", _("All")), *Verb.choices])
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, data: Any, *, room: Room | None) -> None:
        super().__init__(data)
        if room is not None:
            del self.fields["in_room"]

    def wanted(self) -> Filter:
        """The days are those of UTC."""
        given = self.cleaned_data
        until = given["until"]
        return Filter(
            person=given["person"],
            verb=given["verb"],
            room=Room(given["in_room"]) if given.get("in_room") else None,
            since=begin_of(given["since"]) if given["since"] else None,
            until=begin_of(until + timedelta(days=1)) if until and until < date.max else None,
        )


def begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as the page shows it."""

    row: AuditRecord
    label: Any
    by_staff: bool
    """Whether it was done by the site itself, or an owner isn't to know which of the staff it was."""
    details: dict[str, Any]


class AuditView(LoginRequiredMixin, View):
    """Lists the records that match the form's fields, before the one numbered `?before=`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        room = room_of_audit(request)
        form = FilterForm(request.GET, room=room)
        status, found = (200, self.find(form, room)) if form.is_valid() else (400, [])
        context: dict[str, Any] = {
            "room": room,
            "form": form,
            "records": [shown(row, room) for row in found[:PAGE_SIZE]],
        }
        if len(found) > PAGE_SIZE:
            context["older_url"] = self.url_of(before=found[PAGE_SIZE - 1].pk)
        if "before" in request.GET:
            context["newest_url"] = self.url_of()
        return render(request, "chat/audit.html", context, status=status)

    def find(self, form: FilterForm, room: Room | None) -> list[AuditRecord]:
        """The records to show, and one more if there are more."""
        try:
            before = cursors.read_number(self.request.GET["before"]) if "before" in self.request.GET else None
        except InvalidPage:
            before = None
        wanted = form.wanted() if room is None else replace(form.wanted(), room=room)
        return audit.read(wanted, size=PAGE_SIZE + 1, before=before)

    def url_of(self, **place: object) -> str:
        """This page at another place in the list."""
        here = {key: value for key, value in self.request.GET.items() if key != "before"}
        return f"{self.request.path}?{urlencode(here | place)}"


def room_of_audit(request: HttpRequest) -> Room | None:
    """The room `?room=`, whose owner asks; None if the site's staff asks for everything.

    Raises PermissionDenied for others.
    """
    if "room" not in request.GET:
        if not getattr(request.user, "is_staff", False):
            raise PermissionDenied
        return None
    person = people.of_request(request)
    try:
        room = rooms.enter(request.GET["room"], person)
    except InvalidRoomName as error:
        raise PermissionDenied from error
    if not permissions.permission(room, person).owns:
        raise PermissionDenied
    return room


def shown(row: AuditRecord, room: Room | None) -> Shown:
    known = {verb.value: verb.label for verb in Verb}
    by_staff = not row.person_id or (room is not None and row.via == audit.ADMIN)
    via = {} if room is not None or not row.via else {"via": row.via}
    details = {name: as_text(value) for name, value in row.details.items() if value is not None}
    return Shown(row, known.get(row.verb, row.verb), by_staff, via | details)


def as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
