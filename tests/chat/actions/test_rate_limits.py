"""Rate limits: the buckets, with a real Valkey and without, and then every door."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from signal import Signals
from typing import Any

import pytest
from pytest_django import Settings

from chat.actions import posting, rate_limits
from chat.actions.bucket_server import BucketServer
from chat.actions.rate_limits import Buckets, Rate, parse_rate
from chat.delivery import availability
from chat.domain import people, rooms
from chat.domain.people import Person
from chat.errors import BlankMessage, FrameTooLong, RateLimited
from tests.chaos.site import Valkey

FEW = Rate(3, 3600)
ANN = Person(id="user-1", name="Ann")
BOB = Person(id="user-2", name="Bob")


@pytest.fixture
def key() -> str:
    return f"test:{secrets.token_hex(8)}"


@pytest.fixture
def limited(settings: Settings) -> Settings:
    settings.CHAT_LIMITS = True
    settings.CHAT_RATE_PERSON = "3/1h"
    settings.CHAT_RATE_ADDRESS = "5/1h"
    return settings


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20/10s", Rate(20, 10)),
        ("1/s", Rate(1, 1)),
        ("100/m", Rate(100, 60)),
        (" 1000/2h ", Rate(1000, 7200)),
    ],
)
def test_parse_rate_reads_a_count_and_an_interval(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "20", "20/10", "0/10s", "20/0s", "-1/s", "20/10d", "20 per second", "1.5/s", "1/s,2/s"]
)
def test_parse_rate_rejects_malformed_rates(text: str) -> None:
    with pytest.raises(ValueError, match="20/10s"):
        parse_rate(text)


async def test_bucket_gives_its_tokens_and_then_the_seconds_to_wait(key: str) -> None:
    buckets = Buckets.here()
    assert [await buckets.take({key: FEW}) for _ in range(3)] == [0, 0, 0]
    assert await buckets.take({key: FEW}) == pytest.approx(1200, abs=30)


async def test_bucket_gives_a_token_after_the_wait_it_announced(key: str) -> None:
    buckets, rate = Buckets.here(), Rate(2, 3)
    while not (wait := await buckets.take({key: rate})):
        pass
    assert wait <= rate.interval
    await asyncio.sleep(wait)
    assert await buckets.take({key: rate}) == 0


async def test_buckets_are_shared_by_processes(key: str) -> None:
    one, two = Buckets(), Buckets()
    assert [await buckets.take({key: FEW}) for buckets in (one, two, one)] == [0, 0, 0]
    assert await two.take({key: FEW}) > 0
    assert await one.take({key: FEW}) > 0


async def test_take_from_two_buckets_takes_from_both_or_from_neither(key: str) -> None:
    one, two = Buckets(), Buckets()
    small, large = f"{key}:small", f"{key}:large"
    assert await one.take({small: Rate(1, 3600), large: FEW}) == 0
    for _ in range(5):
        assert await two.take({small: Rate(1, 3600), large: FEW}) > 0
    assert [await two.take({large: FEW}) for _ in range(2)] == [0, 0]
    assert await two.take({large: FEW}) > 0


async def test_concurrent_takes_from_several_processes_get_no_more_tokens_than_there_are(key: str) -> None:
    processes = [Buckets() for _ in range(3)]
    waits = await asyncio.gather(*(buckets.take({key: Rate(20, 3600)}) for buckets in processes * 20))
    assert waits.count(0) == 20


async def test_full_bucket_is_removed_from_redis(key: str, eventually) -> None:
    buckets = Buckets.here()
    await buckets.take({key: Rate(10, 1)})
    client = buckets._servers[0]._take.registered_client
    assert await client.exists(key)
    async with asyncio.timeout(5):
        while await client.exists(key):
            await asyncio.sleep(0.02)


async def test_local_buckets_are_forgotten_once_full_when_there_are_many(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "LOCAL_MAX", 10)
    buckets = Buckets()
    for number in range(200):
        await buckets.take({f"{key}:{number}": Rate(1000, 1)})
    assert len(buckets._full_at) < 100


@contextlib.asynccontextmanager
async def silent_redis(path: Path) -> AsyncIterator[None]:
    """A server that accepts connections and never answers."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        try:
            yield
        finally:
            over.set()


@pytest.mark.parametrize("silent", [True, False])
async def test_buckets_limit_per_process_without_delay_when_redis_is_away_or_silent(
    settings: Settings, tmp_path: Path, key: str, silent: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URLS = [f"unix://{tmp_path}/redis"]
    async with silent_redis(tmp_path / "redis") if silent else contextlib.nullcontext():
        buckets = Buckets()
        began = time.monotonic()
        assert [await buckets.take({key: FEW}) for _ in range(3)] == [0, 0, 0]
        assert await buckets.take({key: FEW}) > 0
        for number in range(100):
            assert await buckets.take({f"{key}:{number}": FEW}) == 0
        assert time.monotonic() - began < 5
    assert [record.message for record in caplog.records if "Redis is away" in record.message]


async def test_buckets_are_shared_again_and_keep_local_takes_when_redis_is_back(
    settings: Settings, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 0.01)
    (there,) = settings.REDIS_URLS
    link = tmp_path / "redis"
    settings.REDIS_URLS = [f"unix://{link}"]
    buckets = Buckets()
    assert [await buckets.take({key: FEW}) for _ in range(3)] == [0, 0, 0]
    assert await buckets.take({key: FEW}) > 0
    if not there.startswith("unix://"):
        pytest.skip("the server of these tests has no socket to move")
    link.symlink_to(there.removeprefix("unix://").partition("?")[0])
    async with asyncio.timeout(5):
        while buckets._servers[0].availability.away:
            assert await buckets.take({f"{key}:other": Rate(1000, 1)}) == 0
            await asyncio.sleep(0.02)
    assert await buckets.take({key: FEW}) > 0
    settings.REDIS_URLS = [there]
    assert [await Buckets().take({key: FEW}) for _ in range(3)] == [0, 0, 0]  # Redis itself knows nothing of that


@pytest.fixture
async def two_servers(settings: Settings, tmp_path: Path) -> AsyncIterator[list[Valkey]]:
    with (tmp_path / "valkey.log").open("ab") as log:
        servers = [Valkey(log) for _ in range(2)]
        try:
            for server in servers:
                await server.start()
            settings.REDIS_URLS = [server.url for server in servers]
            yield servers
        finally:
            for server in servers:
                server.end()


def keys_on(buckets: Buckets, key: str) -> list[str]:
    """A key on each of the servers."""
    found: dict[BucketServer, str] = {}
    for number in range(100):
        (server,) = buckets._by_server({f"{key}:{number}": FEW})
        found.setdefault(server, f"{key}:{number}")
    return [found[server] for server in buckets._servers]


async def test_buckets_of_two_servers_both_give_a_token_or_neither_does(two_servers: list[Valkey], key: str) -> None:
    buckets = [Buckets() for _ in range(3)]
    small, large = keys_on(buckets[0], key)
    assert await buckets[0].take({small: Rate(1, 3600), large: FEW}) == 0
    for one in buckets:
        for _ in range(3):
            assert await one.take({small: Rate(1, 3600), large: FEW}) == pytest.approx(3600, abs=60)
    assert [await Buckets().take({large: FEW}) for _ in range(3)] == [0, 0, pytest.approx(1200, abs=60)]


async def test_token_given_back_to_a_full_bucket_leaves_it_full(two_servers: list[Valkey], key: str) -> None:
    one, other = keys_on(Buckets(), key)
    assert await Buckets().take({one: Rate(1, 3600)}) == 0
    assert await Buckets().take({one: Rate(1, 3600), other: FEW}) > 0
    assert [await Buckets().take({other: FEW}) for _ in range(4)] == [0, 0, 0, pytest.approx(1200, abs=60)]


@pytest.mark.parametrize("number", [Signals.SIGKILL, Signals.SIGSTOP])
async def test_buckets_of_a_server_that_is_there_are_shared_while_another_is_away(
    two_servers: list[Valkey], key: str, number: Signals
) -> None:
    one, other = Buckets(), Buckets()
    lost, shared = keys_on(one, key)
    two_servers[0].send(number)
    for _ in range(3):
        assert await one.take({lost: FEW}) == 0
        assert await other.take({lost: FEW}) == 0
    assert await one.take({lost: FEW}) > 0
    assert [await buckets.take({shared: FEW}) for buckets in (one, other, one)] == [0, 0, 0]
    assert await other.take({shared: FEW}) > 0


async def post(person: Person, text: str = "hi", **more: Any) -> None:
    await posting.post(room=rooms.find("limits"), message=text, person=person, **more)


def fresh(*, lasting: bool = True, address: str | None = None) -> Person:
    return Person(id=people.new_guest().id, name="Ann", lasting=lasting, address=address)


@pytest.mark.usefixtures("limited")
async def test_post_past_the_limit_of_a_person_is_refused_with_retry_after() -> None:
    ann, bob = fresh(), fresh()
    for _ in range(3):
        await post(ann)
    with pytest.raises(RateLimited, match="try again in") as caught:
        await post(ann)
    assert caught.value.retry_after == pytest.approx(1200, abs=60)
    await post(bob)


@pytest.mark.usefixtures("limited")
async def test_post_past_the_limit_of_an_address_is_refused_for_every_person(unused_address: str) -> None:
    for _ in range(5):
        await post(fresh(lasting=False, address=unused_address))
    with pytest.raises(RateLimited):
        await post(fresh(lasting=False, address=unused_address))
    with pytest.raises(RateLimited):
        await post(fresh(address=unused_address))
    await post(fresh(lasting=False, address=None))


@pytest.mark.usefixtures("limited")
async def test_post_without_address_and_lasting_identity_has_no_limit() -> None:
    for _ in range(10):
        await post(people.new_guest())


@pytest.mark.usefixtures("limited")
async def test_retry_of_a_post_counts_against_the_limit() -> None:
    ann = fresh()
    for _ in range(3):
        await post(ann, client_id="same")
    with pytest.raises(RateLimited):
        await post(ann, client_id="same")


@pytest.mark.usefixtures("limited")
async def test_invalid_post_does_not_count_against_the_limit() -> None:
    ann = fresh()
    for _ in range(5):
        with pytest.raises(BlankMessage):
            await post(ann, " ")
    await post(ann)


async def test_posts_have_no_limit_when_limits_are_off(limited: Settings) -> None:
    limited.CHAT_LIMITS = False
    ann = fresh()
    for _ in range(10):
        await post(ann)


@pytest.fixture
def unused_address() -> str:
    return f"2001:db8::{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}:0/64"


@pytest.mark.parametrize(("text", "size"), [("x" * 10, 10), ("é" * 10, 20), ("🍓" * 10, 40)])
def test_check_frame_allows_as_many_bytes_as_the_limit(settings: Settings, text: str, size: int) -> None:
    settings.CHAT_FRAME_MAX = size
    rate_limits.check_frame(text)
    settings.CHAT_FRAME_MAX = size - 1
    with pytest.raises(FrameTooLong, match=str(size - 1)):
        rate_limits.check_frame(text)


async def test_too_long_frame_is_answered_with_an_error_and_the_socket_stays_open(
    open_chat, settings: Settings
) -> None:
    browser = await open_chat("/ws/chat/limits/")
    settings.CHAT_FRAME_MAX = len(json.dumps({"message": "x" * 10}))
    await browser.say("x" * 11)
    assert (await browser.receive_json_from(timeout=5))["error"]["code"] == "frame_too_long"
    await browser.say("x" * 10)
    assert await browser.hear() == "x" * 10


def test_longest_message_fits_into_a_frame_when_escaped() -> None:
    message = json.dumps({"message": "🍓" * 4000, "client_id": "x" * 100})
    rate_limits.check_frame(message)
