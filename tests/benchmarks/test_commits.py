"""Commits of many processes, one by one."""

import pytest

from benchmarks.commits import TOGETHER_MAX, Commits, Draft
from chat.actions import group_commit


def test_a_commit_takes_as_many_as_the_sites():
    assert TOGETHER_MAX == group_commit.TOGETHER_MAX


def ends(commits: Commits, drafts: list[Draft]) -> list[float]:
    return [pytest.approx(at) for at, _ in commits.run(drafts)]


def test_a_lone_draft_waits_for_its_commit_alone():
    commits = Commits(lanes=1, seconds=0.01)
    assert ends(commits, [Draft(1.0, 0, 0), Draft(2.0, 0, 0)]) == [1.01, 2.01]
    assert commits.waits == [pytest.approx(0.01), pytest.approx(0.01)]


def test_drafts_that_come_during_a_commit_share_the_next():
    commits = Commits(lanes=1, seconds=0.01)
    drafts = [Draft(0.0, 0, 0), Draft(0.002, 1, 0), Draft(0.004, 2, 0), Draft(0.009, 0, 0)]
    assert ends(commits, drafts) == [0.01, 0.02, 0.02, 0.02]
    assert commits.count == 2


def test_a_commit_takes_no_more_than_fits():
    commits = Commits(lanes=1, seconds=0.01)
    assert len(ends(commits, [Draft(0.0, room, 0) for room in range(2 * TOGETHER_MAX + 1)])) == 2 * TOGETHER_MAX + 1
    assert commits.count == 3  # the first draft alone, then two full ones


def test_rooms_of_other_lanes_do_not_wait():
    commits = Commits(lanes=2, seconds=0.01)
    assert ends(commits, [Draft(0.0, 0, 0), Draft(0.001, 1, 0)]) == [0.01, 0.011]


def test_other_processes_wait_for_a_room_and_not_for_others():
    commits = Commits(lanes=1, seconds=0.01)
    assert ends(commits, [Draft(0.0, 7, 0), Draft(0.001, 7, 1), Draft(0.001, 8, 2)]) == [0.01, 0.011, 0.02]
    assert commits.locked == {7: pytest.approx(0.02), 8: pytest.approx(0.01)}
