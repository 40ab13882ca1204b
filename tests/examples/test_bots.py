"""The bots of examples/ miss nothing and answer each message once, until they are stopped or refused."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

from chat import models
from chat.actions import bots, posting
from chat.actions import tokens as actions
from chat.delivery.publisher import Publisher
from chat.domain import people
from chat.domain.grants import Scope
from chat.domain.rooms import find
from chat.storage import webhooks
from chat.storage.database import in_database
from chat.storage.webhooks import WebhookRequest
from tests.chaos.site import WEB, Server
from tests.examples.programs import BOTS, SHELL, TIMEOUT, WEBHOOKS, Example, Program
from tests.servers import environment, free_port
from tests.tokens import program

SETTINGS = {"CHAT_RECOVERY_MAX": "2", "CHAT_WEBHOOKS": "true", "CHAT_OUTGOING_NETWORKS": "127.0.0.0/8"}


@asynccontextmanager
async def started(
    folder: Path, *examples: Example, scopes: Sequence[Scope] = (Scope.READ, Scope.WRITE)
) -> AsyncIterator[tuple[Server, list[Program]]]:
    """A server, and each example in a room of its own, with a token of these scopes for that room alone.

    A program that has missed more than two entries has to start over.
    """
    async with asyncio.timeout(5 * TIMEOUT), AsyncExitStack() as stack:
        log = stack.enter_context((folder / "server.log").open("wb"))
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        server = Server(
            1,
            WEB,
            environment(PATH=path, CHAT_RECOVERY_MAX="2", CHAT_WEBHOOKS="true", CHAT_OUTGOING_NETWORKS="127.0.0.0/8"),
            log,
        )
        stack.callback(server.end)
        await server.start()
        programs = []
        for example in examples:
            one = Program(example, folder / example.name, **await variables(example, server, scopes))
            stack.callback(one.kill)
            programs.append(one)
            one.start()
        for one in programs:
            await one.has_begun()
        yield server, programs


async def variables(example: Example, server: Server, scopes: Sequence[Scope]) -> dict[str, str]:
    """Has a bot for it on the server, with a token for the room of its name, or with a webhook there."""
    bot = await bots.make(f"{example.name}-bot", None, by=None)
    if example is not WEBHOOKS:
        token = await program(bot, scopes=scopes, rooms=[example.name])
        return {"CHAT_URL": f"http://{server.host}", "CHAT_TOKEN": token.secret}
    port = free_port()
    await posting.post(room=find(example.name), message="hi", person=people.new_guest())  # without it, there is no room
    request = WebhookRequest(url=f"http://127.0.0.1:{port}/", author_id=bot.pk)
    webhook = await in_database(webhooks.make, room=find(example.name), request=request, by=None)
    return {"PORT": str(port), "CHAT_WEBHOOK_SECRET": webhook.secret}


async def say(programs: list[Program], text: str) -> None:
    """Says it in each program's room, whether or not a server runs."""
    ann = people.new_guest("ann")
    for one in programs:
        await posting.post(room=find(one.room), message=text, person=ann)
    await Publisher.here().flush()


async def each(programs: list[Program], does: Callable[[Program], object]) -> None:
    await asyncio.gather(*(does(one) for one in programs))


async def test_bots_answer_each_message_once_whatever_is_killed_meanwhile(
    tmp_path: Path, foreign_send: Callable[..., Awaitable[None]]
) -> None:
    async with started(tmp_path, *BOTS, WEBHOOKS) as (server, programs):
        for one in programs:  # what isn't stored has no place in the log, and no answer
            await foreign_send(one.room, message="!echo zero")
        await say(programs, "hello, all")  # which they don't answer either
        await say(programs, "!echo one")
        await each(programs, lambda one: one.has_answered("one"))

        await server.stop(SIGKILL)
        await say(programs, "!echo two")
        await say(programs, "!echo three")
        await server.start()
        await each(programs, lambda one: one.has_answered("one", "two", "three"))

        before = {one: one.position_kept() for one in programs}
        await say(programs, "!echo four")
        await each(programs, lambda one: one.has_answered("one", "two", "three", "four"))
        await each(programs, lambda one: one.has_moved_on(before[one]))
        await each(programs, lambda one: one.end(SIGKILL))
        await say(programs, "!echo five")
        for one in programs:  # as if it had been killed after its answer, and before it wrote the position
            one.set_back(before[one])
            one.start()
        await say(programs, "!echo six")
        await each(programs, lambda one: one.has_answered("one", "two", "three", "four", "five", "six"))

        await server.stop(SIGTERM)
        await server.start()
        await say(programs, "!echo seven")
        await each(programs, lambda one: one.has_answered("one", "two", "three", "four", "five", "six", "seven"))


async def test_bots_end_when_they_are_told_to_or_their_token_is_refused(tmp_path: Path) -> None:
    async with started(tmp_path, *BOTS) as (_, programs):
        for number in (SIGTERM, SIGINT):
            for one in programs:
                assert await one.end(number) == 0, one.output
                one.start()
            await each(programs, lambda one: one.has_begun())

        async for token in models.Token.objects.all():
            await actions.revoke(token.pk, user_id=token.user_id, by=None)
        for one in programs:
            assert await one.end(None) == 1, one.output
            assert "Make another token" in one.output
            assert ".." not in one.output
        for one in programs:
            one.start()
        for one in programs:
            assert await one.end(None) == 1, one.output
            assert "Make another token" in one.output


async def test_bots_end_at_a_message_that_they_may_not_answer_and_answer_it_later(tmp_path: Path) -> None:
    async with started(tmp_path, *BOTS, scopes=[Scope.READ]) as (_, programs):
        before = {one: one.position_kept() for one in programs}
        await say(programs, "!echo one")
        for one in programs:
            assert await one.end(None) == 1, one.output
            assert "Make another token" in one.output
            assert ".." not in one.output
            kept = one.position_kept()
            assert kept == before[one] or one.example is SHELL and kept.splitlines()[1:] == before[one].splitlines()[1:]
        async for token in models.Token.objects.all():
            token.scopes = "read write"
            await token.asave()
        for one in programs:
            one.start()
        await each(programs, lambda one: one.has_answered("one"))


async def test_bots_end_with_a_sentence_where_they_are_given_no_token(tmp_path: Path) -> None:
    for example in BOTS:
        one = Program(example, tmp_path / example.name, CHAT_TOKEN="")
        one.start()
        assert await one.end(None) == 1, one.output
        assert "Set CHAT_TOKEN to a token" in one.output


async def test_shell_says_a_text_once_while_the_server_is_away(tmp_path: Path) -> None:
    async with started(tmp_path, SHELL) as (server, [shell]):
        await server.stop(SIGKILL)
        say = [shell.run("./say.sh", "@hello", "build-57", output=tmp_path / f"say{number}") for number in (1, 2)]
        await server.start()
        assert [await asyncio.to_thread(process.wait, TIMEOUT) for process in say] == [0, 0]
        said = [message.text async for message in models.Message.objects.filter(room__name=shell.room)]
        assert said == ["@hello"]

        await models.Token.objects.all().adelete()
        refused = shell.run("./say.sh", "hello", output=tmp_path / "refused")
        assert await asyncio.to_thread(refused.wait, TIMEOUT) == 1
        assert "invalid_token" in (tmp_path / "refused").read_text()
