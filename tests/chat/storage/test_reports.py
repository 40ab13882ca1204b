"""Reports to moderators: which are stored, who sees them, and when they are gone."""

import pytest
from django.contrib.auth import get_user_model

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.errors import Banned, ChatError, NoSuchMessage, NotAllowed, NotAMember
from chat.models import Role
from chat.storage import log, moderation, pruning, reports
from chat.storage.drafts import Draft

pytestmark = pytest.mark.django_db

ROOM, PRIVATE = find("reported"), find("members only")
GUEST, AUTHOR = Person(id="guest-0000000000000001", name="G"), Person(id="guest-0000000000000002", name="A")
BANNED = Person(id="guest-0000000000000003", name="B")


@pytest.fixture(autouse=True)
def cast() -> dict[Role, Person]:
    """An owner, a moderator and a member of a public and a private room, each with a message."""
    users = {role: get_user_model().objects.create_user(username=role.value) for role in Role}
    for room in (ROOM, PRIVATE):
        moderation.create(room, private=room == PRIVATE, by=people.of_user(users[Role.OWNER]))
        for role in (Role.MODERATOR, Role.MEMBER):
            moderation.set_role(room, role.value, role, by=None)
    moderation.ban(ROOM, BANNED.id, by=None)
    return {role: people.of_user(user) for role, user in users.items()}


def say(room: Room = ROOM) -> int:
    entry = log.append([Draft(room=room, text="look at this", person=AUTHOR, trusted=True)])[0]
    assert isinstance(entry, log.Entry)
    return entry.event.offset or 0


def seen(room: Room = ROOM, person: Person | None = None, **page: int) -> list[tuple[int, str, str]]:
    found = reports.report_pages([room], person=person, **{"size": 50, **page})[room]
    if isinstance(found, ChatError):
        raise found
    return [(report.offset, report.reporter.id, report.reason) for report in found]


def test_report_is_seen_by_moderators_with_the_message(cast: dict[Role, Person]) -> None:
    offset = say()
    reports.report(ROOM, offset, "rude", by=GUEST)
    for role in (Role.OWNER, Role.MODERATOR):
        assert seen(person=cast[role]) == [(offset, GUEST.id, "rude")]
    (report,) = reports.report_pages([ROOM], person=None, size=50)[ROOM]
    assert (report.message.message, report.message.person) == ("look at this", AUTHOR)
    assert report.reporter == GUEST


def test_report_is_seen_by_nobody_else(cast: dict[Role, Person]) -> None:
    reports.report(ROOM, say(), "rude", by=cast[Role.MEMBER])
    for person, error in ((cast[Role.MEMBER], NotAllowed), (GUEST, NotAllowed), (BANNED, Banned)):
        with pytest.raises(error):
            seen(person=person)
        assert isinstance(reports.counts([ROOM], person=person)[ROOM], error)
    with pytest.raises(NotAMember):
        seen(PRIVATE, person=GUEST)


def test_report_by_the_same_person_again_has_another_reason() -> None:
    offset = say()
    reports.report(ROOM, offset, "rude", by=GUEST)
    at = models.Report.objects.get().at
    reports.report(ROOM, offset, "very rude", by=GUEST)
    assert seen() == [(offset, GUEST.id, "very rude")]
    assert models.Report.objects.get().at == at


def test_reports_are_counted_by_message(cast: dict[Role, Person]) -> None:
    first, second = say(), say()
    for offset, person in ((first, GUEST), (first, cast[Role.MEMBER]), (second, GUEST)):
        reports.report(ROOM, offset, "", by=person)
    assert reports.counts([ROOM, PRIVATE], person=cast[Role.OWNER]) == {ROOM: 2, PRIVATE: 0}
    pairs = [(ROOM, cast[Role.MODERATOR]), (ROOM, GUEST), (PRIVATE, cast[Role.MEMBER])]
    assert reports.open_counts(pairs) == dict(zip(pairs, (2, None, None), strict=True))


@pytest.mark.parametrize(
    ("room", "person", "error"),
    [
        (ROOM, AUTHOR, NotAllowed),
        (ROOM, BANNED, Banned),
        (PRIVATE, GUEST, NotAMember),
        (find("nothing here"), GUEST, NoSuchMessage),
        (find("@" + "0" * 32), GUEST, NotAMember),
    ],
)
def test_report_is_refused(room: Room, person: Person, error: type[ChatError]) -> None:
    offset = say(room) if room in (ROOM, PRIVATE) else 1
    with pytest.raises(error):
        reports.report(room, offset, "", by=person)
    assert not models.Report.objects.exists()


@pytest.mark.parametrize("offset", [0, 1, 2**62])
def test_what_is_no_message_can_not_be_reported(offset: int) -> None:
    with pytest.raises(NoSuchMessage):
        reports.report(ROOM, offset, "", by=GUEST)


def test_stranger_learns_nothing_of_a_private_room_by_reporting() -> None:
    said = say(PRIVATE)
    refusals = []
    for offset in (said, said + 100):
        with pytest.raises(NotAMember) as caught:
            reports.report(PRIVATE, offset, "", by=GUEST)
        refusals.append(str(caught.value))
    assert refusals[0] == refusals[1]


def test_dismissing_deletes_the_reports_of_one_message(cast: dict[Role, Person]) -> None:
    first, second = say(), say()
    for offset in (first, second):
        reports.report(ROOM, offset, "", by=GUEST)
    for person in (GUEST, cast[Role.MEMBER]):
        with pytest.raises(NotAllowed):
            reports.dismiss(ROOM, first, by=person)
    for _ in range(2):
        reports.dismiss(ROOM, first, by=cast[Role.MODERATOR])
    assert [offset for offset, *_ in seen()] == [second]


def test_reports_of_a_deleted_message_are_gone_and_it_takes_no_more() -> None:
    offset = say()
    reports.report(ROOM, offset, "", by=GUEST)
    moderation.delete_message(ROOM, offset, by=None)
    assert seen() == []
    with pytest.raises(NoSuchMessage):
        reports.report(ROOM, offset, "", by=GUEST)


def test_reports_go_with_pruned_messages_with_the_room_and_with_the_reporter(cast: dict[Role, Person]) -> None:
    offset = say()
    reports.report(ROOM, offset, "", by=GUEST)
    pruning.prune(keep=0)
    assert seen() == []
    offset = say()
    for person in (GUEST, cast[Role.MEMBER]):
        reports.report(ROOM, offset, "", by=person)
    get_user_model().objects.get(username="member").delete()
    assert [reporter for _, reporter, _ in seen()] == [GUEST.id]
    models.Room.objects.get(name=ROOM.name).delete()
    assert not models.Report.objects.exists()


def test_reports_come_page_by_page_the_last_one_first() -> None:
    offsets = [say() for _ in range(5)]
    for offset in offsets:
        reports.report(ROOM, offset, "", by=GUEST)
    many = reports.report_pages([ROOM, find("another")], person=None, size=2)[ROOM]
    assert reports.report_pages([ROOM], person=None, size=2)[ROOM] == many
    found, after = [], None
    while page := reports.report_pages([ROOM], person=None, size=2, after=after)[ROOM]:
        assert isinstance(page, list)
        found += [report.offset for report in page]
        after = page[-1].number
    assert found == offsets[::-1]


def test_report_of_a_message_that_an_older_instance_deleted_is_resolved(cast: dict[Role, Person]) -> None:
    first, second = say(), say()
    for offset in (first, second):
        reports.report(ROOM, offset, "", by=GUEST)
    models.Message.objects.filter(offset=first).update(text="", deletion=second + 1)
    assert [offset for offset, *_ in seen()] == [second]
    assert reports.counts([ROOM], person=cast[Role.OWNER])[ROOM] == 1
