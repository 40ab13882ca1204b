"""Statements about many pairs of a room and a person."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.models import RoomMember

PAIRS_PER_STATEMENT = 200  # of four values each; not every build of SQLite takes more than a thousand

Pair = tuple[Room, Person]


def read_pairs(statement: str, pairs: Iterable[Pair]) -> Iterator[tuple[Pair, tuple[Any, ...]]]:
    """The rows of `statement`, each with its pair, by one execution for some hundreds of pairs.

    Its `{pairs}` become the VALUES of a number, a room's name, a user's id and a person's id for each pair. The first
    column of its rows is the number; the others are returned.
    """
    distinct = list(dict.fromkeys(pairs))
    for first in range(0, len(distinct), PAIRS_PER_STATEMENT):
        some = distinct[first : first + PAIRS_PER_STATEMENT]
        for number, *row in _rows(statement, some):
            yield some[number], tuple(row)


def _rows(statement: str, pairs: list[Pair]) -> list[tuple[Any, ...]]:
    # The first pair names the types of all.
    user_id = RoomMember._meta.get_field("user").db_type(connection)
    typed = f"(CAST(%s AS integer), CAST(%s AS text), CAST(%s AS {user_id}), CAST(%s AS text))"
    values = ", ".join([typed, *["(%s, %s, %s, %s)"] * (len(pairs) - 1)])
    parameters = [
        value for number, (room, person) in enumerate(pairs) for value in (number, room.name, person.user_id, person.id)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=values), parameters)
        return list(cursor.fetchall())
