"""The person who is to be erased, and by which names they are known."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import GUEST_ID, USER_ID, Person
from chat.domain.texts import is_storable
from chat.errors import NoSuchPerson
from chat.models import Message
from chat.storage import accounts, notices

FOREIGN_ID = re.compile(r"import-[0-9a-f]{16}", re.ASCII)  # of a person who came with an import
SHORTEST = 2  # characters of a name that is looked for in notices
ERASED_ID = "erased"


@dataclass(frozen=True, slots=True)
class Traces:
    """How much there is of a person: messages that aren't deleted yet, and reactions."""

    messages: int
    reactions: int

    @property
    def total(self) -> int:
        return self.messages + self.reactions


def erased() -> Person:
    """Stands for all who were erased, wherever somebody has to be named."""
    return Person(id=ERASED_ID, name=notices.for_all(_("Erased person")))


def find(name_or_id: str) -> Person:
    """The user of that name, or the person with that id: `user-7`, `guest-4f…`, `import-4f…`. Raises NoSuchPerson.

    Guests go by their ids alone, since several may have one name.
    """
    user = accounts.users().filter(username=name_or_id).first() if is_storable(name_or_id) else None
    if user is None and USER_ID.fullmatch(name_or_id):
        user = accounts.users().filter(pk=name_or_id.removeprefix(people.USER)).first()
    if user is not None:
        return people.of_user(user)
    if any(pattern.fullmatch(name_or_id) for pattern in (USER_ID, GUEST_ID, FOREIGN_ID)):
        said = Message.objects.filter(person_id=name_or_id).order_by("-pk").values_list("person_name", flat=True)
        return Person(id=name_or_id, name=said.first() or "")
    raise NoSuchPerson(
        _("There is no account of that name, and no such id. Guests have ids like guest-0123456789abcdef.")
    )


def traces(person: Person) -> Traces:
    return Traces(
        messages=Message.objects.filter(person_id=person.id, kind="message", deletion=None).count(),
        reactions=models.MessageReaction.objects.filter(person_id=person.id).count(),
    )


def names_of(person: Person) -> list[str]:
    """All names by which the person is known, the longest first."""
    found: set[str] = {person.name, person.username or ""}
    found |= {*Message.objects.filter(person_id=person.id).order_by().values_list("person_name", flat=True).distinct()}
    reacted = models.MessageReaction.objects.filter(person_id=person.id).order_by()
    found |= {*reacted.values_list("person_name", flat=True).distinct()}
    return sorted((name for name in found if len(name) >= SHORTEST and name != erased().name), key=len, reverse=True)


def without_names(text: str, names: Iterable[str]) -> str:
    """The text of a notice, in which none of the names stands any more as a word of its own."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda found: erased().name, text)
    return text
