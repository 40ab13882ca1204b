"""The actions of people on a list, at whichever door: each is stored first, and then all who listen are told."""

from typing import Any

from chat.actions import rate_limits
from chat.delivery.publisher import publish
from chat.domain import rooms
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.texts import check_client_id, is_storable
from chat.storage.database import in_database
from chat.storage.history import check_offset
from tests.example_app import storage
from tests.example_app.lists import Contents, InvalidEntry, TodoEntry, TodoList

TEXT_MAX = 1000  # characters


def admit(person: Person, scope: Scope) -> None:
    """Lets guests in where the site takes any, and programs by a token of that scope for all of the site.

    Raises LoginRequired or InsufficientScope.
    """
    rooms.admit(person)
    person.require(scope)
    person.require_all_rooms()


async def show(todo: TodoList, *, person: Person) -> Contents:
    """Raises LoginRequired, InsufficientScope, RateLimited, NotShared or Unavailable."""
    admit(person, Scope.READ)
    await rate_limits.spend(person, on="todo_show")
    return await in_database(storage.contents, todo, person)


async def add(todo: TodoList, text: object, *, person: Person, client_id: object = None) -> TodoEntry:
    """Raises InvalidEntry or InvalidClientId, and as `_carry_out` does."""
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_MAX:
        raise InvalidEntry("A thing to do is a text of 1 to {most} characters.", most=TEXT_MAX)
    if not is_storable(text):
        raise InvalidEntry("The text has characters that no text can have.")
    return await _carry_out(todo, "added", person, client_id=check_client_id(client_id), text=text)


async def finish(todo: TodoList, target: object, *, person: Person) -> TodoEntry:
    """Raises InvalidEntry or InvalidPosition, and as `_carry_out` does."""
    return await _carry_out(todo, "done", person, target=check_offset(target))


async def share(todo: TodoList, person_id: str, *, person: Person) -> TodoEntry:
    """Raises as `_carry_out` does."""
    return await _carry_out(todo, "shared", person, subject=person_id)


async def unshare(todo: TodoList, person_id: str, *, person: Person) -> TodoEntry:
    """Raises as `_carry_out` does."""
    return await _carry_out(todo, "unshared", person, subject=person_id)


async def _carry_out(todo: TodoList, kind: str, person: Person, **fields: Any) -> TodoEntry:
    """Raises LoginRequired, InsufficientScope, RateLimited, NotShared or Unavailable."""
    admit(person, Scope.WRITE)
    await rate_limits.spend(person, on="todo")
    entry = await in_database(storage.append, todo=todo, kind=kind, person=person, **fields)
    await publish(entry)
    return entry
