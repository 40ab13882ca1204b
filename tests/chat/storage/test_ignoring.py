"""Ignoring people: what is remembered, what is refused, and what doesn't count as unread."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import ChatError, NoSuchPerson, NotAllowed, TooManyIgnored
from chat.storage import direct_rooms, ignoring, log, mentions, own_rooms, readings
from chat.storage.drafts import Draft
from chat.storage.readings import Mark

pytestmark = pytest.mark.django_db

ROOM = find("ignoring")
BEN = Person(id="guest-0000000000000001", name="Ben")
LOUD, QUIET = Person(id="guest-0000000000000002", name="Loud"), Person(id="guest-0000000000000003", name="Quiet")


def user(name: str) -> Person:
    return people.of_user(get_user_model().objects.create_user(username=name))


def say(*by: Person, text: str = "hi", mentioned: tuple[Person, ...] = ()) -> None:
    log.append([Draft(room=ROOM, text=text, person=person, mentions=mentioned) for person in by])


def unread(person: Person = BEN) -> tuple[int, int]:
    """The unread messages and mentions; both ways of reading them have the same."""
    own = own_rooms.by_pair([(ROOM, person)])[ROOM, person]
    (listed,) = [one for one in own_rooms.own_rooms(person, size=10) if one.room == ROOM]
    assert (listed.unread, listed.mentions_unread) == (own.unread, own.mentions_unread)
    return own.unread, own.mentions_unread


def test_ignored_people_are_listed_the_last_one_first_by_the_names_that_they_have() -> None:
    ann = user("ann")
    say(LOUD)
    for person in (LOUD, ann):
        ignoring.set_ignored(BEN, person.id, True)
    get_user_model().objects.filter(username="ann").update(username="anna")
    assert [(person.id, person.name) for person in ignoring.ignored(BEN)] == [(ann.id, "anna"), (LOUD.id, "Loud")]
    ignoring.set_ignored(BEN, ann.id, False)
    assert [person.id for person in ignoring.ignored(BEN)] == [LOUD.id]
    assert ignoring.ignored(LOUD) == []


def test_guest_of_whom_nothing_was_heard_is_ignored_without_a_name() -> None:
    ignoring.set_ignored(BEN, LOUD.id, True)
    assert [person.name for person in ignoring.ignored(BEN)] == ["A guest"]


def test_setting_what_is_set_changes_nothing() -> None:
    for on in (False, True, True):
        ignoring.set_ignored(BEN, LOUD.id, on)
    assert models.IgnoredPerson.objects.count() == 1
    for _ in range(2):
        ignoring.set_ignored(BEN, LOUD.id, False)
    assert not models.IgnoredPerson.objects.exists()


@pytest.mark.parametrize(
    ("person_id", "error"),
    [
        ("", NoSuchPerson),
        ("room", NoSuchPerson),
        ("user-", NoSuchPerson),
        ("user-999999", NoSuchPerson),
        ("user-" + "9" * 30, NoSuchPerson),
        ("guest-1", NoSuchPerson),
        ("guest-000000000000000G", NoSuchPerson),
        ("guest-0000000000000002\n", NoSuchPerson),
        ("\0", NoSuchPerson),
        ("\ud800", NoSuchPerson),
        ("x" * 10_000, NoSuchPerson),
        (BEN.id, NotAllowed),
    ],
)
def test_nobody_is_ignored_by_a_bad_id(person_id: str, error: type[ChatError]) -> None:
    with pytest.raises(error):
        ignoring.set_ignored(BEN, person_id, True)
    ignoring.set_ignored(BEN, person_id, False)
    assert ignoring.ignored(BEN) == []


def test_no_more_people_are_ignored_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignoring, "IGNORED_MAX", 2)
    for number in (2, 3, 2):
        ignoring.set_ignored(BEN, f"guest-{number:016x}", True)
    with pytest.raises(TooManyIgnored):
        ignoring.set_ignored(BEN, f"guest-{4:016x}", True)
    ignoring.set_ignored(BEN, LOUD.id, False)
    ignoring.set_ignored(BEN, f"guest-{4:016x}", True)


def test_messages_and_mentions_of_ignored_people_are_not_unread() -> None:
    readings.enter([Mark(ROOM, BEN)])
    say(LOUD, LOUD, QUIET, mentioned=(BEN,))
    assert unread() == (3, 3)
    ignoring.set_ignored(BEN, LOUD.id, True)
    assert unread() == (1, 1)
    say(LOUD, QUIET, LOUD)
    assert unread() == (2, 1)
    ignoring.set_ignored(BEN, LOUD.id, False)
    assert unread() == (6, 3)


def test_what_one_person_ignores_counts_for_others() -> None:
    readings.enter([Mark(ROOM, BEN), Mark(ROOM, QUIET)])
    ignoring.set_ignored(BEN, LOUD.id, True)
    say(LOUD)
    assert (unread(), unread(QUIET)) == ((0, 0), (1, 0))


def test_direct_messages_of_an_ignored_user_are_not_unread() -> None:
    ann, ben = user("ann"), user("ben")
    room = direct_rooms.room_of([ann, ben])
    direct_rooms.make(room, [ann, ben])
    ignoring.set_ignored(ben, ann.id, True)
    log.append([Draft(room=room, text="hi", person=ann)])
    assert own_rooms.by_pair([(room, ben)])[room, ben].unread == 0


def test_ignoring_changes_the_digest_of_readings_and_setting_it_again_does_too() -> None:
    readings.enter([Mark(ROOM, BEN)])
    before = readings.digests([BEN.id])
    ignoring.set_ignored(BEN, LOUD.id, True)
    assert readings.digests([BEN.id]) != before


def test_account_that_is_deleted_ignores_nobody_and_is_ignored_by_nobody() -> None:
    ann = user("ann")
    ignoring.set_ignored(BEN, ann.id, True)
    ignoring.set_ignored(ann, LOUD.id, True)
    get_user_model().objects.get(username="ann").delete()
    assert not models.IgnoredPerson.objects.exists()


def test_people_ignored_by_guests_without_rooms_are_forgotten() -> None:
    readings.enter([Mark(ROOM, BEN)])
    for person in (BEN, QUIET, user("ann")):
        ignoring.set_ignored(person, LOUD.id, True)
    assert ignoring.prune_guests(timezone.now() - timedelta(days=1)) == 0
    assert ignoring.prune_guests(timezone.now() + timedelta(seconds=1)) == 1
    assert not ignoring.ignored(QUIET)


def test_whom_many_people_ignore_is_read_by_as_few_queries(django_assert_num_queries: Any) -> None:
    ann = user("ann")
    crowd = [Person(id=f"guest-{number:016x}", name="P") for number in range(10, 30)]
    for person in crowd:
        ignoring.set_ignored(person, ann.id, True)
    with django_assert_num_queries(2):
        assert ignoring.ignored_by(crowd) == {person.id: [ann] for person in crowd}


def test_mention_of_somebody_by_an_ignored_person_is_stored_as_ever() -> None:
    ignoring.set_ignored(BEN, LOUD.id, True)
    say(BEN)
    assert mentions.resolve(ROOM, "@Ben", by=LOUD) == [BEN]
