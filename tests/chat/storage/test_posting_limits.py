"""Read-only rooms and slow mode: what of a batch is stored, and what is refused with which error."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.events import Change
from chat.domain.people import Person
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import Room, find
from chat.errors import ChatError, InvalidSlowMode, NotAllowed, ReadOnly, SlowMode
from chat.models import Role
from chat.storage import edits, history, log, moderation, posting_limits, pruning, reactions
from chat.storage.drafts import Draft
from chat.storage.log import Entry

pytestmark = pytest.mark.django_db(transaction=True)

ROOM, OTHER = find("slow"), find("other")
GUEST, ANOTHER = Person(id="guest-0000000000000001", name="G"), Person(id="guest-0000000000000002", name="H")


@pytest.fixture(autouse=True)
def cast() -> dict[Role, Person]:
    """An owner, a moderator and a member of a public room."""
    users = {role: get_user_model().objects.create_user(username=role.value) for role in Role}
    moderation.create(ROOM, private=False, by=people.of_user(users[Role.OWNER]))
    for role in (Role.MODERATOR, Role.MEMBER):
        moderation.set_role(ROOM, role.value, role, by=None)
    return {role: people.of_user(user) for role, user in users.items()}


def draft(person: Person = GUEST, room: Room = ROOM, **fields: Any) -> Draft:
    return Draft(**{"room": room, "text": "hi", "person": person, **fields})


def outcomes(done: Sequence[Entry | ChatError]) -> list[str]:
    return [one.code if isinstance(one, ChatError) else "again" if one.repeated else "stored" for one in done]


def say(*drafts: Draft) -> list[str]:
    return outcomes(log.append(drafts))


def pass_time(seconds: float) -> None:
    """Makes it that much longer since anybody posted."""
    for last in models.LastPost.objects.all():
        last.at -= timedelta(seconds=seconds)
        last.save()


def test_read_only_room_takes_messages_of_owners_and_moderators_alone(cast: dict[Role, Person]) -> None:
    posting_limits.set_read_only(ROOM, True, by=cast[Role.OWNER])
    batch = [draft(person) for person in (*cast.values(), GUEST)]
    assert dict(zip([*cast, None], say(*batch), strict=True)) == {
        Role.MEMBER: "read_only",
        Role.MODERATOR: "stored",
        Role.OWNER: "stored",
        None: "read_only",
    }
    assert say(draft(trusted=True), draft(room=OTHER)) == ["stored", "stored"]
    posting_limits.set_read_only(ROOM, False, by=cast[Role.OWNER])
    assert say(draft()) == ["stored"]


def test_retry_of_a_message_from_before_a_room_was_read_only_is_the_first_message(cast: dict[Role, Person]) -> None:
    assert say(draft(client_id="a")) == ["stored"]
    posting_limits.set_read_only(ROOM, True, by=None)
    assert say(draft(client_id="a"), draft(client_id="b")) == ["again", "read_only"]


def test_author_in_a_read_only_room_deletes_and_reacts_and_does_not_edit() -> None:
    (entry,) = log.append([draft()])
    assert isinstance(entry, Entry)
    offset = entry.event.offset or 0
    posting_limits.set_read_only(ROOM, True, by=None)
    with pytest.raises(ReadOnly):
        edits.edit_message(ROOM, offset, "another text", by=GUEST)
    assert reactions.react(ROOM, offset, [ReactionRequest(ANOTHER, "👍", True)]).problems == [None]
    assert moderation.delete_message(ROOM, offset, by=GUEST).target == offset


def test_moderator_edits_their_own_message_in_a_read_only_room(cast: dict[Role, Person]) -> None:
    posting_limits.set_read_only(ROOM, True, by=None)
    (entry,) = log.append([draft(cast[Role.MODERATOR])])
    assert isinstance(entry, Entry)
    assert edits.edit_message(ROOM, entry.event.offset or 0, "another", by=cast[Role.MODERATOR]) is not None


def test_slow_mode_refuses_the_next_message_of_a_person_until_its_time(cast: dict[Role, Person]) -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=cast[Role.MODERATOR])
    assert say(draft(), draft(ANOTHER), draft(room=OTHER), draft(room=OTHER)) == ["stored"] * 4
    pass_time(10)
    (refused,) = log.append([draft()])
    assert isinstance(refused, SlowMode)
    assert 19 < refused.retry_after <= 20
    assert str(refused) == "Slow mode: you can write again in 20 seconds."
    pass_time(20.5)
    assert say(draft(), draft()) == ["stored", "slow_mode"]


def test_slow_mode_counts_replies_and_not_edits() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    (entry,) = log.append([draft(ANOTHER)])
    assert isinstance(entry, Entry)
    offset = entry.event.offset
    assert say(draft(reply_to=offset), draft()) == ["stored", "slow_mode"]
    pass_time(31)
    assert say(draft(), draft(reply_to=offset)) == ["stored", "slow_mode"]
    assert edits.edit_message(ROOM, offset or 0, "another", by=ANOTHER) is not None
    pass_time(31)
    assert say(draft(ANOTHER)) == ["stored"]


def test_retry_in_slow_mode_is_the_first_message_and_costs_nothing() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    assert say(draft(client_id="a"), draft(client_id="a"), draft(client_id="b")) == ["stored", "again", "slow_mode"]
    assert say(draft(client_id="a")) == ["again"]
    pass_time(30.5)
    assert say(draft(client_id="a"), draft(client_id="b")) == ["again", "stored"]


def test_refused_message_does_not_begin_another_pause() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    assert say(draft()) == ["stored"]
    pass_time(29)
    assert say(draft()) == ["slow_mode"]
    pass_time(1.5)
    assert say(draft()) == ["stored"]


def test_draft_with_nothing_to_reply_to_begins_no_pause() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    assert say(draft(reply_to=999), draft()) == ["no_such_message", "stored"]


def test_owners_moderators_and_the_site_are_free_of_slow_mode(cast: dict[Role, Person]) -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    for person in (cast[Role.OWNER], cast[Role.MODERATOR]):
        assert say(draft(person), draft(person)) == ["stored"] * 2
    assert say(draft(trusted=True), draft(trusted=True)) == ["stored"] * 2
    assert say(draft(cast[Role.MEMBER]), draft(cast[Role.MEMBER])) == ["stored", "slow_mode"]
    assert models.LastPost.objects.count() == 1


def test_pause_is_no_longer_than_slow_mode_says_when_another_clock_is_ahead() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    room_id = models.Room.objects.get(name=ROOM.name).pk
    models.LastPost.objects.create(room_id=room_id, person_id=GUEST.id, at=timezone.now() + timedelta(hours=1))
    (refused,) = log.append([draft()])
    assert isinstance(refused, SlowMode)
    assert refused.retry_after == 30


def test_slow_mode_switched_off_forgets_who_posted_when() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    assert say(draft(), draft()) == ["stored", "slow_mode"]
    posting_limits.set_slow_mode(ROOM, 0, by=None)
    assert not models.LastPost.objects.exists()
    assert say(draft(), draft()) == ["stored"] * 2


def test_two_processes_store_one_message_of_a_person_in_slow_mode() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    both = threading.Barrier(2)

    def post(_: int) -> list[str]:
        try:
            both.wait(10)
            return say(draft())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(outcome for done in threads.map(post, range(2)) for outcome in done) == ["slow_mode", "stored"]


def test_message_that_is_undone_begins_no_pause() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    with transaction.atomic():
        assert say(draft()) == ["stored"]
        transaction.set_rollback(True)
    assert say(draft()) == ["stored"]


@pytest.mark.parametrize("seconds", [-1, 6 * 3600 + 1, 2**63, True, 1.5, "30", None])
def test_slow_mode_of_other_than_seconds_up_to_six_hours_is_refused(seconds: Any) -> None:
    with pytest.raises(InvalidSlowMode):
        posting_limits.set_slow_mode(ROOM, seconds, by=None)
    assert models.Room.objects.get(name=ROOM.name).slow_mode == 0


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "every second"), (30, "every 30 seconds"), (60, "every minute"), (300, "every 5 minutes"), (7200, "2 hours")],
)
def test_notice_tells_of_slow_mode(seconds: int, told: str) -> None:
    notice = posting_limits.set_slow_mode(ROOM, seconds, by=None)
    assert notice is not None
    assert notice.change is Change.SLOW_MODE
    assert told in notice.message
    assert posting_limits.set_slow_mode(ROOM, seconds, by=None) is None


def test_only_owners_make_a_room_read_only_and_moderators_slow_it(cast: dict[Role, Person]) -> None:
    for person in (cast[Role.MODERATOR], cast[Role.MEMBER], GUEST):
        with pytest.raises(NotAllowed):
            posting_limits.set_read_only(ROOM, True, by=person)
    for person in (cast[Role.MEMBER], GUEST):
        with pytest.raises(NotAllowed):
            posting_limits.set_slow_mode(ROOM, 10, by=person)
    end = history.heads([ROOM])[ROOM].position.offset
    assert posting_limits.set_read_only(ROOM, False, by=cast[Role.OWNER]) is None
    assert history.heads([ROOM])[ROOM].position.offset == end


def test_pruning_keeps_the_pauses() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    assert say(draft()) == ["stored"]
    pruning.prune(keep=0)
    assert say(draft()) == ["slow_mode"]


def test_posting_in_a_slow_room_takes_as_many_statements_for_many_people() -> None:
    posting_limits.set_slow_mode(ROOM, 30, by=None)
    counts = []
    for first, size in ((0, 1), (1, 100)):
        crowd = [Person(id=f"guest-{number:016x}", name="P") for number in range(first + 16, first + size + 16)]
        with CaptureQueriesContext(connection) as statements:
            assert say(*(draft(person) for person in crowd)) == ["stored"] * size
        counts.append(len(statements))
    assert counts[0] == counts[1]
