"""`manage.py erase_person NAME_OR_ID`: what a person said, their files, sessions and name. See docs/erasing.md."""

from argparse import ArgumentParser
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError, no_translations

from chat.actions import erasing
from chat.actions.erasing import Erased
from chat.domain.people import Person
from chat.errors import ChatError
from chat.management.audited_command import AuditedCommand
from chat.management.progress_bar import ProgressBar
from chat.storage.erasing import people


class Command(AuditedCommand):
    help = (
        "Erases a person: what they said, their files, sessions and name. Broken off, it goes on when it is run again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="NAME_OR_ID", help="a user name, or an id: user-7, guest-4f…, import-4f…")
        parser.add_argument("--yes", action="store_true", help="don't ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = people.find(options["person"])
            if not (options["yes"] or self.is_meant(person)):
                raise CommandError("Nothing was erased.")
            with ProgressBar(self.stderr, "Erasing", " messages and reactions") as progress:
                erased = async_to_sync(erasing.erase)(person, progress)
        except (ChatError, OSError) as error:
            raise CommandError(str(error)) from error
        self.report(person, erased)

    def is_meant(self, person: Person) -> bool:
        traces = people.traces(person)
        self.stdout.write(
            f"{person.name or 'Nobody who is named'} ({person.id}) has said {traces.messages:,} messages and reacts to "
            f"{traces.reactions:,}. All that goes, with files, sessions and name, and can’t be brought back."
        )
        return input("Type the id to erase them: ").strip() == person.id

    def report(self, person: Person, erased: Erased) -> None:
        self.stdout.write(
            f"Erased {person.id}: {erased.messages:,} messages, {erased.reactions:,} reactions, {erased.files:,} files "
            f"that no message had, {erased.logins:,} logins, their name in {erased.named:,} entries, and "
            f"{erased.rows:,} other rows. Backups and exports still have them."
        )
