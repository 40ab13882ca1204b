"""The rules by which something is wrong with the site, and what to do about it.

Those with the name of an alert are the same as in deploy/alerts.yml, over the time that `chat.status.report` looks at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat.status.processes import REPORT_INTERVAL, KnownProcess
from chat.status.report import ProcessReport

if TYPE_CHECKING:
    from chat.status.site import SiteStatus

REDIS_WAS_AWAY = "It was without Redis a moment ago, when it last said how it is."
SILENT_AFTER = 3 * REPORT_INTERVAL  # seconds


@dataclass(frozen=True, slots=True)
class Warning:
    """`alert` is its name, `of` the process that it is about, or "" for the site."""

    alert: str
    of: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A process is warned of when `value` of its report is above `limit`."""

    value: Callable[[ProcessReport], float]
    limit: float
    text: str
    advice: str


def rate(name: str) -> Callable[[ProcessReport], float]:
    return lambda report: report.rates.get(name, 0)


RULES: dict[str, Rule] = {
    "ChatDatabaseFails": Rule(
        rate("database_errors"),
        0.1,
        "It can't reach the database: nobody can post.",
        "Look whether the database runs, and whether its disk is full.",
    ),
    "ChatSlow": Rule(
        lambda report: report.slow_share,
        0.01,
        "Messages take more than two seconds to arrive.",
        "Look whether it is busy, or the database or Redis is slow.",
    ),
    "ChatBusy": Rule(
        lambda report: report.cpu,
        0.8,
        "It uses most of a core, and has no second one.",
        "Add processes (WEB_CONCURRENCY) or instances.",
    ),
    "ChatFiles": Rule(
        lambda report: report.open_files / report.open_files_max if report.open_files_max else 0,
        0.8,
        "It is about to run out of files, of which each socket is one.",
        "Raise the limit (ulimit -n, LimitNOFILE), or add instances.",
    ),
    "ChatRedisAway": Rule(
        lambda report: not report.redis,
        0,
        "It goes on without Redis: messages take a second to arrive.",
        "Look whether Redis runs at REDIS_URL.",
    ),
    "ChatRepairs": Rule(
        lambda report: rate("repaired")(report) if report.redis else 0,
        1,
        "Redis is there, but drops what this process should hear.",
        "Look at Redis' memory and its limits on the output of clients.",
    ),
    "ChatBugs": Rule(
        rate("masked_errors"), 0, "It met what nobody foresaw.", "Look for a traceback in its log, and report it."
    ),
    "ChatFlood": Rule(
        rate("limits_hit"),
        10,
        "Somebody keeps running into a limit.",
        "Look in the log for the address, and whether a program goes too fast.",
    ),
    "ChatSlowListeners": Rule(
        rate("slow_listeners"),
        1,
        "Many are cut off because they read too slowly.",
        "Look at the network between the site and its clients.",
    ),
}


def warnings(status: "SiteStatus") -> list[Warning]:
    """All that is wrong, the site's own first."""
    there = all(status.redis)
    of_processes = [one for known in status.processes for one in _of_process(known, is_redis_there=there)]
    return [*_of_site(status), *of_processes]


def _of_process(known: KnownProcess, *, is_redis_there: bool) -> Iterator[Warning]:
    name = name_of(known.report)
    if known.age > SILENT_AFTER:
        yield Warning(
            "ChatDown",
            name,
            f"It has said nothing for {known.age:.0f} seconds.",
            "It was killed, hangs, or can't reach Redis. Look at its log. After five minutes it is forgotten.",
        )
        return
    for alert, rule in RULES.items():
        if rule.value(known.report) > rule.limit:
            if alert == "ChatRedisAway" and is_redis_there:
                yield Warning(alert, name, REDIS_WAS_AWAY, "Look again in a moment, and at its log if it stays so.")
            else:
                yield Warning(alert, name, rule.text, rule.advice)


def _of_site(status: "SiteStatus") -> Iterator[Warning]:
    database, queues = status.database, status.queues
    if not database.ok:
        yield Warning("DatabaseAway", "", f"The database does not answer: {database.problem}", "Nobody can post.")
    elif database.milliseconds > 1000:
        yield Warning("DatabaseSlow", "", "The database takes more than a second to count.", "Look what keeps it busy.")
    if not all(status.redis):
        yield Warning(
            "RedisAway", "", "Redis is away.", "Messages take a second to arrive. Look whether it runs at REDIS_URL."
        )
    if queues is None:
        return
    if queues.files > 0.9 * queues.files_max:
        yield Warning("FilesFull", "", "Nine tenths of CHAT_FILES_TOTAL are used.", "Raise it, or delete old messages.")
    if queues.webhooks_behind > 1000:
        yield Warning(
            "WebhooksBehind",
            "",
            f"Webhooks are {queues.webhooks_behind:,} entries behind.",
            "Look on the pages of webhooks which one fails or is slow.",
        )
    if queues.webhooks_failing:
        one = queues.webhooks_failing == 1
        yield Warning(
            "WebhooksFailing",
            "",
            "A webhook fails." if one else f"{queues.webhooks_failing:,} webhooks fail.",
            "Its page says why." if one else "Their pages say why.",
        )
    if queues.push_overdue > 300:
        yield Warning(
            "PushLate",
            "",
            f"Notifications are {queues.push_overdue / 60:.0f} minutes late.",
            "Look whether any process has CHAT_PUSH on, and reaches the push services.",
        )


def name_of(report: ProcessReport) -> str:
    return f"{report.host}:{report.port} ({report.process})"
