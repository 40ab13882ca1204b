"""Quotes on a real database: every read fills them in from the message that is quoted, as it is at that moment."""

from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain.events import Event, Kind, Quote
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room, find
from chat.errors import Banned, ChatError, NoSuchMessage
from chat.storage import edits, entries, history, log, moderation, pages, pruning, quotes, recoveries
from chat.storage.log import Draft, Entry
from chat.storage.pages import Page, PageRequest
from tests.chat.storage.test_log import ANN, BEN, OTHER, ROOM, fill, say
from tests.recovering import recover

pytestmark = pytest.mark.django_db


def append(text: str, to: int, room: Room = ROOM, person: Person = BEN, client_id: str | None = None) -> Entry:
    (done,) = log.append([Draft(room=room, text=text, person=person, client_id=client_id, reply_to=to)])
    if isinstance(done, ChatError):
        raise done
    return done


def of_a_page(room: Room) -> Sequence[Event]:
    return pages.page(room, person=ANN, size=50, from_end=True).events


def of_a_recovery(room: Room) -> Sequence[Event]:
    return recover(room, Position(0), person=ANN).events or ()


def of_a_retry(room: Room) -> Sequence[Event]:
    return [append("again", to=1, client_id="mine").event]


@pytest.fixture(params=[of_a_page, of_a_recovery, of_a_retry])
def read(request: pytest.FixtureRequest) -> Callable[[], Quote | None]:
    """The quote of the reply at offset 2, by each of the ways to read it."""
    return lambda: next(event.reply_to for event in request.param(ROOM) if event.offset == 2)


def test_reply_is_stored_with_the_quote_that_everybody_reads(read: Callable[[], Quote | None]) -> None:
    say("first")
    reply = append("second", to=1, client_id="mine")
    assert not reply.repeated
    assert reply.event.reply_to == read() == Quote(1, ANN, "first")


def test_quote_has_the_text_that_its_message_has_now(read: Callable[[], Quote | None]) -> None:
    say("first")
    append("second", to=1, client_id="mine")
    edits.edit_message(ROOM, 1, "better", by=ANN)
    assert read() == Quote(1, ANN, "better")


def test_quote_of_a_deleted_message_has_nothing_but_the_offset(read: Callable[[], Quote | None]) -> None:
    say("first")
    append("second", to=1, client_id="mine")
    moderation.delete_message(ROOM, 1, by=ANN)
    assert read() == Quote(1)


def test_quote_of_a_pruned_message_has_nothing_but_the_offset() -> None:
    say("first")
    append("second", to=1)
    pruning.prune(keep=1)
    (event,) = of_a_page(ROOM)
    assert event.reply_to == Quote(1)


def test_quote_of_an_unnamed_sender_has_the_text() -> None:
    say("first", person=Person(id="", name=""))
    assert append("second", to=1).event.reply_to == Quote(1, None, "first")


def test_quote_has_no_more_than_the_beginning_of_a_long_text() -> None:
    say("word " * 799)
    quote = append("second", to=1).event.reply_to
    assert quote
    assert quote.message == "word " * 39 + "word…"


def test_reply_can_be_replied_to_and_quotes_its_own_text_alone() -> None:
    say("first")
    append("second", to=1)
    assert append("third", to=2).event.reply_to == Quote(2, BEN, "second")


@pytest.mark.parametrize("offset", [0, 2, 3, 4, 5, 99, 2**63 - 1])
def test_reply_to_anything_but_a_message_that_is_there_is_refused(offset: int) -> None:
    say("first")
    say("deleted")
    moderation.delete_message(ROOM, 2, by=ANN)  # is the entry 3
    moderation.ban(ROOM, "guest-00000000000000cc", by=None)  # 4
    entries.write(entries.take_offset(ROOM), kind=Kind.EDIT, text="edited", by=ANN, target=1)  # 5
    say("in another room", OTHER)

    with pytest.raises(NoSuchMessage, match=f"{offset}.*without the reply"):
        append("second", to=offset)

    assert history.end(ROOM, person=None).offset == 5
    assert append("second", to=1).event.offset == 6


def test_reply_to_a_message_of_another_room_is_refused() -> None:
    say("secret", OTHER)
    say("other")
    fill(2, OTHER)
    with pytest.raises(NoSuchMessage):
        append("reply", to=2)


def test_refused_reply_makes_no_room() -> None:
    with pytest.raises(NoSuchMessage):
        append("reply", to=1, room=find("nowhere"))
    assert not models.Room.objects.exists()


def test_retry_of_a_reply_returns_the_first_even_after_a_deletion() -> None:
    say("first")
    append("second", to=1, client_id="mine")
    moderation.delete_message(ROOM, 1, by=ANN)
    again = append("second", to=1, client_id="mine")
    assert (again.repeated, again.event.offset, again.event.reply_to) == (True, 2, Quote(1))


def test_batch_stores_replies_beside_plain_messages_and_refuses_each_by_itself() -> None:
    say("first")
    say("first", OTHER)

    def draft(text: str, reply_to: int | None = None, **more: object) -> Draft:
        return Draft(**{"room": ROOM, "text": text, "person": BEN, "reply_to": reply_to, **more})

    drafts = [draft("a"), draft("b", 1), draft("c", 99), draft("d", 1, room=OTHER), draft("e", 1, room=find("new"))]
    done = log.append(drafts)
    assert [isinstance(one, NoSuchMessage) for one in done] == [False, False, True, False, True]
    assert [one.event.reply_to for one in done if isinstance(one, Entry)] == [
        None,
        Quote(1, ANN, "first"),
        Quote(1, ANN, "first"),
    ]


def test_reply_by_somebody_who_is_banned_is_refused_as_that() -> None:
    say("first")
    models.Room.objects.filter(name=ROOM.name).update(restricted=True)
    models.Room.objects.get(name=ROOM.name).bans.create(person_id=BEN.id)
    for offset in (1, 99):
        with pytest.raises(Banned):
            append("second", to=offset)


class TestQueries:
    """A page takes the same number of queries, however many replies are in it."""

    @pytest.fixture(autouse=True)
    def a_hundred_replies(self) -> None:
        fill(50)
        for offset in range(1, 51):
            append("reply", to=offset)

    @pytest.mark.parametrize("size", [1, 50, 100])
    def test_page_takes_one_query_more_for_all_its_quotes(self, size: int) -> None:
        with CaptureQueriesContext(connection) as captured:
            page = pages.page(ROOM, person=ANN, size=size, from_end=True)
        assert len(captured) == 3
        assert all(event.reply_to and event.reply_to.message for event in page.events[-50:])

    def test_page_without_replies_takes_no_query_for_quotes(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            pages.page(ROOM, person=ANN, size=50, from_end=False)
        assert len(captured) == 2

    def test_pages_of_many_rooms_take_one_query_for_all_their_quotes(self) -> None:
        others = [find(f"room {number}") for number in range(20)]
        for room in others:
            say(f"in {room.name}", room)
            append("reply", to=1, room=room)
        requests = [PageRequest(room=room, size=10, from_end=True) for room in [ROOM, *others]]
        with CaptureQueriesContext(connection) as captured:
            found = pages.pages(requests, person=ANN)
        assert len(captured) == 3
        quoted = [page.events[-1].reply_to for page in found if isinstance(page, Page)]
        assert [quote and quote.message for quote in quoted] == ["50", *(f"in {room.name}" for room in others)]

    @pytest.mark.parametrize("clients", [1, 30])
    def test_recoveries_take_one_query_for_the_quotes_of_all_clients(self, clients: int) -> None:
        asked = [RecoveryRequest(log=ROOM, after=Position(40 + n), size=50, person=ANN) for n in range(clients)]
        with CaptureQueriesContext(connection) as captured:
            found = recoveries.recover_all(asked)
        assert len(captured) == 2
        for recovery in found:
            assert isinstance(recovery, Recovery)
            assert all(event.reply_to and event.reply_to.person == ANN for event in (recovery.events or ())[10:])

    def test_quotes_of_more_messages_than_go_into_a_statement_are_all_found(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quotes, "PLACES_PER_STATEMENT", 7)
        assert len(quotes.find((ROOM, offset) for offset in [*range(1, 51), *range(1, 51)])) == 50
