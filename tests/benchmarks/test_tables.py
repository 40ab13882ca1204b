"""The results as text."""

import io

import pytest
from rich.console import Console

from benchmarks import tables
from benchmarks.databases import NEAR, Database
from benchmarks.figures import Figure
from benchmarks.measured import Stored
from benchmarks.storing_plan import Load

RESULT = dict.fromkeys(tables.POSTERS.values(), 0) | {"per_s": 2052.4}


def shown(table) -> list[list[str]]:
    """The cells of a table's lines, without its head."""
    console = Console(file=io.StringIO(), width=300)
    console.print(table)
    lines = [line for line in console.file.getvalue().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0"), (0.1234, "0.123"), (12.34, "12.3"), (123.4, "123"), (45123, "45,123")]
)
def test_a_number_has_three_digits(value, text):
    assert tables.number(value) == text


def test_loads_stand_together_whatever_the_database():
    loads = [Load("posters", "1 alone"), Load("posters", "60 in 60 rooms"), Load("storm", "400 browsers")]
    results = [Stored(place, load, RESULT) for place in (NEAR, Database("PostgreSQL", 1)) for load in loads]
    lines = shown(tables.loads("posters", "posters", tables.POSTERS, results))
    assert [line[:3] for line in lines] == [
        ["1 alone", "PostgreSQL", "2,052"],
        ["1 alone", "PostgreSQL, 1 ms away", "2,052"],
        ["60 in 60 rooms", "PostgreSQL", "2,052"],
        ["60 in 60 rooms", "PostgreSQL, 1 ms away", "2,052"],
    ]


def test_a_load_with_a_problem_says_what_it_was():
    broken = Stored(NEAR, Load("posters", "1 alone"), {"problem": "Traceback:\nTimeoutError"})
    [line] = shown(tables.loads("posters", "posters", tables.POSTERS, [broken]))
    assert line[:3] == ["1 alone", "PostgreSQL", "TimeoutError"]


def test_databases_are_columns_of_what_is_stored():
    results = [{"database": "SQLite", "bare inserts": 6000, "posts": 2000}, {"database": "PostgreSQL", "problem": "x"}]
    assert shown(tables.written(results)) == [["bare inserts", "6,000", "–"], ["posts", "2,000", "–"]]


def test_presence_has_a_line_for_each_run():
    run = dict.fromkeys(tables.PRESENCE.values(), 0) | {"people": 3000, "churn": 50, "percent_of_a_core": 11.25}
    lines = shown(tables.presence([run | {"with": ""}, run | {"with": "presence,typing"}]))
    assert [(line[0].rpartition(": ")[2], line[4]) for line in lines] == [
        ("not asked for", "11.2"),
        ("asked for", "11.2"),
    ]


def test_presence_that_was_not_measured_says_why():
    assert shown(tables.presence([{"problem": "Traceback:\nTimeoutError"}]))[0][0] == "TimeoutError"


def test_figures_of_another_run_get_a_column_of_their_own():
    figures = [Figure("lost", 0, most=0), Figure("ratio", 0.5, least=0.7)]
    assert shown(tables.compared(figures, {})) == [
        ["lost", "0", "–", "0", "reached"],
        ["ratio", "0.5", "0.7", "–", "not reached"],
    ]
    assert shown(tables.compared(figures, {"ratio": 0.14})) == [
        ["lost", "–", "0", "–", "0", "reached"],
        ["ratio", "0.14", "0.5", "0.7", "–", "not reached"],
    ]
