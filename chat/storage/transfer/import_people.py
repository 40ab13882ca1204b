"""The people of an export, on the site that takes it in.

Nobody gets the rights of an account here unless the operator says so.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chat.domain import people
from chat.domain.mentions import EVERYBODY
from chat.domain.people import USER, USER_ID, Person
from chat.storage import accounts
from chat.storage.transfer.checking import CheckedExport
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.site import site_id

FOREIGN = "import-"  # begins the ids of people who wrote on another site
FOREIGN_ID = re.compile(r"import-[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PeopleMap:
    """The people of an export, as they are here. `known` has ids here by those in the export; the others are foreign.

    With `same`, all ids stay as they are: it is an export of this very site.
    """

    site: str
    known: Mapping[str, str] = field(default_factory=dict)
    same: bool = False

    def id(self, id: str) -> str:
        if self.same or not id or FOREIGN_ID.fullmatch(id):
            return id
        return self.known.get(id) or FOREIGN + hashlib.sha256(f"{self.site}/{id}".encode()).hexdigest()[:16]

    def person(self, person: Person) -> Person:
        """The same person, by the name that they had then."""
        return replace(person, id=self.id(person.id))

    def called(self, person: Person) -> Person:
        """Somebody who is mentioned; that may be everybody."""
        return person if person.id == EVERYBODY.id else self.person(person)

    def user_id(self, person: Person) -> str | None:
        """The primary key of the account that the person has here, as a text; None if they have none."""
        id = self.id(person.id)
        return id.removeprefix(USER) if USER_ID.fullmatch(id) else None

    @property
    def key(self) -> str:
        """The same for the same people."""
        return json.dumps([self.same, *sorted(self.known.items())])


def same_people(export: CheckedExport) -> PeopleMap:
    """All are who they were. Raises TransferError for an export of another site."""
    if export.site != site_id():
        raise TransferError(
            "That is an export of another site, or of this one under another SECRET_KEY: its people aren’t this site’s."
        )
    return PeopleMap(export.site, same=True)


def foreign_people(export: CheckedExport) -> PeopleMap:
    """Nobody has an account here."""
    return PeopleMap(export.site)


def people_by_username(export: CheckedExport) -> PeopleMap:
    """Those who have the same user name here are taken for the same."""
    names = {id: person.username for id, person in export.people.items() if person.username is not None}
    return PeopleMap(export.site, _accounts(names))


def people_by_file(export: CheckedExport, path: Path) -> PeopleMap:
    """Those in a JSON object, which has user names here by ids or user names there. Raises TransferError."""
    try:
        given: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TransferError(f"{path} can’t be read as JSON: {error}") from error
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given.values()):
        raise TransferError(f"{path} has to be a JSON object with user names of this site as its values.")
    ids = {str(person.username): id for id, person in export.people.items() if person.username}
    names = {ids.get(str(there), str(there)): here for there, here in given.items()}
    found = _accounts(names)
    if missing := sorted({names[id] for id in names.keys() - found.keys()}):
        raise TransferError(f"Nobody has an account by the name of {', '.join(missing)}.")
    return PeopleMap(export.site, found)


def _accounts(names: Mapping[str, str]) -> dict[str, str]:
    """The ids of the people here who have the user names `names`, by the same keys. Raises TransferError."""
    if len({*names.values()}) < len(names):
        raise TransferError("Two people can’t become one: each needs a user name of their own.")
    found = accounts.users().filter(username__in={*names.values()})
    by_name = {user.get_username(): people.of_user(user).id for user in found}
    return {id: by_name[name] for id, name in names.items() if name in by_name}
