"""`manage.py import_room DIRECTORY`: a room that `export_room` has written, see docs/export.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, no_translations

from chat.actions import importing
from chat.domain import rooms
from chat.errors import ChatError
from chat.management.audited_command import AuditedCommand
from chat.management.progress_bar import ProgressBar
from chat.storage.transfer import checking, import_people
from chat.storage.transfer.checking import CheckedExport
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.import_people import PeopleMap
from chat.storage.transfer.room_export import FILE_NAME
from chat.storage.transfer.room_import import Imported


class Command(AuditedCommand):
    help = "Imports a room from a directory that export_room has written. Broken off, it goes on when it is run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--as", dest="name", help="the room's name here (default: the one that it had)")
        parser.add_argument(
            "--people",
            default="foreign",
            metavar="foreign|same|usernames|FILE",
            help="who they are here: foreign to this site (the default); the same, for an export of this very site; "
            "those who have the same user names; or as a JSON file says, "
            "which has user names here by ids or user names there",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ProgressBar(self.stderr, "Checking", " lines") as progress:
                export = checking.check(options["directory"] / FILE_NAME, progress)
            room = rooms.find(options["name"]) if options["name"] else export.room
            people = people_of(export, options["people"])
            with ProgressBar(self.stderr, "Importing") as progress:
                imported = importing.import_room(export, people, room, progress)
        except (ChatError, TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        self.report(imported)

    def report(self, imported: Imported) -> None:
        if not imported.is_new:
            self.stdout.write(f"“{imported.room.name}” is there already, with these entries.")
            return
        self.stdout.write(f"Imported {imported.entries:,} entries into “{imported.room.name}”.")
        if imported.refused_files:
            names = ", ".join(imported.refused_files)
            self.stdout.write(f"Left out, as what cameras wrote into them couldn’t be removed: {names}.")
        if imported.left_out:
            self.stdout.write(f"No members any more, without an account here: {', '.join(imported.left_out)}.")


def people_of(export: CheckedExport, choice: str) -> PeopleMap:
    match choice:
        case "foreign":
            return import_people.foreign_people(export)
        case "same":
            return import_people.same_people(export)
        case "usernames":
            return import_people.people_by_username(export)
        case path:
            return import_people.people_by_file(export, Path(path))
