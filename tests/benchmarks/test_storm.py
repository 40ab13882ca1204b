"""Figures made of the posts around a storm, and of the clients that came back."""

import asyncio

import pytest

from benchmarks.percentiles import milliseconds
from benchmarks.returner import Returner
from benchmarks.storm import between, returned

SECOND = 10**9  # nanoseconds


def test_posts_during_the_storm_are_those_under_way_then():
    before, into, within, out_of, after = samples = [
        (0 * SECOND, SECOND // 10),
        (1 * SECOND, 3 * SECOND),
        (3 * SECOND, SECOND // 5),
        (4 * SECOND, 2 * SECOND),
        (6 * SECOND, SECOND),
    ]
    assert between(samples, started=2.0, ended=5.0) == sorted(took for _, took in (into, within, out_of))
    assert before[1] not in between(samples, 2.0, 5.0)
    assert after[1] not in between(samples, 2.0, 5.0)


@pytest.mark.parametrize(("share", "percentile"), [(0, 1.0), (0.5, 51.0), (0.99, 100.0), (1, 100.0)])
def test_a_percentile_is_a_time_that_was_measured(share, percentile):
    assert milliseconds([number * 10**6 for number in range(1, 101)], share) == percentile


def test_nothing_measured_has_no_percentile():
    assert milliseconds([], 0.99) is None


async def test_one_who_came_back_has_all_that_was_missed():
    returner = Returner("room", missed=3)
    for offset in (1, 2, 3):
        assert not returner.back.done()
        returner.take(b'{"message":"x","offset":%d}' % offset)
    took = await returner.back
    assert returned([returner], [took]) == {
        "all_back_s": round(took, 2),
        "back_p50_ms": pytest.approx(took * 1000, abs=0.01),
        "turned_away": 0,
        "lost": 0,
        "doubled": 0,
        "disordered": 0,
        "errors": [],
    }


async def test_one_who_is_turned_away_is_counted_with_what_it_did_not_get():
    returner = Returner("room", missed=20)
    returner.take(b'{"message":"x","offset":1}')
    found = returned([returner], [ConnectionError("closed by the server")])
    assert (found["all_back_s"], found["turned_away"], found["lost"]) == (None, 1, 19)
    assert "closed by the server" in found["errors"][0]


async def test_a_mistake_of_the_instrument_is_no_result():
    with pytest.raises(ZeroDivisionError):
        returned([], [ZeroDivisionError()])


async def test_what_comes_twice_or_late_is_counted():
    returner = Returner("room", missed=4)
    for offset in (1, 3, 2, 2):
        returner.take(b'{"offset": %d}' % offset)
    found = returned([returner], [await asyncio.wait_for(returner.back, 1)])
    assert (found["doubled"], found["disordered"]) == (1, 1)
