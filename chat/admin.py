"""Admin pages: to look at rooms and messages. Nothing is written here; `chat.messages` is the only writer."""

from django.contrib import admin
from django.http import HttpRequest

from chat.models import Message, Room


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(ReadOnly):
    list_display = ["name", "last_offset", "pruned_to"]
    search_fields = ["name"]


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ["room", "offset", "person_name", "text", "sent_at"]
    list_select_related = ["room"]
    search_fields = ["room__name__exact"]
    ordering = ["-sent_at"]
    show_full_result_count = False
