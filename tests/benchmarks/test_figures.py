"""The figures to reach: what they are of, and what they say."""

import pytest

from benchmarks import plan, storing_plan
from benchmarks.databases import NEAR, Database
from benchmarks.figures import FAR, Figure, figures
from benchmarks.measured import Measured, Stored
from benchmarks.storing_plan import Load

DELIVERIES = dict.fromkeys(("cpu_us_per_delivery", "p99_ms", "connect_cpu_ms", "kib_per_conn", "redis_per_message"), 1)
COUNTS = {"lost": 0, "doubled": 0, "disordered": 0}
STORED = {
    "posters": {"p50_ms": 6.0, "per_s": 300},
    "storm": {"storm_p99_ms": 8.0, "calm_p99_ms": 4.0, "all_back_s": 1.5},
    "idle_rooms": {"percent_of_a_core": 0.5},
}
WRITTEN = {"bare inserts": 1000, "posts, 1 in 1": 600, "posts, 60 in 1": 5000, "posts, 60 in 60": 4500}
FAR_AWAY = Database("PostgreSQL", FAR)


def everything() -> Measured:
    """As if each part of the full plan had been measured."""
    loads = {(stage.database, load) for stage in storing_plan.full([FAR]) for load in stage.loads}
    return Measured(
        [(run, {**DELIVERIES, "lost": 0, "extra": 0, "disordered": 0}) for run in plan.full()],
        [Stored(database, load, {**STORED[load.program], **COUNTS}) for database, load in loads],
        [{"database": one.name, **WRITTEN} for one in plan.databases([FAR], quick=False)],
        [{"with": wishes, "most_frames_of_a_kind_in_any_second": int(wishes != "")} for wishes in ("", "presence")],
    )


def test_every_figure_is_measured_by_the_full_plan():
    assert [figure.what for figure in figures(everything()) if figure.value is None] == []


def test_figures_are_told_apart_by_their_names():
    names = [figure.what for figure in figures(everything())]
    assert len(set(names)) == len(names)


def test_no_figure_is_measured_by_nothing():
    assert {figure.verdict for figure in figures(Measured())} == {"not measured"}


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("1 poster alone, far: wait in round trips", 3.0),
        ("60 posters in 60 rooms: far ÷ near", 1.0),
        ("stored, PostgreSQL: 60 rooms ÷ 1 room", 0.9),
        ("stored, PostgreSQL: 1 poster alone ÷ bare inserts", 0.6),
        ("storm of 400, far: p99 of posts ÷ calm", 2.0),
        ("storm of 400: all back, far ÷ near", 1.0),
        ("40,000 idle rooms: % of a core", 0.5),
        ("presence and typing: most frames of a kind to a client in a second", 1),
    ],
)
def test_a_figure_is_the_ratio_that_it_names(what, value):
    assert {figure.what: figure.value for figure in figures(everything())}[what] == pytest.approx(value)


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("x", None, most=1), "not measured"),
        (Figure("x", 1, most=1), "reached"),
        (Figure("x", 1.01, most=1), "not reached"),
        (Figure("x", 0.7, least=0.7), "reached"),
        (Figure("x", 0.69, least=0.7), "not reached"),
        (Figure("x", 0, most=0), "reached"),
    ],
)
def test_the_verdict_follows_the_limit(figure, verdict):
    assert figure.verdict == verdict


@pytest.mark.parametrize(
    ("result", "broken"),
    [
        (COUNTS, 0),
        ({**COUNTS, "lost": 2}, 2),
        ({**COUNTS, "posts_lost": 3}, 3),
        ({"problem": "killed"}, None),
    ],
)
def test_losses_are_counted_wherever_they_are(result, broken):
    assert Measured(storing=[Stored(NEAR, Load("storm", "x"), result)]).broken("lost") == broken


def test_what_came_twice_counts_under_either_name():
    [run] = [run for run in plan.quick() if run.server.name == "this site" and run.mode == "ws"]
    twice = Stored(FAR_AWAY, Load("posters", "x"), {"doubled": 1})
    assert Measured([(run, {"extra": 4})], [twice]).broken("doubled") == 5
