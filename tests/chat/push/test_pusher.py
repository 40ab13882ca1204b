"""From a message to a device, and what becomes of it between processes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connections
from django.utils import timezone

from chat import models
from chat.delivery.rooms import visible_pages
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.push.pusher import Pusher
from chat.storage import notification_choices, push_due, push_subscriptions
from chat.storage.database import in_database
from tests.chat.push.conftest import round_over, say, subscribe

BEN = Person(id="guest-bbbbbbbbbbbbbbbb", name="Ben")


async def due_messages() -> int:
    return await in_database(models.DueMessage.objects.count)


async def test_mention_is_pushed_by_itself(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1")
    await say("room1", "Hello @ann!", BEN)
    (push,) = await ann.browser.pushed()
    assert push["title"] == "room1"
    assert push["body"] == "Ben mentioned you"
    assert push["url"] == "/chat/room1/?at=1"
    assert push["tag"] == "room1"
    assert ann.browser.headers[0]["Urgency"] == "high"


async def test_message_is_pushed_by_itself_to_who_wants_all(owner: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    await say("room1", "Hello!", BEN)
    (push,) = await ann.browser.pushed()
    assert push["body"] == "Ben wrote a message"
    await say("room1", "Are you there?", BEN)
    _, push = await ann.browser.pushed(2)
    assert push["body"] == "2 new messages, the last one by Ben"
    topics = {headers["Topic"] for headers in ann.browser.headers}
    assert len(topics) == 1, "an undelivered one is replaced"


async def test_several_messages_are_one_push(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    for text in ("Hello @ann!", "@ann?", "@ann!"):
        await say("room1", text, BEN)
    await round_over()
    assert [push["count"] for push in ann.browser.pushes] == [3]
    assert ann.browser.pushes[0]["url"] == "/chat/room1/?at=3"


async def test_site_without_subscriptions_stores_nothing_due(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    await in_database(push_subscriptions.remove, ann.person, endpoint=ann.browser.endpoint)
    await say("room1", "Hello @ann!", BEN)
    assert await due_messages() == 0


async def test_message_to_many_has_one_row(owner: Callable[..., Any], at_once: None) -> None:
    await owner("ann", "room1")
    await owner("bob", "room1")
    await say("room1", "Hello @ann and @bob!", BEN)
    assert await due_messages() == 1
    await round_over()
    assert await due_messages() == 0


async def test_two_processes_take_what_is_due_once(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    await say("room1", "Hello @ann!", BEN)
    await say("room1", "Hello!", BEN)

    def take() -> push_due.Due:
        try:
            return push_due.take(spoken_in={find("room1"): 1})
        finally:
            connections.close_all()

    taken = await asyncio.gather(*(asyncio.to_thread(take) for _ in range(4)))
    assert sum(len(due.message_ids) for due in taken) == 1
    assert sum(len(due.every) for due in taken) == 1


async def test_what_a_killed_process_had_taken_is_pushed_by_another(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    await say("room1", "Hello @ann!", BEN)
    await in_database(push_due.take, spoken_in={})  # and then it is killed
    await round_over()
    assert ann.browser.pushes == []
    await in_database(models.DueMessage.objects.update, due_at=timezone.now())
    await round_over()
    assert len(ann.browser.pushes) == 1


async def test_every_message_is_pushed_by_a_sweep_after_a_kill(
    owner: Callable[..., Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    monkeypatch.setattr(Pusher, "note", lambda self, events: None)  # it is killed before it does anything
    await say("room1", "Hello!", BEN)
    await round_over()
    assert [push["body"] for push in ann.browser.pushes] == ["Ben wrote a message"]


async def test_message_said_while_another_process_works_on_the_room_is_pushed_after_that(
    owner: Callable[..., Any], at_once: None
) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    await say("room1", "One", BEN)
    others = await in_database(push_due.take, spoken_in={find("room1"): 1})
    await say("room1", "Two", BEN)
    await Pusher.here().push()
    assert ann.browser.pushes == []
    await in_database(push_due.finish, due=others)
    await Pusher.here().push()
    assert [push["url"] for push in ann.browser.pushes] == ["/chat/room1/?at=2"]


async def test_deleted_room_leaves_nothing_due(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    await say("room1", "Hello @ann!", BEN)
    for model in (models.Message, models.Room):  # as an instance of the version before does
        await in_database(model.objects.all()._raw_delete, "default")
    await round_over()
    assert ann.browser.pushes == []
    assert await due_messages() == 0


async def test_log_that_was_set_back_stops_no_pushes(owner: Callable[..., Any], at_once: None) -> None:
    ann = await owner("ann", "room1")
    await in_database(notification_choices.set_push_all, find("room1"), ann.person, on=True)
    await in_database(models.PushedRoom.objects.update, offset=1000)
    await say("room1", "Hello!", BEN)
    await round_over()
    await say("room1", "Again!", BEN)
    await round_over()
    assert len(ann.browser.pushes) == 1


@pytest.mark.parametrize("end", ["logout", "session", "password", "inactive"])
async def test_nothing_is_pushed_once_the_login_has_ended(owner: Callable[..., Any], at_once: None, end: str) -> None:
    ann = await owner("ann", "room1")

    def finish() -> None:
        user = get_user_model().objects.get(pk=ann.person.user_id)
        if end == "session":
            Session.objects.get(session_key=ann.session_key).delete()
        elif end == "password":
            user.set_password("another one")
            user.save()
        else:
            user.is_active = False
            user.save()

    await say("room1", "Hello @ann!", BEN)
    if end == "logout":
        await ann.client.post("/accounts/logout/")
    else:
        await in_database(finish)
    await round_over()
    assert ann.browser.requests == 0
    assert await in_database(models.PushSubscription.objects.count) == 0


async def test_page_that_is_visible_elsewhere_is_asked_for(
    owner: Callable[..., Any], open_chat: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question goes through the groups, as to other processes, and the answer comes back the same way."""
    ann = await owner("ann", "room1")
    asked: list[Any] = []
    answer = visible_pages.VisiblePages.among

    def among(self: Any, person_ids: Any) -> list[str]:
        asked.append(person_ids)
        return [] if len(asked) == 1 else answer(self, person_ids)  # as if this process had no page

    cookie = f"sessionid={ann.session_key}".encode()
    socket = await open_chat("/ws/chat/room1/", headers=[(b"cookie", cookie)])
    await socket.send_json_to({"visible": True})
    await socket.live()
    monkeypatch.setattr(visible_pages.VisiblePages, "among", among)
    pages = visible_pages.VisiblePages.here()
    assert await pages.looking([ann.person.id], room=find("room1")) == {ann.person.id}
    await socket.send_json_to({"visible": False})
    await socket.live()
    asked.clear()
    assert await pages.looking([ann.person.id], room=find("room1")) == set()


async def test_page_that_is_gone_is_visible_no_more(owner: Callable[..., Any], open_chat: Callable[..., Any]) -> None:
    ann = await owner("ann", "room1")
    cookie = f"sessionid={ann.session_key}".encode()
    socket = await open_chat("/ws/chat/room1/", headers=[(b"cookie", cookie)])
    await socket.send_json_to({"visible": True})
    await socket.live()
    pages = visible_pages.VisiblePages.here()
    assert pages.among([ann.person.id]) == [ann.person.id]
    await socket.disconnect()
    assert pages.among([ann.person.id]) == []


async def test_other_language_of_another_device(owner: Callable[..., Any], service: Any, at_once: None) -> None:
    ann = await owner("ann", "room1")
    phone = service.browser()
    await subscribe(ann, phone, language="de")
    await say("room1", "Hello @ann!", BEN)
    await round_over()
    assert ann.browser.pushes[0]["body"] == "Ben mentioned you"
    assert phone.pushes[0]["body"] == "Ben hat dich erwähnt"
