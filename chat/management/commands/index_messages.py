"""`manage.py index_messages`: indexes for search what was said before, at once and not bit by bit."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from chat.storage import search_feed

STEP_SIZE = 1000  # messages
BUSY = 0.5  # seconds until another process that indexes has ended its step


class Command(BaseCommand):
    help = "Indexes all messages for search. It may be broken off and started again, while the site runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="empty the index first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"]:
            search_feed.empty()
        total = search_feed.begin()
        with tqdm(total=total, unit=" keys", disable=not sys.stderr.isatty()) as bar:
            while (wait := search_feed.feed(STEP_SIZE)) == 0 or search_feed.remaining():
                if wait != 0:
                    time.sleep(BUSY)
                bar.update(total - search_feed.remaining() - bar.n)
        self.stdout.write("All messages are indexed.")
