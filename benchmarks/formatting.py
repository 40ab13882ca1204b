"""How long it takes to format a message: usual ones, and the worst that a search can make up.

    python -m benchmarks.formatting --seconds 60 --seed 7

The search puts signs, addresses and letters together, repeats them up to the longest message, and changes those that
took longest. It tells milliseconds of the thread's own time, so that a busy machine matters little.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator

from chat.domain.formatting import to_html

MESSAGE_MAX = 4_000  # characters
WORST_KEPT = 12
USUAL = {
    "nothing to format": "good morning, has anybody seen the keys?",
    "bold": "it is **really** urgent",
    "a link": "see https://en.wikipedia.org/wiki/Foo_(bar), it explains that",
    "a list": "we need\n- milk\n- eggs\n- bread",
    "code": "```python\nfor one in many:\n    print(one)\n```",
}
PIECES = [
    *"*_~`<>-+.)(/:&'\"[]{}?!,;@#%=\n \t\\a0é字",
    "**",
    "***",
    "~~",
    "```",
    "````",
    "> ",
    "- ",
    "1. ",
    "\n\n",
    "    ",
]
PIECES += [
    "http://",
    "https://a.b/",
    "www.",
    "www.a",
    "a.",
    "xn--",
    "://",
    "<http://a>",
    "[a](b)",
    "&amp;",
    "\u0300",
    "👍",
]


def milliseconds(text: str, repeats: int) -> list[float]:
    return [taken(text) for _ in range(repeats)]


def taken(text: str) -> float:
    before = time.thread_time()
    to_html(text)
    return (time.thread_time() - before) * 1000


def worst(seconds: float, chance: random.Random) -> list[tuple[float, str]]:
    """The texts that took longest, the worst first."""
    found: list[tuple[float, str]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = changed(chance.choice(found)[1], chance) if found and chance.random() < 0.4 else made_up(chance)
        found.append((min(milliseconds(text, 2)), text))
        found = sorted(found, reverse=True)[:WORST_KEPT]
    return found


def made_up(chance: random.Random) -> str:
    parts = [filled("".join(chance.choices(PIECES, k=chance.randint(1, 6))), MESSAGE_MAX) for _ in range(2)]
    cut = chance.randrange(MESSAGE_MAX)
    return parts[0][:cut] + parts[1][cut:]


def changed(text: str, chance: random.Random) -> str:
    start = chance.randrange(MESSAGE_MAX)
    length = chance.randint(1, MESSAGE_MAX // 2)
    other = filled("".join(chance.choices(PIECES, k=chance.randint(1, 5))), length)
    return (text[:start] + other + text[start + length :])[:MESSAGE_MAX]


def filled(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def report(seconds: float, seed: int) -> Iterator[str]:
    for name, text in USUAL.items():
        yield f"{statistics.median(milliseconds(text, 500)) * 1000:8.1f} µs  {name}"
    for took, text in worst(seconds, random.Random(seed)):
        yield f"{took:8.2f} ms  {text[:40]!r} … {text[-20:]!r}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(*report(given.seconds, given.seed), sep="\n")
