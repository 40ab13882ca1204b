"""Pages of rooms' histories, on a real database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import find
from chat.errors import Banned, NotAMember
from chat.storage import log, pages, reactions
from chat.storage.drafts import Draft
from chat.storage.pages import PageRequest
from tests.chat.storage.test_log import ANN, BEN, OTHER, ROOM, fill, offsets, say

pytestmark = pytest.mark.django_db


class TestPage:
    @pytest.fixture(autouse=True)
    def ten_messages(self) -> None:
        fill(10)
        say("elsewhere", OTHER)

    @pytest.mark.parametrize(
        ("asked", "found", "has_earlier", "has_later"),
        [
            ({"size": 3, "from_end": True}, [8, 9, 10], True, False),
            ({"size": 3, "from_end": False}, [1, 2, 3], False, True),
            ({"size": 3, "from_end": True, "before": 8}, [5, 6, 7], True, True),
            ({"size": 3, "from_end": True, "before": 4}, [1, 2, 3], False, True),
            ({"size": 3, "from_end": True, "before": 3}, [1, 2], False, True),
            ({"size": 3, "from_end": True, "before": 1}, [], False, True),
            ({"size": 3, "from_end": True, "before": 0}, [], False, True),
            ({"size": 3, "from_end": True, "before": 2**63 - 1}, [8, 9, 10], True, True),
            ({"size": 3, "from_end": False, "after": 3}, [4, 5, 6], True, True),
            ({"size": 3, "from_end": False, "after": 7}, [8, 9, 10], True, False),
            ({"size": 3, "from_end": False, "after": 10}, [], True, False),
            ({"size": 3, "from_end": False, "after": 2**63 - 1}, [], True, False),
            ({"size": 3, "from_end": False, "after": 0}, [1, 2, 3], False, True),
            ({"size": 3, "from_end": False, "after": 2, "before": 9}, [3, 4, 5], True, True),
            ({"size": 3, "from_end": True, "after": 2, "before": 9}, [6, 7, 8], True, True),
            ({"size": 3, "from_end": True, "after": 4, "before": 5}, [], False, True),
            ({"size": 10, "from_end": True}, [*range(1, 11)], False, False),
            ({"size": 10, "from_end": False}, [*range(1, 11)], False, False),
            ({"size": 11, "from_end": True}, [*range(1, 11)], False, False),
        ],
    )
    def test_page_is_a_part_of_the_history_from_either_end(
        self, asked: dict, found: list, has_earlier: bool, has_later: bool
    ) -> None:
        page = pages.page(ROOM, person=ANN, **asked)
        assert (offsets(page.events), page.has_earlier, page.has_later) == (found, has_earlier, has_later)

    @pytest.mark.parametrize("from_end", [True, False])
    def test_page_of_an_empty_room_is_empty(self, from_end: bool) -> None:
        assert pages.page(find("empty"), person=ANN, size=3, from_end=from_end) == pages.Page(
            [], has_earlier=False, has_later=False
        )


class TestPageAround:
    @pytest.mark.parametrize(
        ("offset", "found", "has_earlier", "has_later"),
        [
            (5, [3, 4, 5, 6, 7], True, True),
            (1, [1, 2, 3], False, True),
            (0, [1, 2], False, True),
            (9, [7, 8, 9, 10], True, False),
            (10, [8, 9, 10], True, False),
            (99, [8, 9, 10], True, False),
            (2**63 - 1, [8, 9, 10], True, False),
        ],
    )
    def test_page_around_an_offset_has_half_of_its_size_on_either_side(
        self, offset: int, found: list, has_earlier: bool, has_later: bool
    ) -> None:
        fill(10)
        with CaptureQueriesContext(connection) as captured:
            page = pages.around(ROOM, offset, person=ANN, size=4)
        assert (offsets(page.events), page.has_earlier, page.has_later) == (found, has_earlier, has_later)
        assert len(captured) == 2

    def test_page_around_an_offset_is_refused_to_people_who_may_not_read(self) -> None:
        fill(10)
        models.Room.objects.filter(name=ROOM.name).update(is_private=True, restricted=True)
        with pytest.raises(NotAMember):
            pages.around(ROOM, 5, person=BEN)


class TestPagesOfManyRooms:
    def test_pages_equal_single_pages_in_the_order_of_the_requests(self) -> None:
        fill(10)
        fill(4, OTHER)
        requests = [
            PageRequest(room=OTHER, size=3, from_end=True),
            PageRequest(room=ROOM, size=3, from_end=False, after=2),
            PageRequest(room=find("empty"), size=3, from_end=True),
            PageRequest(room=OTHER, size=3, from_end=True, before=3),
            PageRequest(room=OTHER, size=3, from_end=True),
        ]
        alone = [
            pages.page(one.room, person=ANN, size=one.size, after=one.after, before=one.before, from_end=one.from_end)
            for one in requests
        ]
        assert pages.pages(requests, person=ANN) == alone
        assert [offsets(page.events) for page in alone] == [[2, 3, 4], [3, 4, 5], [], [1, 2], [2, 3, 4]]

    def test_pages_take_two_queries_for_a_hundred_rooms(self) -> None:
        rooms = [find(f"room {number}") for number in range(pages.PAGES_PER_STATEMENT + 1)]
        for room in rooms:
            fill(2, room)
        for count, queries in [(1, 2), (pages.PAGES_PER_STATEMENT, 2), (pages.PAGES_PER_STATEMENT + 1, 3)]:
            requests = [PageRequest(room=room, size=1, from_end=True) for room in rooms[:count]]
            with CaptureQueriesContext(connection) as captured:
                found = pages.pages(requests, person=ANN)
            assert len(captured) == queries
            assert [(page.events[0].room, page.events[0].message) for page in found] == [
                (room, "2") for room in rooms[:count]
            ]

    def test_page_of_replies_mentions_and_reactions_takes_three_queries_however_many_there_are(self) -> None:
        say()
        for offset in range(1, 31):
            log.append([Draft(room=ROOM, text="@Ben", person=ANN, reply_to=offset, mentions=(BEN,))])
        for offset in range(1, 32):
            reactions.react(ROOM, offset, [ReactionRequest(person, "👍", True) for person in (ANN, BEN)])
        for size in (2, 30):
            with CaptureQueriesContext(connection) as captured:
                page = pages.page(ROOM, person=ANN, size=size, from_end=True)
            assert len(captured) == 3  # the page, what is quoted, and who may read
            assert all(event.reply_to and event.mentions and event.reactions for event in page.events)
            assert len(page.events) == size

    def test_pages_without_permission_are_errors_beside_the_others(self) -> None:
        for room in (ROOM, OTHER, find("open")):
            say(room=room)
        models.Room.objects.filter(name=ROOM.name).update(is_private=True, restricted=True)
        models.Room.objects.get(name=OTHER.name).bans.create(person_id=BEN.id)
        requests = [PageRequest(room=room, size=1, from_end=True) for room in (ROOM, OTHER, find("open"))]
        private, banned, opened = pages.pages(requests, person=BEN)
        assert (type(private), type(banned)) == (NotAMember, Banned)
        assert offsets(opened.events) == [1]
        assert [offsets(page.events) for page in pages.pages(requests, person=None)] == [[1], [1], [1]]

    def test_pages_of_no_requests_are_none(self) -> None:
        assert pages.pages([], person=ANN) == []
