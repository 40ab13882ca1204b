"""`manage.py erase_person`: nothing is left of the person, wherever it stood, and everybody sees it go."""

import io
import json
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.profiles import ProfileChange
from chat.models import Involvement, Role
from chat.storage import edits, history, ignoring, log, moderation, profiles, quotes, readings, reports
from chat.storage.log import Draft
from chat.storage.transfer.room_export import export_room
from tests.chat.storage.transfer.conversation import GUEST, ROOM, account, hold, react, say
from tests.chat.test_transfer_commands import run_and_kill

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_checks(settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = -1.0  # nothing has to be waited for: nobody is connected


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def everything() -> str:
    """All rows of all tables, as text."""
    rows = [list(model._default_manager.values()) for model in apps.get_models() if model is not Session]
    rows += [[one.get_decoded()] for one in Session.objects.all()]
    return json.dumps(rows, default=str, ensure_ascii=False)


def appear() -> Person:
    """Ben is in all that a person can be in, and everybody has to do with him."""
    hold()
    ann, ben = account("ann"), account("ben")
    ben = profiles.update(ben, ProfileChange(display_name="Big Ben", about="clocks")).person
    first = say("I am Big Ben", ben, client_id="c2")
    say("see @Big Ben and @ben", ann, mentions=(ben,))
    edits.edit_message(ROOM, first + 1, "see @Big Ben", by=ann)
    answer = say("> I am", ann, reply_to=first)
    react(answer, "👍", GUEST, ben, ann)
    react(answer, "🎉", ben)
    react(answer, "🎉", ben, on=False)
    react(first, "👍", ann, ben)
    moderation.set_role(ROOM, "ben", Role.OWNER, by=ann)
    moderation.set_private(ROOM, False, by=ben)
    reports.report(ROOM, answer, "loud", by=ben)
    reports.report(ROOM, first, "louder", by=ann)
    ignoring.set_ignored(ben, ann.id, True)
    ignoring.set_ignored(ann, ben.id, True)
    readings.set_involvement(ROOM, ben, Involvement.MENTIONS)
    Client().force_login(User.objects.get(username="ben"))
    models.Attachment.objects.create(
        room_name=ROOM.name,
        person_id=ben.id,
        name="ben.txt",
        type="x",
        size=3,
        state="ready",
        created_at=timezone.now(),
    )
    models.FileUsage.objects.create(key=f"2026-11-27 {ben.id}", bytes=3)
    moderation.ban(ROOM, "guest-00000000000000aa", by=ben)
    return ben


@pytest.mark.parametrize("name", ["ben", "id"])
def test_nothing_is_left_of_an_erased_user(name: str) -> None:
    ben = appear()
    before = models.Message.objects.count()
    out = run("erase_person", ben.id if name == "id" else "ben", "--yes")
    assert out.startswith(f"Erased {ben.id}: 3 messages, 2 reactions, 1 files that no message had, 2 logins, ")
    left = everything()
    for trace in (
        f'"{ben.id}"',
        "Big Ben was",
        "Big Ben reacted",
        "by ben",
        "by Big Ben",
        "I am Big",
        "clocks",
        "ben.txt",
    ):
        assert trace not in left, trace
    assert not User.objects.filter(username="ben").exists()
    # Others' texts are theirs; nobody is called by them any more.
    assert '"text": "see @Big Ben"' in left
    assert not models.Mention.objects.filter(person_id=ben.id).exists()
    # The log has no holes, and the deletions are in it.
    assert models.Message.objects.count() == before + 3 + 2
    assert history.end(ROOM, person=None).offset == models.Message.objects.filter(room__name=ROOM.name).count()
    answer = models.Message.objects.get(text="> I am", kind="message")
    (reply,) = quotes.with_quotes([history.find(ROOM, answer.offset)])
    assert reply.reply_to.message == ""
    assert {one["emoji"]: one["count"] for one in answer.reactions} == {"👍": 1}
    with pytest.raises(CommandError, match="no account of that name"):
        run("erase_person", "ben", "--yes")
    assert run("erase_person", ben.id, "--yes").startswith(f"Erased {ben.id}: 0 messages, 0 reactions, 0 files")


def test_guest_is_erased_by_the_id() -> None:
    hold()
    session = SessionStore()
    session[people.SESSION_KEY] = {"id": GUEST.id, "name": GUEST.name}
    session.save()
    with pytest.raises(CommandError, match="no account of that name"):
        run("erase_person", GUEST.name, "--yes")
    assert "1 messages, 1 reactions, 0 files that no message had, 1 logins" in run("erase_person", GUEST.id, "--yes")
    assert GUEST.id not in everything()
    assert GUEST.name not in everything()


def test_others_stay_as_they_are(tmp_path: Path) -> None:
    hold()
    other = say("I am ben's friend, benny", account("benny"))
    moderation.set_role(ROOM, "benny", Role.MEMBER, by=None)
    run("erase_person", "ben", "--yes")
    assert history.find(ROOM, other).message == "I am ben's friend, benny"
    assert "benny was added by the site’s staff." in everything()
    assert export_room(ROOM, tmp_path).entries == history.end(ROOM, person=None).offset


@pytest.mark.parametrize(("typed", "erased"), [("", False), ("ben", False), ("{id}", True)])
def test_it_asks_first(monkeypatch: pytest.MonkeyPatch, typed: str, erased: bool) -> None:
    hold()
    ben = account("ben")
    monkeypatch.setattr("builtins.input", lambda _: typed.format(id=ben.id))
    if erased:
        assert "has said 2 messages and reacts to 1" in run("erase_person", "ben")
    else:
        with pytest.raises(CommandError, match="Nothing was erased"):
            run("erase_person", "ben")
    assert User.objects.filter(username="ben").exists() is not erased


async def test_those_who_are_there_see_the_messages_go(open_chat) -> None:
    await sync_to_async(say)("mine", GUEST)
    await sync_to_async(react)(1, "👍", GUEST)
    socket = await open_chat("/ws/chat/everything%20%C3%A9%2F1/?with=reactions")
    await socket.live()
    await sync_to_async(run)("erase_person", GUEST.id, "--yes")
    frame = await socket.frame("deletion")
    assert (frame["target"], frame["offset"]) == (1, 3)


def test_killed_erasing_goes_on(stopped_terminal: int) -> None:
    ben = account("ben")
    log.append([Draft(room=ROOM, text=f"text {number}", person=ben) for number in range(60)])
    deletions = models.Message.objects.filter(kind="deletion")
    run_and_kill(deletions.exists, "erase_person", "ben", "--yes", stderr=stopped_terminal)
    assert 0 < deletions.count() < 60
    assert not User.objects.get(username="ben").is_active
    run("erase_person", "ben", "--yes")
    assert deletions.count() == 60
    assert models.Message.objects.count() == 120
    assert f'"{ben.id}"' not in everything()
    assert "text 1" not in everything()
