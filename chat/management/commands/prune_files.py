"""`manage.py prune_files`: deletes the files that nobody can get any more."""

from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand

from chat.actions.file_cleaning import clean


class Command(BaseCommand):
    help = (
        "Deletes files that no message has a day after their upload, and those of messages and rooms that are gone. "
        "Servers do most of that by themselves; this also finds what instances of a release without files have left."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Deleted {async_to_sync(clean)():,} files.")
