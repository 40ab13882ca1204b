"""Reactions in the database: rows, the message's sum, and the entries that tell of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.reactions import EMOJI_PER_MESSAGE, PEOPLE_NAMED, ReactionRequest
from chat.domain.rooms import Room, find
from chat.errors import Banned, ChatError, NoSuchMessage, NotAMember, TooManyReactions
from chat.models import MessageReaction, Role
from chat.storage import history, log, moderation, pruning, reactions
from chat.storage.log import Draft, Entry

ROOM = find("reactions é/1")
GUESTS = [Person(id=f"guest-{number:016x}", name=f"Guest {number}") for number in range(30)]
ANN, BEN, *_ = GUESTS

pytestmark = pytest.mark.django_db


def say(text: str = "hello", room: Room = ROOM, by: Person = ANN) -> int:
    (entry,) = log.append([Draft(room=room, text=text, person=by, trusted=True)])
    assert isinstance(entry, Entry)
    assert entry.event.offset
    return entry.event.offset


def react(target: int, *requests: tuple[Person, str, bool], room: Room = ROOM) -> reactions.Reacted:
    return reactions.react(room, target, [ReactionRequest(*request) for request in requests])


def state(event: Event | None) -> dict[str, tuple[int, list[str]]]:
    assert event is not None
    return {one.emoji: (one.count, [person.name for person in one.people]) for one in event.reactions}


def test_reaction_is_an_entry_and_in_the_message() -> None:
    target = say()
    reacted = react(target, (BEN, "👍", True))
    entry = reacted.entry
    assert entry is not None
    assert (entry.kind, entry.offset, entry.target, entry.person) == (Kind.REACTION, target + 1, target, BEN)
    assert (reacted.is_new, reacted.problems) == (True, [None])
    assert entry.previous == history.find(ROOM, target).id
    assert state(entry) == state(history.find(ROOM, target)) == {"👍": (1, ["Guest 1"])}
    assert history.find(ROOM, target + 1) == entry


def test_reactions_of_many_are_one_entry_in_the_order_of_their_first() -> None:
    target = say()
    reacted = react(
        target, (ANN, "🎉", True), (BEN, "👍", True), (ANN, "👍", True), (BEN, "🎉", True), (ANN, "❤️", True)
    )
    assert [*state(reacted.entry).items()] == [
        ("🎉", (2, ["Guest 0", "Guest 1"])),
        ("👍", (2, ["Guest 1", "Guest 0"])),
        ("❤️", (1, ["Guest 0"])),
    ]
    assert reacted.entry.message == "Guest 0 and others reacted."
    assert history.heads([ROOM])[ROOM].position.offset == target + 1


def test_reaction_that_is_set_already_adds_no_entry_and_returns_the_last() -> None:
    target = say()
    first = react(target, (ANN, "👍", True))
    again = react(target, (ANN, "👍", True))
    assert (again.entry, again.is_new, again.problems) == (
        history.find(ROOM, first.entry.offset),
        False,
        [None],
    )
    assert history.heads([ROOM])[ROOM].position.offset == target + 1
    assert say("next") == target + 2


def test_taking_back_what_was_never_set_changes_nothing() -> None:
    target = say()
    assert react(target, (ANN, "👍", False)) == reactions.Reacted(None, False, [None])
    assert say("next") == target + 1


def test_reaction_that_is_taken_back_is_gone_from_the_sum() -> None:
    target = say()
    react(target, (ANN, "👍", True), (BEN, "👍", True), (BEN, "🎉", True))
    assert state(react(target, (ANN, "👍", False)).entry) == {"👍": (1, ["Guest 1"]), "🎉": (1, ["Guest 1"])}
    last = react(target, (BEN, "👍", False), (BEN, "🎉", False))
    assert state(last.entry) == state(history.find(ROOM, target)) == {}
    assert not MessageReaction.objects.exists()


def test_people_past_the_first_are_counted_and_move_up() -> None:
    target = say()
    everybody = react(target, *((guest, "👍", True) for guest in GUESTS)).entry
    names = [guest.name for guest in GUESTS]
    assert state(everybody) == {"👍": (30, names[:PEOPLE_NAMED])}
    assert state(react(target, (ANN, "👍", False)).entry) == {"👍": (29, names[1 : PEOPLE_NAMED + 1])}


def test_emoji_past_the_limit_is_refused_and_the_others_are_stored() -> None:
    target = say()
    emoji = [chr(0x1F600 + number) for number in range(EMOJI_PER_MESSAGE + 1)]
    reacted = react(target, *((ANN, one, True) for one in emoji), (BEN, emoji[0], True))
    assert [type(problem) for problem in reacted.problems if problem] == [TooManyReactions]
    assert [one.emoji for one in reacted.entry.reactions] == emoji[:-1]
    assert reacted.entry.reactions[0].count == 2


@pytest.mark.parametrize("offset", [0, 2, 3, 99, 2**63 - 1])
def test_reaction_to_what_is_no_message_is_refused(offset: int) -> None:
    target = say()
    react(target, (ANN, "👍", True))  # at 2
    moderation.ban(ROOM, GUESTS[5].id, by=None)  # at 3
    reacted = react(offset, (ANN, "👍", True))
    assert [type(problem) for problem in reacted.problems] == [NoSuchMessage]
    assert (reacted.entry, reacted.is_new) == (None, False)
    assert say("next") == 4


def test_reaction_in_a_room_that_does_not_exist_is_refused_and_makes_none() -> None:
    nowhere = find("nowhere")
    assert [type(one) for one in react(1, (ANN, "👍", True), room=nowhere).problems] == [NoSuchMessage]
    assert not models.Room.objects.exists()


@pytest.mark.parametrize("offset", [1, 99])
def test_those_who_may_not_be_there_are_refused_alone_and_learn_nothing(offset: int) -> None:
    say()
    owner = people.of_user(User.objects.create_user(username="owner"))
    models.Room.objects.get(name=ROOM.name).members.create(user_id=owner.user_id, role=Role.OWNER)
    moderation.ban(ROOM, BEN.id, by=None)
    moderation.set_private(ROOM, True, by=None)
    reacted = react(offset, (ANN, "👍", True), (owner, "👍", True), (BEN, "👍", True))
    expected: list[type[ChatError] | type[None]] = [NotAMember, type(None), Banned]
    if offset == 99:
        expected[1] = NoSuchMessage
    assert [type(problem) for problem in reacted.problems] == expected
    assert (reacted.entry is not None) == (offset == 1)


def test_deleted_message_has_no_reactions_and_gets_none() -> None:
    target = say()
    entry = react(target, (BEN, "👍", True)).entry
    moderation.delete_message(ROOM, target, by=ANN)
    assert not MessageReaction.objects.exists()
    assert history.find(ROOM, target).reactions == history.find(ROOM, entry.offset).reactions == ()
    for on in (True, False):
        reacted = react(target, (BEN, "👍", on))
        assert ([type(one) for one in reacted.problems], reacted.is_new) == ([NoSuchMessage], False)


def test_pruned_messages_take_their_reactions_along() -> None:
    first, second = say(), say()
    react(first, (ANN, "👍", True))
    react(second, (ANN, "👍", True))
    pruning.prune(keep=3)
    assert [row.offset for row in MessageReaction.objects.all()] == [second]
    pruning.prune(older_than=timezone.now() + timedelta(minutes=1))
    assert not MessageReaction.objects.exists()


def test_deleted_room_takes_its_reactions_along() -> None:
    react(say(), (ANN, "👍", True))
    models.Room.objects.get(name=ROOM.name).delete()
    assert not MessageReaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_reactions_of_a_deleted_account_stay_with_its_name_as_messages_do() -> None:
    user = User.objects.create_user(username="leaver")
    leaver, target = people.of_user(user), say()
    said = say(by=leaver)
    react(target, (leaver, "👍", True), (BEN, "👍", True))
    user.delete()
    assert history.find(ROOM, said).person == leaver
    assert state(history.find(ROOM, target)) == {"👍": (2, ["leaver", "Guest 1"])}
    assert state(react(target, (ANN, "👍", True)).entry) == {"👍": (3, ["leaver", "Guest 1", "Guest 0"])}


def crowd_reacts(target: int, *, size: int = PEOPLE_NAMED) -> None:
    react(target, *((guest, "👍", True) for guest in GUESTS[2 : 2 + size]))


def test_own_of_page_knows_a_person_past_those_who_are_named() -> None:
    messages = [say() for _ in range(4)]
    for target in messages[:3]:
        crowd_reacts(target)
    for target in messages[1:]:
        react(target, (ANN, "👍", True), (BEN, "🎉", True))
    events = [history.find(ROOM, target) for target in messages]
    assert [{one.emoji: one.count for one in event.reactions} for event in events] == [
        {"👍": 20},
        *[{"👍": 21, "🎉": 1}] * 2,
        {"👍": 1, "🎉": 1},
    ]
    with CaptureQueriesContext(connection) as queries:
        assert reactions.own_of_page(events, ANN) == [set(), {"👍"}, {"👍"}, {"👍"}]
    assert len(queries) == 1
    assert reactions.own_of_page(events, BEN) == [set(), {"🎉"}, {"🎉"}, {"🎉"}]
    assert reactions.own_of_page(events, GUESTS[2]) == [{"👍"}, {"👍"}, {"👍"}, set()]


def test_own_of_page_asks_nothing_where_all_people_are_named(django_assert_num_queries) -> None:
    target = say()
    react(target, (ANN, "👍", True), (BEN, "👍", True))
    events = [history.find(ROOM, target)]
    with django_assert_num_queries(0):
        assert reactions.own_of_page(events, ANN) == [{"👍"}]
        assert reactions.own_of_page(events, GUESTS[5]) == [set()]


def test_own_is_of_one_room_alone() -> None:
    other = find("other reactions")
    for room in (ROOM, other):
        say(room=room)
    react(1, (ANN, "👍", True))
    react(1, (ANN, "🎉", True), room=other)
    assert reactions.own(ANN, [(ROOM, 1)]) == {(ROOM, 1, "👍")}
    assert reactions.own(ANN, [(ROOM, 1), (other, 1)]) == {(ROOM, 1, "👍"), (other, 1, "🎉")}
    assert reactions.own(BEN, [(ROOM, 1)]) == set()


def test_statements_do_not_grow_with_those_who_react() -> None:
    moderation.ban(ROOM, GUESTS[-1].id, by=None)  # so permissions are asked
    counts = []
    for number in (1, 25):
        target = say()
        react(target, *((guest, "🎉", True) for guest in GUESTS[:number]))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            react(target, *((guest, emoji, emoji == "👍") for guest in GUESTS[:number] for emoji in ("👍", "🎉")))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16
