"""A crowd in rooms, and where it is."""

import random

import pytest

from benchmarks.crowd import Crowd, spread

CROWD = Crowd(connections=20_000, rooms=1_000, messages=500, room_rate=5)


def test_everybody_is_in_a_room_and_no_room_is_empty():
    sizes = CROWD.sizes()
    assert (len(sizes), sum(sizes)) == (CROWD.rooms, CROWD.connections)
    assert min(sizes) >= 1


def test_sizes_have_a_heavy_tail():
    sizes = CROWD.sizes()
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0.1 * CROWD.connections  # one room in a thousand
    assert sorted(sizes)[CROWD.rooms // 2] < CROWD.connections / CROWD.rooms  # most rooms are smaller than the mean


def test_a_tail_of_nothing_makes_rooms_alike():
    assert set(Crowd(connections=1000, rooms=100, tail=0).sizes()) == {10}


def test_messages_go_by_size_up_to_what_one_can_read():
    sizes = CROWD.sizes()
    rates = CROWD.rates(sizes)
    assert sum(rates) == pytest.approx(CROWD.messages)
    assert max(rates) == CROWD.room_rate
    assert rates[-1] / sizes[-1] == pytest.approx(rates[-50] / sizes[-50])


def test_messages_that_no_room_takes_are_not_said():
    crowd = Crowd(connections=100, rooms=10, messages=500, room_rate=5)
    assert sum(crowd.rates(crowd.sizes())) == 50


@pytest.mark.parametrize("together", [0, 100, 20_000])
def test_spreading_loses_nobody(together):
    sizes = CROWD.sizes()
    places = spread(sizes, 10, together, random.Random(1))
    assert [place.total() for place in places] == sizes
    assert all(set(place) <= set(range(10)) for place in places)
    assert all(len(place) == 1 for place, size in zip(places, sizes, strict=True) if size <= together)


def test_a_large_room_is_spread_evenly():
    [place] = spread([1003], 10, 0, random.Random(1))
    assert set(place.values()) == {100, 101}
