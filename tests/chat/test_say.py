"""`manage.py say`: from a shell, another thread, another process."""

import asyncio
import sys

import pytest
from django.core.management import CommandError, call_command

from chat.actions import posting
from chat.domain import people
from chat.domain.rooms import find
from chat.errors import NotAMember
from chat.storage import moderation
from chat.storage.database import in_database
from tests.recovering import entries_after
from tests.servers import ROOT, environment


async def test_say_from_a_shell_is_heard_by_browsers_and_graphql(open_chat, open_graphql) -> None:
    browser, graphql = await open_chat("/ws/chat/caf%C3%A9/"), await open_graphql()
    await graphql.join("café")
    assert await browser.hear() == "Hello my name is foo!"
    command = [sys.executable, "manage.py", "say", "café", "from a shell", "--as", "Ann"]
    shell = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment())
    assert await shell.wait() == 0
    frame = await browser.receive_json_from(timeout=5)
    assert (frame["message"], frame["user"]) == ("from a shell", "Ann")
    assert frame["origin"]["process"] == shell.pid
    assert await graphql.hear() == ("café", "from a shell")


async def test_say_from_another_thread_is_heard(open_chat) -> None:
    browser = await open_chat("/ws/chat/threads/")
    await asyncio.to_thread(call_command, "say", "threads", "from a thread")
    assert await browser.hear() == "from a thread"


async def test_say_is_allowed_in_a_private_room() -> None:
    room, member = find("private"), people.new_guest()
    await in_database(moderation.create, room, private=True, by=None)
    await asyncio.to_thread(call_command, "say", "private", "from the site")
    last = (await in_database(entries_after, room, 1))[-1]
    assert (last.message, last.offset) == ("from the site", 2)
    with pytest.raises(NotAMember):
        await posting.post(room=room, message="from somebody", person=member)


@pytest.mark.parametrize(
    ("room", "message", "complaint"),
    [(" ", "hi", "room name is empty"), ("room1", " ", "message is empty"), ("room1", "x" * 4001, "too long")],
)
def test_say_refuses_invalid_rooms_and_messages_with_one_line(room: str, message: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("say", room, message)
