"""`manage.py export_audit`: the audit log, a JSON object to a line. See docs/operating.md."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.domain import rooms
from chat.errors import ChatError
from chat.management.commands.prune_messages import age
from chat.storage import audit
from chat.storage.audit import Filter


class Command(BaseCommand):
    help = "Writes the audit log to the standard output, the oldest record first, a JSON object to a line."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--room", help="what was done in that room")
        parser.add_argument("--person", default="", metavar="NAME_OR_ID", help="what was done by a person, or to them")
        parser.add_argument("--verb", default="", help="such deeds: member.banned")
        parser.add_argument("--newer-than", type=age, metavar="AGE", help="of the last 30d, 12h, 90m")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            room = rooms.find(options["room"]) if options["room"] else None
        except ChatError as error:
            raise CommandError(str(error)) from error
        since = timezone.now() - options["newer_than"] if options["newer_than"] else None
        wanted = Filter(room, person=options["person"], verb=options["verb"], since=since)
        for row in audit.read_all(wanted):
            self.stdout.write(json.dumps(audit.as_json(row), ensure_ascii=False))
