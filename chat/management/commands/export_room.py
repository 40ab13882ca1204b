"""`manage.py export_room ROOM DIRECTORY`: a room as JSON Lines, see docs/export.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from chat.domain import rooms
from chat.errors import ChatError
from chat.management.progress_bar import ProgressBar
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.room_export import export_room


class Command(BaseCommand):
    help = "Writes a room into a directory, as docs/export.md has it. Broken off, it goes on when it is run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="the room's name, as people type it")
        parser.add_argument("directory", type=Path, help="is made if it isn't there")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            room = rooms.find(options["room"])
            with ProgressBar(self.stderr, "Exporting") as progress:
                exported = export_room(room, options["directory"], progress)
        except (ChatError, TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Exported {exported.entries:,} entries to {exported.path}.")
