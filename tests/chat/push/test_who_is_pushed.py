"""A table of the people who are pushed something. In each case Ben says something, and Ann has a device."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from chat.actions import direct
from chat.delivery.rooms.visible_pages import VisiblePages
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.models import Detail, Involvement
from chat.storage import edits, ignoring, moderation, notification_choices, readings
from chat.storage.database import in_database
from chat.storage.readings import Mark
from tests.chat.push.conftest import Owner, round_over, say, subscribe


@dataclass
class Case:
    """Ann, who has entered `room`, and Ben, who owns it."""

    ann: Owner
    ben: Person
    room: Room
    direct_room: Room

    async def involve(self, involvement: Involvement, room: Room | None = None) -> None:
        await in_database(readings.set_involvement, room or self.room, self.ann.person, involvement)

    async def want_all(self, on: bool = True) -> None:
        await in_database(notification_choices.set_push_all, self.room, self.ann.person, on=on)

    async def say(self, text: str, room: Room | None = None, by: Person | None = None) -> int:
        return (await say(room or self.room, text, by or self.ben)).event.offset or 0


@pytest.fixture
async def case(owner: Callable[..., Any]) -> Case:
    ann = await owner("ann", "room1")
    ben = of_user(await in_database(get_user_model().objects.create_user, "ben"))
    await in_database(moderation.create, find("room1"), private=False, by=ben)
    return Case(ann, ben, find("room1"), await direct.open_room(["ann"], by=ben))


async def mention(case: Case) -> None:
    await case.say("Hello @ann!")


async def mention_of_room(case: Case) -> None:
    await case.say("Hello @room!")


async def plain(case: Case) -> None:
    await case.say("Hello!")


async def plain_where_all_is_wanted(case: Case) -> None:
    await case.want_all()
    await case.say("Hello!")


async def plain_where_all_is_wanted_no_more(case: Case) -> None:
    await case.want_all()
    await case.want_all(on=False)
    await case.say("Hello!")


async def all_wanted_of_a_muted_room(case: Case) -> None:
    await case.want_all()
    await case.involve(Involvement.NOTHING)
    await case.say("Hello!")


async def all_wanted_but_mentions_alone_in_the_room(case: Case) -> None:
    await case.want_all()
    await case.involve(Involvement.MENTIONS)
    await case.say("Hello!")


async def mention_in_a_muted_room(case: Case) -> None:
    await case.involve(Involvement.NOTHING)
    await case.say("Hello @ann!")


async def mention_where_mentions_are_wanted(case: Case) -> None:
    await case.involve(Involvement.MENTIONS)
    await case.say("Hello @ann!")


async def mention_in_a_room_of_others(case: Case) -> None:
    await case.say("Hello @ann!", room=find("elsewhere"))


async def mention_in_a_room_that_was_left(case: Case) -> None:
    await in_database(readings.leave, case.room, case.ann.person)
    await case.say("Hello @ann!")


async def direct_message(case: Case) -> None:
    await case.say("Hello!", room=case.direct_room)


async def direct_message_in_a_muted_room(case: Case) -> None:
    await case.involve(Involvement.NOTHING, case.direct_room)
    await case.say("Hello!", room=case.direct_room)


async def own_direct_message(case: Case) -> None:
    await case.say("Hello!", room=case.direct_room, by=case.ann.person)


async def own_message_where_all_is_wanted(case: Case) -> None:
    await case.want_all()
    await case.say("Hello!", by=case.ann.person)


async def mention_by_somebody_ignored(case: Case) -> None:
    await in_database(ignoring.set_ignored, case.ann.person, case.ben.id, True)
    await case.say("Hello @ann!")


async def mention_of_room_by_somebody_ignored(case: Case) -> None:
    await in_database(ignoring.set_ignored, case.ann.person, case.ben.id, True)
    await case.say("Hello @room!")


async def direct_message_of_somebody_ignored(case: Case) -> None:
    await in_database(ignoring.set_ignored, case.ann.person, case.ben.id, True)
    await case.say("Hello!", room=case.direct_room)


async def all_wanted_but_the_author_is_ignored(case: Case) -> None:
    await case.want_all()
    await in_database(ignoring.set_ignored, case.ann.person, case.ben.id, True)
    await case.say("Hello!")


async def mention_that_was_read_meanwhile(case: Case) -> None:
    offset = await case.say("Hello @ann!")
    await in_database(readings.mark_read, [Mark(case.room, case.ann.person, offset)])


async def mention_that_was_deleted_meanwhile(case: Case) -> None:
    offset = await case.say("Hello @ann!")
    await in_database(moderation.delete_message, case.room, offset, by=case.ben)


async def mention_before_a_ban(case: Case) -> None:
    await case.say("Hello @ann!")
    await in_database(moderation.ban, case.room, case.ann.person.id, by=case.ben)


async def mention_before_the_room_is_closed(case: Case) -> None:
    await case.say("Hello @ann!")
    await in_database(moderation.set_private, case.room, True, by=case.ben)


async def mention_while_a_page_is_visible(case: Case) -> None:
    VisiblePages.here().show(case.ann.person.id)
    await case.say("Hello @ann!")


async def mention_after_a_page_was_hidden(case: Case) -> None:
    VisiblePages.here().show(case.ann.person.id)
    VisiblePages.here().hide(case.ann.person.id)
    await case.say("Hello @ann!")


async def two_mentions_and_a_message(case: Case) -> None:
    await case.say("Hello @ann!")
    await case.say("By the way.")
    await case.say("@ann, are you there?")


async def three_messages_where_all_are_wanted(case: Case) -> None:
    await case.want_all()
    for text in ("One", "Two", "Three"):
        await case.say(text)


async def text_is_allowed(case: Case) -> None:
    await in_database(notification_choices.choose, case.ann.person, detail=Detail.TEXT)
    await case.say("Hello @ann!")


async def text_that_was_edited_meanwhile(case: Case) -> None:
    await in_database(notification_choices.choose, case.ann.person, detail=Detail.TEXT)
    offset = await case.say("Hello @ann!")
    await in_database(edits.edit_message, case.room, offset, "Good evening, @ann.", by=case.ben)


async def several_with_text(case: Case) -> None:
    await in_database(notification_choices.choose, case.ann.person, detail=Detail.TEXT)
    await case.say("Hello!", room=case.direct_room)
    await case.say("Are you there?", room=case.direct_room)


async def german_device(case: Case) -> None:
    await subscribe(case.ann, language="de")
    await case.say("Hallo @ann!")


NOTHING = None
CASES: list[tuple[Callable[[Case], Awaitable[None]], str | None]] = [
    (mention, "ben mentioned you"),
    (mention_of_room, "ben mentioned you"),
    (plain, NOTHING),
    (plain_where_all_is_wanted, "ben wrote a message"),
    (plain_where_all_is_wanted_no_more, NOTHING),
    (all_wanted_of_a_muted_room, NOTHING),
    (all_wanted_but_mentions_alone_in_the_room, NOTHING),
    (mention_in_a_muted_room, NOTHING),
    (mention_where_mentions_are_wanted, "ben mentioned you"),
    (mention_in_a_room_of_others, NOTHING),
    (mention_in_a_room_that_was_left, NOTHING),
    (direct_message, "ben wrote a message"),
    (direct_message_in_a_muted_room, NOTHING),
    (own_direct_message, NOTHING),
    (own_message_where_all_is_wanted, NOTHING),
    (mention_by_somebody_ignored, NOTHING),
    (mention_of_room_by_somebody_ignored, NOTHING),
    (direct_message_of_somebody_ignored, NOTHING),
    (all_wanted_but_the_author_is_ignored, NOTHING),
    (mention_that_was_read_meanwhile, NOTHING),
    (mention_that_was_deleted_meanwhile, NOTHING),
    (mention_before_a_ban, NOTHING),
    (mention_before_the_room_is_closed, NOTHING),
    (mention_while_a_page_is_visible, NOTHING),
    (mention_after_a_page_was_hidden, "ben mentioned you"),
    (two_mentions_and_a_message, "2 new mentions, the last one by ben"),
    (three_messages_where_all_are_wanted, "3 new messages, the last one by ben"),
    (text_is_allowed, "ben: Hello @ann!"),
    (text_that_was_edited_meanwhile, "ben: Good evening, @ann."),
    (several_with_text, "ben: Are you there? (2 new messages)"),
    (german_device, "ben hat dich erwähnt"),
]


@pytest.mark.parametrize(("act", "body"), [pytest.param(*one, id=one[0].__name__) for one in CASES])
async def test_push_says_what_the_person_wants_to_hear(
    case: Case, act: Callable[[Case], Awaitable[None]], body: str | None, at_once: None
) -> None:
    await act(case)
    await round_over()
    assert [push["body"] for push in case.ann.browser.pushes] == ([] if body is None else [body])
