"""Recoveries on a real database: what is missed is complete or refused, and shared by those who miss the same."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chat import models
from chat.domain import people
from chat.domain import recoveries as domain
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, NotAMember
from chat.storage import history, moderation, pruning, recoveries
from tests.chat.storage.test_log import ANN, BEN, OTHER, ROOM, fill, offsets, say
from tests.recovering import recover

pytestmark = pytest.mark.django_db


def starts_over(recovery: Recovery, *, at: int) -> bool:
    return (recovery.events, recovery.end.offset) == (None, at)


def request(
    after: int, size: int = 100, *, room: Room = ROOM, id: str | None = None, person: Person | None = ANN, **more: bool
) -> RecoveryRequest:
    return RecoveryRequest(log=room, after=Position(after, id), size=size, person=person, **more)


def id_at(offset: int, room: Room = ROOM) -> str | None:
    event = history.find(room, offset)
    return event and event.id


def heard(found: Recovery | ChatError) -> list[int] | None:
    assert isinstance(found, Recovery), found
    return None if found.events is None else offsets(found.events)


class TestRecovery:
    @pytest.fixture(autouse=True)
    def ten_messages(self) -> None:
        fill(10)

    @pytest.mark.parametrize(("after", "found"), [(0, [*range(1, 11)]), (7, [8, 9, 10]), (10, [])])
    def test_recover_returns_the_missed_events(self, after: int, found: list) -> None:
        recovery = recover(ROOM, Position(after), person=ANN)
        assert (offsets(recovery.events), recovery.end.offset) == (found, 10)

    @pytest.mark.parametrize("after", [11, 2**63 - 1])
    def test_recover_starts_over_from_an_offset_that_was_never_given(self, after: int) -> None:
        assert starts_over(recover(ROOM, Position(after), person=ANN), at=10)

    def test_recovery_of_nothing_is_empty_though_the_log_has_gone_on(self) -> None:
        recovery = recover(ROOM, Position(7), 0, person=ANN)
        assert recovery.events == []
        assert recovery.last.offset == 7

    def test_recover_in_an_empty_room_is_empty_or_starts_over(self) -> None:
        assert recover(OTHER, Position(0), person=ANN) == Recovery([], after=Position(0), end=Position(0))
        assert starts_over(recover(OTHER, Position(1), person=ANN), at=0)

    def test_recover_starts_over_past_the_limit(self, settings: Settings) -> None:
        settings.CHAT_RECOVERY_MAX = 4
        assert offsets(recover(ROOM, Position(6), person=ANN).events) == [7, 8, 9, 10]
        assert starts_over(recover(ROOM, Position(5), person=ANN), at=10)

    def test_recover_starts_over_when_missed_messages_were_pruned(self) -> None:
        pruning.prune(keep=4)
        assert offsets(recover(ROOM, Position(6), person=ANN).events) == [7, 8, 9, 10]
        assert starts_over(recover(ROOM, Position(5), person=ANN), at=10)


class TestRecoveriesTogether:
    @pytest.fixture(autouse=True)
    def messages(self) -> None:
        fill(30)
        fill(5, OTHER)

    def test_each_request_gets_the_entries_after_its_own_position(self) -> None:
        requests = [request(28), request(0, 3), request(2, 4), request(4, room=OTHER), request(30), request(10, 0)]
        found = [heard(one) for one in recoveries.recover_all(requests)]
        assert found == [[29, 30], [1, 2, 3], [3, 4, 5, 6], [5], [], []]

    def test_requests_of_the_same_entries_share_the_events(self) -> None:
        one, another = recoveries.recover_all([request(10, 5), request(12, 5, person=BEN)])
        assert isinstance(one, Recovery)
        assert isinstance(another, Recovery)
        assert [a is b for a, b in zip(one.events[2:], another.events[:3], strict=True)] == [True] * 3

    def test_each_event_names_the_one_before_it(self) -> None:
        for found in recoveries.recover_all([request(0, 3), request(2, 4), request(20)]):
            assert isinstance(found, Recovery)
            previous = [found.after.id, *[event.id for event in found.events]]
            assert [event.previous for event in found.events] == previous[:-1]

    @pytest.mark.parametrize(
        ("after", "id", "outcome"),
        [
            (10, "right", [11, 12]),
            (10, None, [11, 12]),
            (10, "wrong", None),
            (10, "1", None),  # a primary key, as the release before gave it
            (0, "wrong", [1, 2]),
            (30, "right", []),
            (31, None, None),
            (2**63 - 1, None, None),
        ],
    )
    def test_position_that_is_not_of_this_log_starts_over_alone(
        self, after: int, id: str | None, outcome: list[int] | None
    ) -> None:
        given = id_at(after) if id == "right" else id
        before, found, beside = recoveries.recover_all([request(9, 3), request(after, 2, id=given), request(11, 2)])
        assert heard(found) == outcome
        assert [heard(before), heard(beside)] == [[10, 11, 12], [12, 13]]
        if outcome is None:
            assert isinstance(found, Recovery)
            assert found.end == Position(30, id_at(30))

    def test_row_without_a_uid_proves_a_position_by_its_primary_key(self) -> None:
        models.Message.objects.filter(room__name=ROOM.name, offset=10).update(uid=None)
        right, wrong = recoveries.recover_all([request(10, 1, id=id_at(10)), request(10, 1, id="0")])
        assert [heard(right), heard(wrong)] == [[11], None]

    def test_each_request_is_refused_by_itself_where_too_much_was_missed(self, settings: Settings) -> None:
        settings.CHAT_RECOVERY_MAX = 10
        found = recoveries.recover_all([request(19), request(20), request(19, resumed=True)])
        assert [heard(one) for one in found] == [None, [*range(21, 31)], [*range(20, 31)]]

    def test_each_request_is_forbidden_by_itself(self) -> None:
        user = User.objects.create_user(username="member")
        member, banned, guest = people.of_user(user), people.new_guest(), people.new_guest()
        moderation.set_role(ROOM, "member", models.Role.MEMBER, by=None)
        say(person=banned)
        moderation.ban(ROOM, banned.id, by=None)
        moderation.set_private(ROOM, True, by=None)
        everybody = [member, banned, guest, None]
        found = recoveries.recover_all(
            [request(29, room=room, person=person) for person in everybody for room in (ROOM, OTHER)]
        )
        assert [type(one) for one in found[::2]] == [Recovery, Banned, NotAMember, Recovery]
        assert [heard(one) for one in found[1::2]] == [None] * 4

    def test_recovery_across_pruned_entries_starts_over_alone(self) -> None:
        pruning.prune(keep=10)
        found = recoveries.recover_all([request(19), request(20, id="gone"), request(25)])
        assert [heard(one) for one in found] == [None, [*range(21, 31)], [*range(26, 31)]]

    @pytest.mark.parametrize("clients", [1, 50])
    def test_statements_do_not_grow_with_clients_or_rooms(self, clients: int) -> None:
        models.Room.objects.update(restricted=True)
        requests = [
            request(number % 30, person=Person(id=f"guest-{number}", name="?"), room=(ROOM, OTHER)[number % 2])
            for number in range(clients)
        ]
        with CaptureQueriesContext(connection) as captured:
            recoveries.recover_all([*requests, request(40), request(40, room=OTHER)])
        assert len(captured) == 3, "rooms with their entries, where those end that start over, permissions"


class TestFitting:
    """How many requests go into one call."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(domain, "ENTRIES_MAX", 30)

    @pytest.mark.parametrize(
        ("requests", "numbers"),
        [
            ([request(0, 100)], [0]),
            ([request(0, 9), request(0, 9), request(5, 9), request(9, 9)], [0, 1, 2, 3]),
            ([request(0, 9), request(0, 9, room=OTHER), request(50, 9), request(50, 9, room=OTHER)], [0, 1, 2]),
            ([request(0, 9), request(100, 100), request(1, 9), request(200, 0)], [0, 2, 3]),
            ([request(2**63 - 1, 9), request(2**63 - 2, 9)], [0, 1]),
        ],
        ids=["one that is too large", "overlapping", "two rooms", "one that is far behind", "at the end of numbers"],
    )
    def test_fitting_requests_need_few_entries_that_others_do_not(
        self, requests: list[RecoveryRequest], numbers: list[int]
    ) -> None:
        assert domain.fitting(requests) == numbers
