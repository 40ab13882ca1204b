"""`manage.py export_person NAME_OR_ID DIRECTORY`: what the site keeps of a person, see docs/export.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from chat.errors import ChatError
from chat.management.progress_bar import ProgressBar
from chat.storage.erasing import people
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.person_export import export_person


class Command(BaseCommand):
    help = "Writes what the site keeps of a person into a directory. Broken off, it goes on when it is run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="NAME_OR_ID", help="a user name, or an id: user-7, guest-4f…, import-4f…")
        parser.add_argument("directory", type=Path, help="is made if it isn't there")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = people.find(options["person"])
            with ProgressBar(self.stderr, "Exporting") as progress:
                exported = export_person(person, options["directory"], progress)
        except (ChatError, TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Exported {exported.entries:,} entries to {exported.path}.")
