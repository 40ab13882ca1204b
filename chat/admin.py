"""Admin pages: to look at rooms and messages, and to do as the site's staff what owners and moderators do.

Nothing is written here. Each change goes through `chat.actions.moderation`, so it becomes an entry of the room's log,
and a person whom it excludes hears nothing more. Reports are dismissed without an entry. The audit log has all of it.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from chat.actions import profiles
from chat.actions.moderation import Action, carry_out_on_commit
from chat.audited_admin import replace_djangos
from chat.domain import people, rooms
from chat.domain.profiles import ProfileChange
from chat.errors import ChatError
from chat.models import Ban, Message, Profile, Report, Role, Room, RoomMember, Token, Webhook
from chat.storage import audit, moderation, posting_limits, reports, tokens, webhooks

replace_djangos()


class Kept(admin.ModelAdmin):
    """A model whose rows are neither added nor deleted on admin pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def carry_out(self, request: HttpRequest, action: Action, room: Room, *args: Any) -> None:
        """Does it as the site itself, and says so where it can't be done."""
        try:
            with audit.by_staff(people.of_user(request.user)):
                carry_out_on_commit(action, rooms.find(room.name), *args, by=None)
        except ChatError as error:
            self.message_user(request, str(error), messages.ERROR)


class MemberInline(admin.TabularInline):
    model = RoomMember
    extra = 0
    autocomplete_fields = ["user"]


class BanInline(admin.TabularInline):
    model = Ban
    extra = 0
    readonly_fields = ["person_name", "by", "at"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(Kept):
    list_display = ["name", "is_private", "last_offset", "pruned_to"]
    list_filter = ["is_private"]
    search_fields = ["name"]
    fields = ["name", "is_private", "read_only", "slow_mode", "last_offset", "pruned_to"]
    readonly_fields = ["name", "last_offset", "pruned_to"]
    inlines = [MemberInline, BanInline]

    def save_model(self, request: HttpRequest, obj: Room, form: ModelForm, change: bool) -> None:
        if "is_private" in form.changed_data:
            self.carry_out(request, moderation.set_private, obj, obj.is_private)
        if "read_only" in form.changed_data:
            self.carry_out(request, posting_limits.set_read_only, obj, obj.read_only)
        if "slow_mode" in form.changed_data:
            self.carry_out(request, posting_limits.set_slow_mode, obj, obj.slow_mode)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        formset.save(commit=False)
        room = form.instance
        for gone in formset.deleted_objects:
            if isinstance(gone, Ban):
                self.carry_out(request, moderation.unban, room, gone.person_id)
            else:
                self.carry_out(request, moderation.remove_member, room, gone.user.get_username())
        for kept, changed in [*formset.changed_objects, *((new, []) for new in formset.new_objects)]:
            if isinstance(kept, Ban):
                self.carry_out(request, moderation.ban, room, kept.person_id)
                continue
            if "user" in changed:
                before = RoomMember.objects.get(pk=kept.pk).user
                self.carry_out(request, moderation.remove_member, room, before.get_username())
            self.carry_out(request, moderation.set_role, room, kept.user.get_username(), Role(kept.role))


@admin.register(Report)
class ReportAdmin(Kept):
    """Reports of messages in all rooms: for those that have no moderators."""

    list_display = ["room", "offset", "said", "reason", "person_name", "at"]
    list_select_related = ["room"]
    search_fields = ["room__name__exact"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = ["delete_messages", "dismiss"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_message")

    @admin.display(description="message")
    def said(self, report: Report) -> str:
        message = Message.objects.filter(room=report.room_id, offset=report.offset).first()
        return f"{message.person_name}: {message.text}" if message else ""

    @admin.action(description="Delete the text of the reported messages", permissions=["moderate"])
    def delete_messages(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        for report in queryset.select_related("room"):
            self.carry_out(request, moderation.delete_message, report.room, report.offset)

    @admin.action(description="Dismiss the selected reports", permissions=["moderate"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        for report in queryset.select_related("room"):
            self.carry_out(request, reports.dismiss, report.room, report.offset)


@admin.register(Message)
class MessageAdmin(Kept):
    list_display = ["room", "offset", "kind", "person_name", "text", "sent_at"]
    list_select_related = ["room"]
    list_filter = ["kind"]
    search_fields = ["room__name__exact"]
    ordering = ["-sent_at"]
    show_full_result_count = False
    actions = ["delete_text"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_message")

    @admin.action(description="Delete the text of the selected messages", permissions=["moderate"])
    def delete_text(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        for message in queryset.select_related("room"):
            self.carry_out(request, moderation.delete_message, message.room, message.offset)


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    """The tokens of all users: for the staff to revoke one. Its connections end at the next look at the logins."""

    list_display = ["name", "user", "scopes", "made_at", "expires_at", "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username__exact"]
    ordering = ["-pk"]
    show_full_result_count = False
    exclude = ["digest"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Token) -> None:
        self.revoke(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        self.revoke(request, queryset)

    def revoke(self, request: HttpRequest, revoked: Iterable[Token]) -> None:
        with audit.by_staff(people.of_user(request.user)):
            for token in revoked:
                tokens.delete(user_id=token.user_id, token_id=token.pk, by=None)


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):
    """The webhooks of all rooms and bots: for the staff to switch them off, or to remove them."""

    list_display = ["pk", "url", "room", "bot", "off_since", "off_reason", "failing_since", "attempts"]
    list_select_related = ["room", "bot"]
    search_fields = ["room__name__exact", "url"]
    ordering = ["-pk"]
    show_full_result_count = False
    exclude = ["secret", "former_secret", "former_until", "courier"]
    actions = ["switch_off"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_webhook")

    @admin.action(description="Switch off the selected webhooks", permissions=["switch"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        with audit.by_staff(people.of_user(request.user)):
            for webhook in queryset.select_related("room"):
                webhooks.switch(webhook_id=webhook.pk, on=False, room=_room_of(webhook), by=None)

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        self.remove(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self.remove(request, queryset.select_related("room"))

    def remove(self, request: HttpRequest, removed: Iterable[Webhook]) -> None:
        with audit.by_staff(people.of_user(request.user)):
            for webhook in removed:
                webhooks.delete(webhook_id=webhook.pk, room=_room_of(webhook), by=None)


def _room_of(webhook: Webhook) -> rooms.Room | None:
    return rooms.find(webhook.room.name) if webhook.room else None


@admin.register(Profile)
class ProfileAdmin(Kept):
    """The profiles of users: for the staff to take back lines that nobody should read."""

    list_display = ["user", "display_name", "about", "time_zone"]
    list_select_related = ["user"]
    search_fields = ["user__username", "display_name"]
    readonly_fields = ["user"]

    def save_model(self, request: HttpRequest, obj: Profile, form: ModelForm, change: bool) -> None:
        given = {field: form.cleaned_data[field] for field in form.changed_data}
        try:
            with audit.by_staff(people.of_user(request.user)):
                profiles.update_on_commit(ProfileChange.clean(**given), of=people.of_user(obj.user))
        except ChatError as error:
            self.message_user(request, str(error), messages.ERROR)
