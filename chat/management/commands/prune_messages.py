"""`manage.py prune_messages --older-than 30d --keep 1000`: deletes old messages."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError
from django.utils import timezone

from chat.actions import file_cleaning
from chat.management.audited_command import AuditedCommand
from chat.storage import audit, links, pruning

UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def age(text: str) -> timedelta:
    """`30d`, `12h`, `90m`"""
    found = re.fullmatch(r"([0-9]{1,5})([dhm])", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is no age: write 30d, 12h or 90m")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def count(text: str) -> int:
    if not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no number of messages")
    return int(text)


class Command(AuditedCommand):
    help = "Deletes messages that are too old, or too many. Clients that missed them are told to start over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=age, metavar="AGE", help="delete what is older: 30d, 12h, 90m")
        parser.add_argument("--keep", type=count, metavar="N", help="delete all but the last N of each room")

    def handle(self, *args: Any, **options: Any) -> None:
        older_than, keep = options["older_than"], options["keep"]
        if older_than is None and keep is None:
            raise CommandError("Say what to delete: --older-than, --keep or both.")
        before = None if older_than is None else timezone.now() - older_than
        deleted = pruning.prune(older_than=before, keep=keep)
        if before is not None:
            links.forget_unused(before)
        audit.prune()
        files = async_to_sync(file_cleaning.delete_gone)()
        self.stdout.write(f"Deleted {deleted:,} messages{f' and {files:,} files' if files else ''}.")
