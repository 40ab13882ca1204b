"""Results of repetitions, put together."""

import pytest

from benchmarks.repeats import merged


def test_merged_has_medians_of_numbers_and_the_first_of_words():
    results = [{"per_s": one, "label": "x"} for one in (10, 30, 12.5)]
    assert merged(results) == {"per_s": 12.5, "label": "x"}


@pytest.mark.parametrize("key", ["lost", "doubled", "disordered", "closed", "turned_away", "posts_lost"])
def test_merged_has_the_sum_of_what_must_not_happen(key):
    assert merged([{key: 0}, {key: 2}, {key: 0}]) == {key: 2}


def test_merged_is_not_a_number_where_one_of_them_is_none():
    assert merged([{"all_back_s": 1.2}, {"all_back_s": None}, {"all_back_s": 1.3}]) == {"all_back_s": None}


def test_merged_keeps_the_first_error():
    assert merged([{"errors": []}, {"errors": ["b"]}, {"errors": ["c"]}]) == {"errors": ["b"]}


def test_merged_is_a_problem_where_one_of_them_is():
    assert merged([{"per_s": 1}, {"problem": "no server"}]) == {"problem": "no server"}
