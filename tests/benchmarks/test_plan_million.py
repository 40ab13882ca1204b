"""The simulation of a large site: what is conserved, what helps, and what is said to break first."""

from dataclasses import replace

import pytest

from benchmarks import plan_million, storing_plan
from benchmarks.costs import LARGE, Costs
from benchmarks.crowd import Crowd
from benchmarks.large_site import SECONDS, Layout, Simulation, first_to_break
from benchmarks.plan import HEARING

CROWD = Crowd(connections=5_000, rooms=500, messages=200)
LAYOUT = Layout(processes=5)
COSTS = Costs(
    connect=500,
    come_back=1000,
    delivery=14,
    post=300,
    hear=150,
    idle_room=0.2,
    publish=10,
    copy=5,
    store=100,
    watch=3,
    watched=5,
    connection_memory=24,
    room_memory=2.5,
    process_memory=100_000,
)


def report() -> dict:
    """Results in which each figure is told apart."""
    driver = {"n": 3000, "rss_mib": 200, "kib_per_conn": 24.0, "connect_cpu_ms": 0.5, "processes": 1}
    runs = [
        {**driver, "cpu_us_per_delivery": 14.0, "redis_cpu_us_per_message": 11.0},
        {**driver, "cpu_us_per_delivery": 82.0, "redis_cpu_us_per_message": 15.0},
    ]
    loads = [
        ("posters", "60 in 60 rooms", {"cpu_us_per_post": 300, "database_cpu_us_per_post": 100}),
        ("storm", "400 browsers", {"cpu_ms_per_return": 1.0}),
        ("idle_rooms", "40,000", {"percent_of_a_core": 0.8, "rooms": 40_000, "kib_per_room": 2.5}),
    ]
    return {
        "runs": [
            {"server": run.server.name, "audience": run.audience, **result}
            for run, result in zip((LARGE, HEARING), runs, strict=True)
        ],
        "writing": [
            {"database": "SQLite"},
            {"database": "PostgreSQL", "µs to look at a changed room": 3, "µs of the database's": 5},
        ],
        "storing": [
            {"database": "PostgreSQL", "program": program, "load": load, **result} for program, load, result in loads
        ],
    }


def test_costs_come_from_the_results():
    assert Costs.measured(report()) == replace(COSTS, process_memory=200 * 1024 - 24 * 3000)


@pytest.mark.parametrize(
    ("part", "number"), [("runs", 0), ("runs", 1), ("storing", 0), ("storing", 1), ("storing", 2), ("writing", 1)]
)
def test_costs_that_were_not_measured_are_not_guessed(part, number):
    found = report()
    found[part][number] |= {"problem": "does not start"}
    with pytest.raises(LookupError, match="does not start"):
        Costs.measured(found)
    del found[part][number]
    with pytest.raises(LookupError):
        Costs.measured(found)


def test_the_costs_are_measured_by_the_full_plan():
    loads = {(load.program, load.title) for stage in storing_plan.full([1]) for load in stage.loads}
    assert {(one["program"], one["load"]) for one in report()["storing"]} <= loads


def test_the_last_results_are_enough_for_the_simulation():
    assert plan_million.measured_costs(plan_million.LATEST).delivery > 0


def test_everybody_in_a_room_hears_each_message():
    simulation = Simulation(CROWD, LAYOUT, COSTS)
    heard = 0
    for at, draft in [(0.0, draft) for draft in simulation.drafts()]:
        simulation.publish(at, draft)
        heard += simulation.listeners[draft.room].total()
    assert simulation.deliveries == heard > 0


def test_messages_come_at_the_rate_of_the_crowd():
    drafts = list(Simulation(CROWD, LAYOUT, COSTS).drafts())
    assert len(drafts) == pytest.approx(CROWD.messages * SECONDS, rel=0.15)
    assert drafts == sorted(drafts)


def test_the_cpu_of_all_processes_is_what_messages_and_deliveries_cost():
    crowd = replace(CROWD, rooms=1, room_rate=20, messages=20)
    simulation = Simulation(crowd, LAYOUT, COSTS)
    day = simulation.run()
    messages = day.deliveries / crowd.connections * SECONDS
    used = sum(sum(seconds) for seconds in simulation.cpu)
    assert used == pytest.approx(messages * (300 + 4 * 150 + crowd.connections * 14))


def test_redis_gets_a_message_and_sends_a_copy_to_each_process_in_the_room():
    everywhere = Simulation(replace(CROWD, rooms=1), LAYOUT, COSTS).run()
    messages = everywhere.deliveries / CROWD.connections
    assert everywhere.redis_messages == pytest.approx(messages * (1 + LAYOUT.processes))


def test_keeping_rooms_together_makes_copies_fewer():
    apart, together = (Simulation(CROWD, replace(LAYOUT, together=most), COSTS).run() for most in (0, 5000))
    assert together.redis_messages < 0.7 * apart.redis_messages
    assert together.deliveries == pytest.approx(apart.deliveries, rel=0.1)


def used(layout: Layout, name: str) -> float:
    [found] = [part.used for part in Simulation(CROWD, layout, COSTS).run().parts if part.name.startswith(name)]
    return found


def test_every_process_reads_what_is_new_on_the_whole_site():
    day = Simulation(CROWD, LAYOUT, COSTS).run()
    assert day.watched == pytest.approx(LAYOUT.processes * CROWD.messages, rel=0.15)
    more = used(replace(LAYOUT, processes=20), "PostgreSQL's CPU") - used(LAYOUT, "PostgreSQL's CPU")
    assert more == pytest.approx(15 * 5e-6 * CROWD.messages, rel=0.15)


def test_several_redis_servers_share_the_groups():
    assert used(replace(LAYOUT, redis_servers=4), "a Redis") < 0.5 * used(LAYOUT, "a Redis")


def test_more_processes_take_less_each_and_more_connections_together():
    many = replace(LAYOUT, processes=20)
    assert used(many, "a process") < used(LAYOUT, "a process")
    assert used(many, "PostgreSQL's connections") == 4 * used(LAYOUT, "PostgreSQL's connections")


def test_distance_makes_posts_wait_and_commits_larger():
    near, far = (Simulation(CROWD, replace(LAYOUT, round_trip=one), COSTS).run() for one in (0.0, 0.1))
    assert far.commits < near.commits
    assert used(replace(LAYOUT, round_trip=0.1), "a post's wait") > used(LAYOUT, "a post's wait")


@pytest.mark.parametrize(
    ("costs", "layout", "broken"),
    [
        (replace(COSTS, copy=5000), LAYOUT, "a Redis's CPU"),
        (replace(COSTS, delivery=5000), LAYOUT, "a process's CPU, its busiest second"),
        (replace(COSTS, store=100_000), LAYOUT, "PostgreSQL's CPU"),
        (replace(COSTS, connection_memory=10**6), LAYOUT, "a machine's memory"),
        (COSTS, replace(LAYOUT, connections_of_a_process=200), "PostgreSQL's connections"),
        (COSTS, replace(LAYOUT, round_trip=0.2), "a post's wait, p99"),
    ],
)
def test_the_part_that_is_used_up_breaks_first(costs, layout, broken):
    times, part = first_to_break(CROWD, layout, costs)
    assert part.name == broken
    assert part.share >= 1
    assert times >= 1


def test_a_site_that_nothing_breaks_says_how_far_it_was_tried():
    times, part = first_to_break(CROWD, LAYOUT, COSTS, most=1)
    assert (times, part.share < 1) == (1, True)


def test_the_same_seed_gives_the_same_day():
    assert Simulation(CROWD, LAYOUT, COSTS).run() == Simulation(CROWD, LAYOUT, COSTS).run()
