"""Digests by e-mail: who gets one, what it says, and that it comes once."""

import io
import threading
from datetime import timedelta
from email import message_from_string
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from chat import models
from chat.actions import digests, direct, posting
from chat.domain.people import Person, of_user
from chat.domain.rooms import find
from chat.models import Detail, Involvement
from chat.storage import digests as storage
from chat.storage import moderation, notification_choices, readings
from chat.storage.readings import Mark

BEN = Person(id="guest-bbbbbbbbbbbbbbbb", name="Ben")
LONG = timedelta(hours=30)


@pytest.fixture
def ann(transactional_db: None) -> Person:
    """A user who wants digests, and has entered room1 a week ago."""
    person = of_user(get_user_model().objects.create_user("ann"))
    notification_choices.choose(person, digest=True, email="ann@example.org", language="en")
    notification_choices.confirm(person, email="ann@example.org")
    readings.enter([Mark(find("room1"), person)])
    models.Reading.objects.update(entered_at=timezone.now() - timedelta(days=7))
    return person


def say(text: str, ago: timedelta = LONG, room: str = "room1", by: Person = BEN) -> int:
    entry = async_to_sync(posting.post)(room=find(room), message=text, person=by)
    models.Message.objects.filter(offset=entry.event.offset, room__name=room).update(sent_at=timezone.now() - ago)
    return entry.event.offset or 0


def send() -> list[str]:
    """The texts of the e-mails that a run sends."""
    before = len(mail.outbox)
    call_command("send_digests", stdout=io.StringIO())
    return [one.body for one in mail.outbox[before:]]


def test_old_mention_is_told_once(ann: Person) -> None:
    say("Hello @ann!")
    (text,) = send()
    assert "room1" in text
    assert "Ben mentioned you" in text
    assert "Hello @ann" not in text, "the person allows names only"
    assert "http://localhost:8000/chat/room1/?at=1" in text
    assert mail.outbox[0].subject == "1 unread message"
    assert send() == []
    models.NotificationChoice.objects.update(digest_at=timezone.now() - timedelta(days=2))
    assert send() == [], "it is told already"


def test_text_is_told_where_that_is_allowed(ann: Person) -> None:
    notification_choices.choose(ann, detail=Detail.TEXT)
    say("Hello @ann, <b>look</b>!")
    (text,) = send()
    assert "Ben: Hello @ann, <b>look</b>!" in text
    html = mail.outbox[0].alternatives[0][0]
    assert "&lt;b&gt;look&lt;/b&gt;" in html
    assert "<b>look" not in html


def test_digest_is_in_the_language_of_the_person(ann: Person) -> None:
    notification_choices.choose(ann, language="de")
    say("Hallo @ann!")
    (text,) = send()
    assert "Ben hat dich erwähnt" in text
    assert mail.outbox[0].subject == "1 ungelesene Nachricht"


def test_direct_messages_are_told(ann: Person) -> None:
    ben = of_user(get_user_model().objects.create_user("ben"))
    room = async_to_sync(direct.open_room)(["ann"], by=ben)
    say("Hello!", room=room.name, by=ben)
    say("Are you there?", room=room.name, by=ben)
    models.Reading.objects.filter(person_id=ann.id).update(entered_at=timezone.now() - timedelta(days=7))
    (text,) = send()
    assert "2 new messages, the last one by ben" in text


def muted(ann: Person) -> None:
    readings.set_involvement(find("room1"), ann, Involvement.NOTHING)
    models.Reading.objects.update(entered_at=timezone.now() - timedelta(days=7))


def read(ann: Person) -> None:
    readings.mark_read([Mark(find("room1"), ann)])


def banned(ann: Person) -> None:
    moderation.ban(find("room1"), ann.id, by=None)


def closed(ann: Person) -> None:
    moderation.set_private(find("room1"), True, by=None)


def deleted(ann: Person) -> None:
    moderation.delete_message(find("room1"), 1, by=None)


def ignored(ann: Person) -> None:
    models.IgnoredPerson.objects.create(person_id=ann.id, ignored_id=BEN.id, ignored_name="Ben", at=timezone.now())


def seen_since(ann: Person) -> None:
    readings.enter([Mark(find("elsewhere"), ann)])


def unwanted(ann: Person) -> None:
    notification_choices.choose(ann, digest=False)


def unconfirmed(ann: Person) -> None:
    notification_choices.choose(ann, email="else@example.org")


def inactive(ann: Person) -> None:
    get_user_model().objects.update(is_active=False)


def had_one_today(ann: Person) -> None:
    models.NotificationChoice.objects.update(digest_at=timezone.now() - timedelta(hours=5))


@pytest.mark.parametrize(
    "because",
    [muted, read, banned, closed, deleted, ignored, seen_since, unwanted, unconfirmed, inactive, had_one_today],
)
def test_nobody_is_told_who_should_not_be(ann: Person, because: Any) -> None:
    say("Hello @ann!")
    because(ann)
    assert send() == []


def test_recent_mention_and_other_messages_are_not_told(ann: Person) -> None:
    say("Hello!")
    say("Hello @ann!", ago=timedelta(hours=1))
    assert send() == []


def test_two_processes_send_a_digest_once(ann: Person) -> None:
    say("Hello @ann!")
    together, sent = threading.Barrier(4), []

    def run() -> None:
        together.wait()
        try:
            sent.append(digests.send_due())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [(0, 0), (0, 0), (0, 0), (1, 0)]
    assert len(mail.outbox) == 1


def test_process_killed_before_the_e_mail_leaves_it_to_the_next_day(ann: Person) -> None:
    say("Hello @ann!")
    assert storage.begin(int(ann.user_id), after=timedelta(0))  # and then it is killed
    assert send() == []
    models.NotificationChoice.objects.update(digest_at=timezone.now() - timedelta(days=1))
    assert len(send()) == 1


def test_server_that_is_away_gets_it_later(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, messages: Any) -> int:
        raise ConnectionRefusedError

    say("Hello @ann!")
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", fail)
        with pytest.raises(CommandError):
            send()
    assert len(send()) == 1


def test_link_and_headers_unsubscribe_without_a_login(ann: Person) -> None:
    say("Hello @ann!")
    send()
    sent = message_from_string(mail.outbox[0].message().as_string())
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = "".join(sent["List-Unsubscribe"].split()).strip("<>")
    assert address in mail.outbox[0].body
    path, client = address.removeprefix("http://localhost:8000"), Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    assert models.NotificationChoice.objects.get().digest
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not models.NotificationChoice.objects.get().digest
