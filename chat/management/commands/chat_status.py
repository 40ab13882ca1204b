"""`manage.py chat_status [address …]`: how the site is, and what `/readyz` and `/metrics` of instances say.

The page `/admin/site/` shows the same, but for the instances' own addresses.
"""

import json
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management.base import BaseCommand
from prometheus_client.parser import text_string_to_metric_families

from chat.delivery.layer import describe
from chat.status.processes import KnownProcess
from chat.status.site import SiteStatus, site_status
from chat.status.warnings import name_of, warnings

ANSWER_TIMEOUT = 5  # seconds that an instance has, to answer


def entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


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
        parser.add_argument("--json", action="store_true", help="for programs; the keys are in docs/operating.md")

    def handle(self, *args: Any, **options: Any) -> None:
        status = async_to_sync(site_status)()
        asked = [(address, *look_at(address)) for address in options["instances"]]
        if options["json"]:
            instances = [{"address": address, "ready": ready, "facts": facts} for address, ready, facts in asked]
            self.stdout.write(json.dumps({**status.as_json(), "instances": instances}, indent=2, ensure_ascii=False))
        else:
            self.show_site(status)
            for address, _ready, facts in asked:
                self.show("instance", address, *facts)
            for one in warnings(status):
                self.show("warning", one.of, one.text, one.advice)
        if not (status.ok and all(ready for _, ready, _ in asked)):
            sys.exit(1)

    def show(self, what: str, *facts: str) -> None:
        self.stdout.write(f"{what:<10} {'  '.join(fact for fact in facts if fact)}")

    def show_site(self, status: SiteStatus) -> None:
        database, tally, queues = status.database, status.tally, status.queues
        if tally is None or queues is None:
            self.show("database", "does not answer:", database.problem)
        else:
            self.show("database", "ok", f"{database.name}, {database.milliseconds:.0f} ms")
            more = "+" if tally.is_recent_cut else ""
            self.show("rooms", f"{tally.rooms:,}")
            self.show(
                "log", f"{tally.entries:,} {entries(tally.entries)} kept, {tally.recent:,}{more} in the last hour"
            )
            self.show("push", f"{queues.push_due:,} due", f"{queues.push_retries:,} to be tried again")
            self.show(
                "webhooks",
                f"{queues.webhooks:,} on, {queues.webhooks_failing:,} of them failing, {queues.webhooks_off:,} off",
                f"{queues.webhooks_behind:,} {entries(queues.webhooks_behind)} behind",
            )
            self.show("search", f"{queues.search_unindexed + queues.search_pending:,} messages to be indexed")
            self.show("files", f"{queues.files / 1e6:,.0f} of {queues.files_max / 1e6:,.0f} MB")
        self.show("redis", describe(status.redis))
        for process in status.processes:
            self.show("process", *facts_of(process))


def facts_of(known: KnownProcess) -> list[str]:
    report = known.report
    return [
        name_of(report),
        f"{known.age:.0f} s ago",
        f"{report.connections:,} connections",
        f"{report.rooms:,} rooms",
        f"{report.rates.get('posts', 0):.1f} posts/s",
        f"{report.cpu:.0%} CPU",
        f"{report.memory / 1e6:,.0f} MB",
    ]


def look_at(address: str) -> tuple[bool, list[str]]:
    """Whether the instance is ready, and what it says of itself."""
    ready, state = fetch(f"{address}/readyz")
    if not state:
        return False, ["does not answer"]
    facts = json.loads(state)
    wrong = [f"{key}: {facts[key]}" for key in ("database", "redis") if facts[key] != "ok"]
    return ready, ["ready" if ready else "not ready", *wrong, *counters(address)]


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
