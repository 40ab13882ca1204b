"""Commands that change what the audit log tells of."""

from typing import Any

from django.core.management.base import BaseCommand

from chat.storage import audit


class AuditedCommand(BaseCommand):
    """A command by whose name the audit log has what it does."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with audit.by_command(type(self).__module__.rpartition(".")[2]):
            return super().execute(*args, **options)
