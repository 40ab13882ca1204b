"""`manage.py chat_status [address …]`: what `/readyz` and `/metrics` say, for a person."""

import asyncio
import json
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from chat.delivery.layer import Layer, describe
from chat.storage import history

ANSWER_TIMEOUT = 5  # seconds that an instance has, to answer


class Command(BaseCommand):
    help = "Says how the site is: database, Redis, and instances. The exit code is 0 if all is well, and 1 if not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "instances",
            nargs="*",
            metavar="address",
            default=[f"http://127.0.0.1:{settings.PORT}"],
            help="of an instance, which must let this machine read its /metrics (default: the one on PORT here)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        all_is_well = [self.show_database(), self.show_redis(), *map(self.show_instance, options["instances"])]
        if not all(all_is_well):
            sys.exit(1)

    def show(self, what: str, *facts: str) -> None:
        self.stdout.write(f"{what:<10} {'  '.join(fact for fact in facts if fact)}")

    def show_database(self) -> bool:
        began = time.monotonic()
        try:
            tally = history.tally(timezone.now() - timedelta(hours=1))
        except Error as error:
            self.show("database", "does not answer:", str(error).partition("\n")[0])
            return False
        self.show("database", "ok", f"{connection.display_name}, {(time.monotonic() - began) * 1000:.0f} ms")
        more = "+" if tally.recent == history.TALLY_MAX else ""
        self.show("rooms", f"{tally.rooms:,}")
        self.show("log", f"{tally.entries:,} entries kept, {tally.recent:,}{more} in the last hour")
        return True

    def show_redis(self) -> bool:
        answers = asyncio.run(self.ask_redis())
        self.show("redis", describe(answers))
        return all(answers)

    async def ask_redis(self) -> list[bool]:
        return await Layer.here().look()

    def show_instance(self, address: str) -> bool:
        ready, state = fetch(f"{address}/readyz")
        if not state:
            self.show("instance", address, "does not answer")
            return False
        facts = json.loads(state)
        wrong = [f"{key}: {facts[key]}" for key in ("database", "redis") if facts[key] != "ok"]
        self.show("instance", address, "ready" if ready else "not ready", *wrong, *counters(address))
        return ready


def counters(address: str) -> list[str]:
    """The instance's counters, as far as its `/metrics` shows them."""
    allowed, exposition = fetch(f"{address}/metrics")
    if not allowed:
        return ["(no /metrics for this machine: see CHAT_METRICS_ALLOW)"]
    sums: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            sums[sample.name] += sample.value
    shown = ("connections", "listeners", "rooms", "posts_total", "slow_listeners_total", "limits_hit_total")
    return [f"{sums[f'chat_{name}']:,.0f} {name.removesuffix('_total').replace('_', ' ')}" for name in shown]


def fetch(url: str) -> tuple[bool, str]:
    """Whether the answer was a good one, and the answer; nothing if there is none."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode()
    except OSError:
        return False, ""
