"""Push services that fail, and devices that are gone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from django.utils import timezone

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Detail
from chat.push import sender
from chat.push.pusher import Pusher
from chat.storage import notification_choices, readings
from chat.storage.database import in_database
from chat.storage.readings import Mark
from tests.chat.push.conftest import round_over, say, subscribe

BEN = Person(id="guest-bbbbbbbbbbbbbbbb", name="Ben")

pytestmark = pytest.mark.usefixtures("at_once")


async def retries() -> list[models.DueRetry]:
    return await in_database(lambda: list(models.DueRetry.objects.all()))


async def devices() -> int:
    return await in_database(models.PushSubscription.objects.count)


async def make_due() -> None:
    """The time of all retries has come."""
    await in_database(models.DueRetry.objects.update, due_at=timezone.now() - timedelta(seconds=1))


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response(status=201)


async def drip(request: web.Request) -> web.StreamResponse:
    """The answer comes byte by byte, and has no end."""
    response = web.StreamResponse(status=201)
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.05)


async def lead_elsewhere(request: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("/push/elsewhere")


async def ask_for_an_hour(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "1800"})


@pytest.mark.parametrize("status", [404, 410])
async def test_subscription_that_is_gone_is_dropped(owner: Callable[..., Any], status: int) -> None:
    ann = await owner("ann", "room1", answers=(status,))
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert ann.browser.requests == 1
    assert await devices() == 0
    assert await retries() == []


async def test_payload_that_is_too_large_is_sent_again_with_less(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1", answers=(413,))
    await in_database(notification_choices.choose, ann.person, detail=Detail.TEXT)
    await say("room1", "@ann " + "long " * 100, BEN)
    await round_over()
    assert [push["body"] for push in ann.browser.pushes] == ["Ben mentioned you"]


@pytest.mark.parametrize("failure", [429, 500, 503, cut, hang, drip])
async def test_push_that_failed_for_now_is_tried_again(
    owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    monkeypatch.setattr(sender, "REQUEST_TIMEOUT", 0.3)
    monkeypatch.setattr(sender, "AWAY_TIME", 0)
    ann = await owner("ann", "room1", answers=(failure,))
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    (retry,) = await retries()
    assert retry.attempts == 1
    assert retry.due_at > timezone.now() + timedelta(seconds=10)
    await round_over()
    assert ann.browser.requests == 1, "before its time"
    await make_due()
    await round_over()
    assert [push["body"] for push in ann.browser.pushes] == ["Ben mentioned you"]
    assert await retries() == []


async def test_push_service_says_how_long_to_wait(owner: Callable[..., Any]) -> None:
    await owner("ann", "room1", answers=(ask_for_an_hour,))
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    (retry,) = await retries()
    assert retry.due_at > timezone.now() + timedelta(minutes=29)


async def test_retry_says_what_is_so_by_then(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1", answers=(500,))
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    await in_database(readings.mark_read, [Mark(find("room1"), ann.person, 1)])
    await make_due()
    await round_over()
    assert ann.browser.requests == 1
    assert await retries() == []


async def test_push_is_given_up_after_some_attempts(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1", answers=(500,) * 100)
    await say("room1", "Hello @ann!", BEN)
    for _ in range(sender.ATTEMPTS_MAX + 2):
        await make_due()
        await round_over()
    assert ann.browser.requests == sender.ATTEMPTS_MAX
    assert await devices() == 1


async def test_redirect_is_not_followed(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1", answers=(lead_elsewhere,))
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert ann.browser.requests == 1
    assert await retries() == []


async def test_endpoint_at_a_private_address_is_never_asked(owner: Callable[..., Any], settings: Any) -> None:
    settings.CHAT_OUTGOING_NETWORKS = []
    ann = await owner("ann", "room1")
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert ann.browser.requests == 0
    assert await devices() == 0


async def test_one_device_that_fails_keeps_nothing_from_another(
    owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, service: Any
) -> None:
    monkeypatch.setattr(sender, "REQUEST_TIMEOUT", 0.3)
    ann = await owner("ann", "room1", answers=(410,))
    phone = service.browser()
    await subscribe(ann, phone)
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert [push["body"] for push in phone.pushes] == ["Ben mentioned you"]
    assert await devices() == 1


async def test_push_service_that_hangs_is_left_alone_for_a_while(
    owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, service: Any
) -> None:
    monkeypatch.setattr(sender, "REQUEST_TIMEOUT", 0.3)
    monkeypatch.setattr(sender, "TOGETHER_MAX", 1)
    ann = await owner("ann", "room1", answers=(hang,))
    phone = service.browser()
    await subscribe(ann, phone)
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert (ann.browser.requests, phone.requests) == (1, 0)
    assert {retry.attempts for retry in await retries()} == {1}


async def test_failure_of_the_pusher_is_no_concern_of_the_author(
    owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: Pusher, due: object) -> list[Any]:
        raise RuntimeError

    ann = await owner("ann", "room1")
    with monkeypatch.context() as patched:
        patched.setattr(Pusher, "_tell", fail)
        entry = await say("room1", "Hello @ann!", BEN)
        with pytest.raises(RuntimeError):
            await round_over()
    assert entry.event.offset == 1
    await in_database(models.DueMessage.objects.update, due_at=timezone.now())  # the lease is over
    await round_over()
    assert len(ann.browser.pushes) == 1
