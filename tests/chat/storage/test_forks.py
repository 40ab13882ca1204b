"""A process that forks while it uses the database, as a live test does."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Barrier

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction

from chat.models import Room
from chat.storage.database import in_database

ROUNDS = 5
TIMEOUT = 10  # seconds from one step of the two to the next
FORK = multiprocessing.get_context("fork")


def names() -> set[str]:
    return set(Room.objects.values_list("name", flat=True))


def take_turns(name: str, turn: Barrier) -> None:
    """Writes in turns with the other process, and sees what it has written."""
    for number in range(ROUNDS):
        for writer in ("child", "parent"):
            if writer == name:
                Room.objects.create(name=f"{name}{number}")
                if name == "parent":
                    connections.close_all()  # the last connection to a file tidies up after SQLite
            turn.wait(TIMEOUT)
            assert f"{writer}{number}" in names()
            turn.wait(TIMEOUT)


async def take_turns_through_the_loop(turn: Barrier) -> None:
    await in_database(take_turns, "child", turn)


def child(turn: Barrier) -> None:
    async_to_sync(take_turns_through_the_loop)(turn)


def fork() -> tuple[ForkProcess, Barrier]:
    turn = FORK.Barrier(2)
    process = FORK.Process(target=child, args=[turn], daemon=True)
    process.start()
    return process, turn


def assert_both_get_along(process: ForkProcess, turn: Barrier) -> None:
    take_turns("parent", turn)
    process.join(TIMEOUT)
    assert process.exitcode == 0
    assert len(names()) == 2 * ROUNDS
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.django_db(transaction=True)
def test_fork_with_an_open_connection_leaves_the_database_usable_in_both_processes() -> None:
    assert names() == set()

    assert_both_get_along(*fork())


@pytest.mark.django_db(transaction=True)
def test_fork_with_a_connection_in_another_thread_leaves_the_database_usable_in_both() -> None:
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(names).result() == set()

        assert_both_get_along(*fork())

        assert len(thread.submit(names).result()) == 2 * ROUNDS
        thread.submit(connections.close_all).result()


async def test_fork_gives_the_child_a_database_thread_of_its_own() -> None:
    assert await in_database(names) == set()  # asgiref's executor has its thread from here on

    await in_database(assert_both_get_along, *fork())


@pytest.mark.django_db
def test_fork_leaves_a_connection_in_a_transaction_alone() -> None:
    with transaction.atomic():
        Room.objects.create(name="unfinished")
        process = FORK.Process(target=int)
        process.start()
        process.join(TIMEOUT)
        assert names() == {"unfinished"}
