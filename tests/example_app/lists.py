"""A to-do list: its log, and the entries of that. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from chat.delivery.entries import Entry
from chat.domain import names
from chat.domain.logs import group_of
from chat.domain.positions import Position
from chat.errors import ChatError, NotAMember

KINDS = {"added", "done", "shared", "unshared"}
NAME_MAX = 100  # characters


@dataclass(frozen=True)
class TodoList:
    """The log of a list, by the list's name."""

    name: str

    @property
    def group(self) -> str:
        return group_of("todo", self.name)


def find(name: object) -> TodoList:
    """The list that somebody names. Raises InvalidName."""
    return TodoList(names.clean(name, what="The name of a list", longest=NAME_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class TodoEntry(Entry):
    """Something was `added`; the thing at the offset `target` is `done`; or the list is `shared` with a person.

    `subject` is the id of the person with whom it is shared from then on, or is `unshared`.
    """

    text: str = ""
    by: str = ""
    target: int | None = None
    subject: str = ""
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """The things that are to be done, by their offsets, after the entry at `position` and before the next one."""

    things: Mapping[int, str]
    position: Position


class NotShared(NotAMember):
    """The list is shared with other people only."""

    code = "not_shared"


class InvalidEntry(ChatError):
    code = "invalid_entry"
