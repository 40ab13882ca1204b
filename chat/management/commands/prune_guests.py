"""`manage.py prune_guests`: forgets the rooms of guests whose sessions have ended."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from chat.storage import ignoring, readings


class Command(BaseCommand):
    help = "Forgets the rooms of guests who have opened none for as long as a session lasts (SESSION_COOKIE_AGE)."

    def handle(self, *args: Any, **options: Any) -> None:
        ended = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
        deleted = readings.prune_guests(ended)
        ignored = ignoring.prune_guests(ended)
        self.stdout.write(f"Deleted {deleted:,} readings, and {ignored:,} people ignored by guests.")
