"""`manage.py backup DIRECTORY`: the database and its files, while the site runs. See docs/backup.md."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from chat.management.progress_bar import ProgressBar
from chat.storage.backup import checking, making
from chat.storage.transfer.errors import TransferError


def number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number of backups")
    return int(text)


class Command(BaseCommand):
    help = "Backs the database and its files up into a directory, which may hold many backups, while the site runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--keep", type=number, metavar="N", help="delete all but the last N backups there")
        parser.add_argument("--check", action="store_true", help="then check it, as `restore --check` does")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with (
                ProgressBar(self.stderr, "Copying", "B") as database,
                ProgressBar(self.stderr, "Copying", " files") as files,
            ):
                made = making.make(options["directory"], keep=options["keep"], of_database=database, of_files=files)
            if options["check"]:
                with ProgressBar(self.stderr, "Checking", " files") as progress:
                    checking.check(made.folder, progress)
        except (TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(made.manifest.tables.values())
        self.stdout.write(f"{made.folder}: {rows:,} rows, {made.manifest.files:,} files.")
        if made.manifest.missing:
            self.stdout.write(f"{len(made.manifest.missing):,} files were missing: see its manifest.json.")
        if made.dropped:
            self.stdout.write(f"Deleted {made.dropped:,} older backups.")
