"""Each program of the benchmarks, for a moment: on a real server whose PostgreSQL is at a distance."""

import json
import subprocess
import sys

from benchmarks import databases, measuring, servers
from benchmarks.databases import SQLITE, Database
from benchmarks.plan import Run
from benchmarks.servers import BARE
from benchmarks.storing_plan import Load, Stage
from tests.servers import ROOT

AS_PROMISED = {"lost": 0, "doubled": 0, "disordered": 0}
POSTERS = Load("posters", "posters", ("--posters", "4", "--rooms", "2", "--seconds", "0.5", "--warm", "0.2"))
STORM_SIZE = ("--returning", "8", "--rooms", "3", "--missed", "5", "--leavers", "4", "--calm", "0.5", "--around", "2")
STORM = Load("storm", "storm", (*STORM_SIZE, "--graphql", "50", "--cookies"))
IDLE_ROOMS = Load("idle_rooms", "idle", ("--rooms", "120", "--seconds", "1", "--look", "0.2"))


def test_each_load_is_put_on_a_server_and_says_what_came_of_it():
    stage = Stage(Database("PostgreSQL", 0.5), (POSTERS, STORM, IDLE_ROOMS))
    posters, storm, idle_rooms = (result for _, result in measuring.storing(stage))
    assert posters == posters | AS_PROMISED | {"posters": 4, "rooms": 2, "closed": 0, "errors": []}
    assert posters["p50_ms"] >= 1  # a round trip
    assert posters["per_s"] > 0
    assert storm == storm | AS_PROMISED | {"posts_lost": 0, "turned_away": 0, "errors": []}
    assert storm["all_back_s"] is not None
    assert idle_rooms == idle_rooms | {"rooms": 120, "closed": 0, "errors": []}


def test_writing_says_how_much_is_stored_in_how_many_rooms():
    found = measuring.writing(SQLITE, quick=True)
    assert found["database"] == "SQLite"
    assert {"bare inserts", "posts, 1 in 1", "posts, 60 in 1", "posts, 60 in 60"} <= found.keys()


def test_watching_says_what_a_look_costs(tmp_path):
    with (
        databases.running(databases.NEAR, tmp_path) as address,
        servers.ready(servers.SITE, tmp_path, address.url) as variables,
    ):
        options = ["--database-pid", str(address.pids[0]), "--rooms", "50", "--looks", "1"]
        found = measuring.output(["-m", "benchmarks.watching", *options], variables)
    assert found["µs to look at a changed room"] > 0
    assert "µs of the database's" in found


def test_presence_counts_what_clients_are_told():
    size = ["--people", "6", "--churn", "4", "--typing", "2", "--processes", "2", "--seconds", "3", "--settle", "2"]
    program = [sys.executable, "-m", "benchmarks.presence", *size]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    without, asked, _ = json.loads(done.stdout)["runs"]
    assert without["presence_frames_per_client_per_s"] == 0
    assert asked["known_of"] == 6
    assert asked["presence_frames_per_client_per_s"] > 0
    assert asked["typing_frames_per_client_per_s"] > 0


def test_the_driver_counts_what_a_server_delivers():
    found = measuring.fan_out(Run(BARE, "ws", 20, seconds=0.2, repeat=1))
    assert found == found | {"lost": 0, "extra": 0, "disordered": 0, "failed": 0}
    assert found["got"] == found["expected"]


def test_a_program_that_fails_is_a_problem():
    assert "invalid int value" in measuring.said_by("posters", ["--posters", "many"])["problem"]
