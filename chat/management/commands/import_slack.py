"""`manage.py import_slack FILE.zip`: the channels of a Slack export. See docs/export.md."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, no_translations

from chat.actions import importing
from chat.domain import rooms
from chat.errors import ChatError
from chat.management.audited_command import AuditedCommand
from chat.management.progress_bar import ProgressBar
from chat.storage.transfer import checking
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.import_people import PeopleMap
from chat.storage.transfer.room_import import Imported
from chat.storage.transfer.scratch import scratch_folder
from chat.storage.transfer.slack import users
from chat.storage.transfer.slack.archive import Channel, SlackArchive
from chat.storage.transfer.slack.conversion import ChannelConversion
from chat.storage.transfer.slack.files import ArchivedFiles

REFUSED = "pictures from which it couldn’t be removed what cameras wrote into them"


class Command(AuditedCommand):
    help = "Imports the channels of a Slack export as rooms. Broken off, it goes on when it is run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the ZIP file that Slack has made, with the files or without them")
        parser.add_argument("--prefix", default="", help="of the rooms’ names, where channels have names of rooms here")
        parser.add_argument(
            "--people",
            choices=["foreign", "emails"],
            default="foreign",
            help="who they are here: foreign to this site, or those who have accounts with the same e-mail addresses",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        left_out: Counter[str] = Counter()
        try:
            with SlackArchive(options["file"]) as archive:
                known = users.accounts_by_email(archive.users()) if options["people"] == "emails" else {}
                names = users.names(archive.users())
                archived = ArchivedFiles(archive)
                taken: set[str] = set()
                for channel in archive.channels():
                    name = room_name(channel, names, options["prefix"], taken)
                    taken.add(name)
                    conversion = ChannelConversion(channel, name, names, archived, left_out)
                    imported = self.bring_in(conversion, archive, channel, known)
                    left_out[REFUSED] += len(imported.refused_files)
                    self.report(imported)
        except (ChatError, TransferError, OSError) as error:
            raise CommandError(str(error)) from error
        for what, count in (+left_out).items():
            self.stdout.write(f"Left out: {count:,} {what}.")

    def bring_in(
        self, conversion: ChannelConversion, archive: SlackArchive, channel: Channel, known: Mapping[str, str]
    ) -> Imported:
        with scratch_folder() as folder:
            export = checking.check(conversion.write(folder, archive.messages(channel)))
            with ProgressBar(self.stderr, f"Importing {export.room.name}") as progress:
                return importing.import_room(export, PeopleMap(users.SITE, known), export.room, progress)

    def report(self, imported: Imported) -> None:
        if imported.is_new:
            self.stdout.write(f"Imported {imported.entries:,} entries into “{imported.room.name}”.")
        else:
            self.stdout.write(f"“{imported.room.name}” is there already, with these entries.")


def room_name(channel: Channel, names: Mapping[str, str], prefix: str, taken: Iterable[str]) -> str:
    """The name of the channel's room: for direct messages, those of its people. Raises InvalidRoomName."""
    name = prefix + (channel.name or ", ".join(names.get(id, id) for id in channel.members) or channel.id)
    name = users.clean(name).lstrip(rooms.DIRECT)[: rooms.NAME_MAX] or channel.id
    if name in taken:
        name = f"{name[: rooms.NAME_MAX - len(channel.id) - 1]} {channel.id}"
    return rooms.find(name).name
