"""Reads the fields of a line that somebody else may have written."""

from datetime import UTC, datetime
from typing import Any

from chat.domain import names
from chat.domain.people import Person
from chat.domain.texts import is_storable
from chat.storage.transfer.errors import InvalidExport
from chat.storage.transfer.line_file import NumberedLine

ID_MAX = 100  # characters, as in the columns
PERSON_NAME_MAX = 150  # characters
OFFSET_MAX = 2**62


class Fields:
    """The fields of one line. Each method raises InvalidExport, with the line's number, for another value."""

    def __init__(self, line: NumberedLine, value: Any = None) -> None:
        self.number = line.number
        self._value = line.value if value is None else value

    def fail(self, problem: str) -> InvalidExport:
        return InvalidExport(problem, self.number)

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def text(self, name: str, longest: int, *, shortest: int = 0) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or not shortest <= len(value) <= longest or not is_storable(value):
            raise self.fail(f"“{name}” has to be a text of {shortest:,} to {longest:,} characters")
        return value

    def line_of_text(self, name: str, longest: int, *, shortest: int = 0) -> str:
        value = self.text(name, longest, shortest=shortest)
        if names.has_controls(value):
            raise self.fail(f"“{name}” has control characters in it")
        return value

    def one_of(self, name: str, values: frozenset[str]) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or value not in values:
            raise self.fail(f"“{name}” has to be one of {', '.join(sorted(values))}")
        return value

    def whole(self, name: str, lowest: int, highest: int = OFFSET_MAX) -> int:
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.fail(f"“{name}” has to be a whole number from {lowest:,} to {highest:,}")
        return value

    def switch(self, name: str) -> bool:
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise self.fail(f"“{name}” has to be true or false")
        return value

    def time(self, name: str) -> datetime:
        value = self._value.get(name)
        try:
            time = datetime.fromisoformat(value)  # type: ignore[arg-type]
            if time.tzinfo is not None and time.year >= 1970:
                return time.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            pass
        raise self.fail(f"“{name}” has to be a time since 1970, with its offset from UTC")

    def person(self, name: str) -> Person:
        """A person; they may have an empty name, as in bans."""
        value = self._value.get(name)
        if not isinstance(value, dict):
            raise self.fail(f"“{name}” has to be a person")
        inner = Fields(NumberedLine(self.number, {}), value)
        id = inner.line_of_text("id", ID_MAX, shortest=1)
        username = inner.line_of_text("username", PERSON_NAME_MAX) if inner.has("username") else None
        return Person(id=id, name=inner.line_of_text("name", PERSON_NAME_MAX), username=username)

    def each(self, name: str) -> list["Fields"]:
        """The objects of a list; none where it is missing."""
        value = self._value.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.fail(f"“{name}” has to be a list of objects")
        return [Fields(NumberedLine(self.number, {}), one) for one in value]

    def as_person(self) -> Person:
        """The person that this object is, as in `each`."""
        return Fields(NumberedLine(self.number, {}), {"person": self._value}).person("person")
