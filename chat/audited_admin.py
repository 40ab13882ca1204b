"""Admin pages whose changes the audit log has, beside Django's own history: of accounts, groups and tokens."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from chat.domain import people
from chat.domain.people import Person
from chat.models import Verb
from chat.storage import audit

RIGHTS = ("is_active", "is_staff", "is_superuser")  # of an account: their values are told


class Audited(admin.ModelAdmin):
    """Records what is added, changed and deleted, in the same transaction: which fields, but not what is in them."""

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.record(request, Verb.ADMIN_CHANGED if change else Verb.ADMIN_ADDED, obj, **changes(form))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.record(request, Verb.ADMIN_DELETED, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.record(request, Verb.ADMIN_DELETED, obj)
            super().delete_queryset(request, queryset)

    def record(self, request: HttpRequest, verb: Verb, obj: Model, **details: Any) -> None:
        with audit.by_staff(people.of_user(request.user)):
            audit.record(None, verb, target=person_of(obj), model=obj._meta.label_lower, key=str(obj.pk), **details)


def person_of(obj: Model) -> Person | None:
    return people.of_user(obj) if isinstance(obj, User) else None


def changes(form: BaseForm) -> dict[str, Any]:
    """The names of the fields that have changed, and the rights that an account has from then on."""
    changed = sorted(form.changed_data)
    return {"fields": changed, **{name: form.cleaned_data[name] for name in RIGHTS if name in changed}}


class AuditedUserAdmin(Audited, UserAdmin):
    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        return super().user_change_password(request, id, form_url)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Django's view for passwords saves without `save_model`, and calls this."""
        if request.resolver_match is not None and request.resolver_match.url_name == "auth_user_password_change":
            self.record(request, Verb.ADMIN_CHANGED, obj, fields=["password"])
        return super().log_change(request, obj, message)


class AuditedGroupAdmin(Audited, GroupAdmin):
    pass


def replace_djangos() -> None:
    """Registers these in the place of those that come with Django."""
    for model, with_audit in ((User, AuditedUserAdmin), (Group, AuditedGroupAdmin)):
        admin.site.unregister(model)
        admin.site.register(model, with_audit)
