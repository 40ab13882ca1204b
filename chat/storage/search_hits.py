"""The parts of a search that both databases have in common."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db import connection

from chat.domain.people import Person
from chat.domain.rooms import DIRECT
from chat.domain.search import Phrase


@dataclass(frozen=True, slots=True)
class Asked:
    """A query whose names have been looked up: of each of `tags`, a message has to have one."""

    phrases: tuple[Phrase, ...]
    tags: tuple[tuple[str, ...], ...]
    person: Person
    before: datetime | None
    after: datetime | None
    has_file: bool
    closed: tuple[str, ...] = ()
    """Tags of rooms that the person may not read. There may be others: these spare the look at most hits in vain."""

    # As chat.storage.permissions has it. A direct room is private even if an older release made it otherwise.
    READABLE: ClassVar = f"""(
        (NOT room.is_private AND SUBSTR(room.name, 1, 1) <> '{DIRECT}' OR EXISTS (
            SELECT 1 FROM chat_roommember AS member WHERE member.room_id = room.id AND member.user_id = %s))
        AND (NOT room.restricted OR NOT EXISTS (
            SELECT 1 FROM chat_ban AS ban WHERE ban.room_id = room.id AND ban.person_id = %s))
    )"""

    @staticmethod
    def readable_values(person: Person) -> list[Any]:
        return [None if person.user_id is None else int(person.user_id), person.id]

    @property
    def days(self) -> tuple[str, list[Any]]:
        """The condition on a message's time, and its values."""
        conditions, values = [], []
        for time, sign in ((self.after, ">="), (self.before, "<")):
            if time is not None:
                conditions.append(f"AND message.sent_at {sign} %s")
                values.append(connection.ops.adapt_datetimefield_value(time))
        return " ".join(conditions), values
