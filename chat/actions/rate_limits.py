"""How much one may send at once, and how fast: token buckets, shared by all instances through Redis.

A bucket holds as many tokens as a rate allows at once and fills at the rate's pace. A message takes one from its
sender's bucket and one from that of the address it comes from, both or neither, in one round trip. All that is known
of a bucket is when it will be full again.

Several Redis servers share the buckets by a hash of their keys. If the two buckets of a message are on two servers,
both are asked at once, and a token that was taken at one and not at the other is given back.

Each process remembers what it saw of the buckets last. So a person who sends much too fast is refused without asking
Redis, and while a server is away each process limits by itself what is kept there.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from zlib import crc32

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import log_context, metrics
from chat.actions.bucket_server import BucketServer
from chat.delivery.layer import Layer
from chat.domain.people import Person
from chat.domain.rates import Rate, parse_rate
from chat.errors import FrameTooLong, RateLimited, grouped
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

LOCAL_MAX = 10_000  # buckets that are remembered before those that are full again are dropped
CLOSE = 0.001  # seconds that make no difference: the rounding of both clocks


def hit(limit: str) -> None:
    """Counts that somebody ran into `limit`. The log says so once per connection."""
    metrics.LIMITS_HIT.labels(limit).inc()
    if log_context.first_time(limit):
        logger.info("Ran into the limit of: %s", limit)


def check_frame(text: str) -> None:
    """Raises FrameTooLong for what came through a WebSocket and is longer than CHAT_FRAME_MAX."""
    longest = settings.CHAT_FRAME_MAX
    if len(text) > longest or (not text.isascii() and len(text.encode(errors="surrogatepass")) > longest):
        hit("frame")
        raise FrameTooLong(_("That was too long: {longest} bytes are allowed at once."), longest=grouped(longest))


async def spend(person: Person, *, on: str = "message", program: str | None = None) -> None:
    """Takes a token for what `person` is about to say: a message, or a greeting or typing, each from its own buckets.

    Raises RateLimited.

    A guest whom the next connection makes another has no bucket, only the address has; who has neither has no limit.
    A token has a bucket of its own in the place of its person's: so a program doesn't keep its person from talking.
    Another program that speaks as somebody is named by `program`, and has one, too.
    """
    rates = _of(person, settings.CHAT_RATE_PERSON, settings.CHAT_RATE_ADDRESS)
    if person.grant is not None:
        program = f"token:{person.grant.token_id}"
    if program is not None:
        rates.pop(f"person:{person.id}", None)
        rates[program] = settings.CHAT_RATE_TOKEN
    await _spend(on, rates)


async def spend_login(address: str | None, account: str | None, mailbox: str | None = None) -> None:
    """Takes a token for a login that is tried, or an account that is made, from `address`.

    That is a password that is tried at `account`, or a link that is to be sent to `mailbox`. Raises RateLimited.
    """
    rates = {}
    if address:
        rates[address] = settings.CHAT_RATE_LOGIN
    if account:
        rates[f"account:{account}"] = settings.CHAT_RATE_ACCOUNT
    if mailbox:
        rates[f"mailbox:{mailbox}"] = settings.CHAT_RATE_MAILBOX
    await _spend("login", rates)


async def spend_mailbox(mailbox: str) -> None:
    """Takes a token for an e-mail to an address that somebody typed, by `mailbox_key`. Raises RateLimited."""
    await _spend("login", {f"mailbox:{mailbox}": settings.CHAT_RATE_MAILBOX})


async def spend_search(person: Person) -> None:
    """Takes a token for a search of `person`, and one of the address it comes from. Raises RateLimited."""
    await _spend("search", _of(person, settings.CHAT_RATE_SEARCH, settings.CHAT_RATE_ADDRESS))


async def spend_link(person: Person, host: str) -> None:
    """Takes a token for a page at `host` that the site is about to ask for, as `person` links to it.

    Raises RateLimited.
    """
    rates = _of(person, settings.CHAT_RATE_LINKS, settings.CHAT_RATE_LINKS)
    await _spend("link", rates | {f"host:{host}": settings.CHAT_RATE_LINK_HOST})


def _of(person: Person, own: str, of_address: str) -> dict[str, str]:
    """The rates of a person's own bucket and of their address's, as far as they have these."""
    rates = {}
    if person.lasting:
        rates[f"person:{person.id}"] = own
    if person.address:
        rates[f"address:{person.address}"] = of_address
    return rates


async def _spend(on: str, rates: Mapping[str, str]) -> None:
    """Takes a token from each bucket, or none. `rates` are as settings have them, by whose bucket it is."""
    if not settings.CHAT_LIMITS or not rates:
        return
    parsed = {f"chat:rate:{on}:{whose}": parse_rate(rate) for whose, rate in rates.items()}
    if wait := await Buckets.here().take(parsed):
        hit("rate")
        raise RateLimited(retry_after=wait)


class Buckets(PerLoop):
    """The buckets, as one event loop knows them."""

    def __init__(self) -> None:
        urls = settings.REDIS_URLS
        names = [f"Redis {number} of {len(urls)}" for number in range(1, len(urls) + 1)] if len(urls) > 1 else ["Redis"]
        self._servers = [BucketServer(url, name) for url, name in zip(urls, names, strict=True)]
        self._full_at: dict[str, float] = {}  # on this process's clock
        self._tidy_at = LOCAL_MAX
        self._valkey_started = len(urls) > 1  # the embedded one, if that is where the buckets are; it is always alone

    @classmethod
    def here(cls) -> "Buckets":
        if asyncio.get_running_loop() not in cls._instances:
            for closed in [one for one in cls._instances if one.is_closed()]:
                del cls._instances[closed]  # its connections hold it, so it doesn't go by itself
        return super().here()

    async def take(self, rates: Mapping[str, Rate]) -> float:
        """Takes a token from each bucket, or none. Returns in how many seconds all have one; 0 if it took them."""
        if wait := self._wait(rates):
            return wait
        if not self._valkey_started:
            await Layer.here().look()  # makes the layer, and with it the embedded Valkey
            self._valkey_started = True
        by_server = self._by_server(rates)
        answers = await asyncio.gather(*(self._ask(server, some) for server, some in by_server.items()))
        taken = dict(zip(by_server, answers, strict=True))
        if False in answers:
            given_back = [self._ask(one, by_server[one], back=True) for one, was_taken in taken.items() if was_taken]
            await asyncio.gather(*given_back)
            return self._wait(rates) or CLOSE
        for server, was_taken in taken.items():
            if was_taken is None:
                self._take_here(by_server[server])
        return 0

    def _by_server(self, rates: Mapping[str, Rate]) -> dict[BucketServer, dict[str, Rate]]:
        found: dict[BucketServer, dict[str, Rate]] = {}
        for key, rate in rates.items():
            server = self._servers[crc32(key.encode()) % len(self._servers)]
            found.setdefault(server, {})[key] = rate
        return found

    def _wait(self, rates: Mapping[str, Rate]) -> float:
        """In how many seconds all of the buckets have a token, as far as is known here."""
        now = time.monotonic()
        wait = max(self._full_at.get(key, 0) + rate.interval - rate.period for key, rate in rates.items()) - now
        return wait if wait > CLOSE else 0

    async def _ask(self, server: BucketServer, rates: Mapping[str, Rate], *, back: bool = False) -> bool | None:
        """Whether the server gave a token from each, or took it back; None if it is away."""
        sign = -1 if back else 1
        taking = await server.take({key: (sign * rate.interval, rate.period) for key, rate in rates.items()})
        if taking is None:
            return None
        now = time.monotonic()
        self._remember({key: now + seconds for key, seconds in taking.till_full.items()})
        return taking.taken

    def _take_here(self, rates: Mapping[str, Rate]) -> None:
        now = time.monotonic()
        self._remember({key: max(now, self._full_at.get(key, 0)) + rate.interval for key, rate in rates.items()})

    def _remember(self, full_at: dict[str, float]) -> None:
        self._full_at |= full_at
        if len(self._full_at) > self._tidy_at:
            now = time.monotonic()
            self._full_at = {key: full for key, full in self._full_at.items() if full > now}
            self._tidy_at = max(LOCAL_MAX, 2 * len(self._full_at))
