"""`manage.py restore BACKUP`: what `backup` has made. See docs/backup.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from chat.management.progress_bar import ProgressBar
from chat.storage.backup import checking, restoring
from chat.storage.backup.manifest import whole_backups
from chat.storage.transfer.errors import TransferError


class Command(BaseCommand):
    help = "Restores a backup of the database and its files. Stop the site before, and migrate after."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, help="a backup, or a directory of backups: then it is the last one")
        parser.add_argument("--replace", action="store_true", help="throw away what is in the database")
        parser.add_argument("--check", action="store_true", help="only check that it can be restored")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = ([options["backup"]] + whole_backups(options["backup"]))[-1]
        try:
            if options["check"]:
                with ProgressBar(self.stderr, "Checking", " files") as progress:
                    made = checking.check(folder, progress)
                self.stdout.write(f"{folder} is in order: {sum(made.tables.values()):,} rows, {made.files:,} files.")
                return
            with ProgressBar(self.stderr, "Files", " files") as files, ProgressBar(self.stderr, "Database", "B") as bar:
                restored = restoring.restore(folder, replace=options["replace"], of_files=files, of_database=bar)
        except (TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {folder}, of {restored.manifest.at}. {restored.files:,} files were missing here.")
        if restored.migrations:
            self.stdout.write("It is of an older release: run `manage.py migrate`.")
