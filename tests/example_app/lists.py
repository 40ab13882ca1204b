"""A to-do list: its log, and the entries of that. No I/O."""

from dataclasses import dataclass

from chat.delivery.entries import Entry
from chat.domain.logs import group_of
from chat.errors import ChatError, NotAMember

KINDS = {"added", "done", "shared", "unshared"}


@dataclass(frozen=True)
class TodoList:
    """The log of a list, by the list's name."""

    name: str

    @property
    def group(self) -> str:
        return group_of("todo", self.name)


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


class NotShared(NotAMember):
    """The list is shared with other people only."""

    code = "not_shared"


class InvalidEntry(ChatError):
    code = "invalid_entry"
