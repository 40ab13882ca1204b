"""Lines of entries that are read: what they say, checked, as rows for the log."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from chat.domain.emoji import clean_emoji
from chat.domain.events import Change, Kind, NewRole
from chat.domain.people import Person
from chat.domain.reactions import EMOJI_PER_MESSAGE, PEOPLE_NAMED, Reaction
from chat.domain.texts import CLIENT_ID_MAX, LINE_END, PICTURES
from chat.errors import InvalidEmoji
from chat.storage.transfer.entry_lines import ENTRY_TYPES, UNKNOWN
from chat.storage.transfer.fields import ID_MAX, Fields
from chat.storage.transfer.file_lines import FileLine, read_files

TEXT_MAX = 64_000  # characters; or CHAT_MESSAGE_MAX, where that is more
CHANGES = frozenset(change.value for change in Change)
ROLES = frozenset(role.value for role in NewRole)
TYPES = ENTRY_TYPES | {UNKNOWN}
TARGETING = frozenset({Kind.EDIT, Kind.DELETION, Kind.REACTION})


@dataclass(frozen=True, slots=True)
class GivenReaction:
    emoji: str
    person: Person
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """An entry as a line has it. `everybody` is None where the line doesn't say who reacts."""

    type: str
    offset: int
    id: str
    at: datetime
    person: Person | None = None
    text: str = ""
    client_id: str | None = None
    target: int | None = None
    reply_to: int | None = None
    mentions: tuple[Person, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    everybody: tuple[GivenReaction, ...] | None = None
    files: tuple[FileLine, ...] = ()
    subject: str = ""
    change: str = ""
    role: str = ""
    deleted: int | None = None


def read_entry(fields: Fields) -> EntryLine:
    """The entry of a line. Raises InvalidExport."""
    type = fields.one_of("type", TYPES)
    offset = fields.whole("offset", 1)
    id, at = fields.line_of_text("id", ID_MAX, shortest=1), fields.time("at")
    if type == UNKNOWN:
        return EntryLine(type=type, offset=offset, id=id, at=at)
    text = fields.text("text", max(TEXT_MAX, settings.CHAT_MESSAGE_MAX))
    return EntryLine(
        type=type,
        offset=offset,
        id=id,
        at=at,
        person=fields.person("person") if fields.has("person") else None,
        text=LINE_END.sub("\n", text).translate(PICTURES),
        client_id=fields.text("client_id", CLIENT_ID_MAX, shortest=1) if fields.has("client_id") else None,
        target=fields.whole("target", 1, offset - 1) if type in TARGETING else None,
        reply_to=fields.whole("reply_to", 1, offset - 1) if fields.has("reply_to") else None,
        mentions=tuple(one.as_person() for one in fields.each("mentions")),
        reactions=_reactions(fields) if type == Kind.REACTION else (),
        everybody=_everybody(fields) if type == Kind.REACTION and fields.has("everybody") else None,
        files=read_files(fields) if type == Kind.MESSAGE else (),
        subject=fields.line_of_text("subject", ID_MAX) if fields.has("subject") else "",
        change=fields.one_of("change", CHANGES) if fields.has("change") else "",
        role=fields.one_of("role", ROLES) if fields.has("role") else "",
        deleted=fields.whole("deleted", 1) if fields.has("deleted") else None,
    )


def _reactions(fields: Fields) -> tuple[Reaction, ...]:
    found = []
    for one in fields.each("reactions"):
        people = tuple(person.as_person() for person in one.each("people"))
        if len(people) > PEOPLE_NAMED:
            raise fields.fail(f"names more than {PEOPLE_NAMED} people of a reaction")
        found.append(Reaction(_emoji(one), one.whole("count", max(1, len(people))), people))
    _check_emoji(fields, [one.emoji for one in found])
    if len({one.emoji for one in found}) < len(found):
        raise fields.fail("has an emoji twice")
    return tuple(found)


def _everybody(fields: Fields) -> tuple[GivenReaction, ...]:
    given = tuple(GivenReaction(_emoji(one), one.person("person"), one.time("at")) for one in fields.each("everybody"))
    _check_emoji(fields, [one.emoji for one in given])
    if len({(one.emoji, one.person.id) for one in given}) < len(given):
        raise fields.fail("has somebody react twice with one emoji")
    return given


def _check_emoji(fields: Fields, emoji: list[str]) -> None:
    if len({*emoji}) > EMOJI_PER_MESSAGE:
        raise fields.fail(f"has more than {EMOJI_PER_MESSAGE} different reactions")


def _emoji(fields: Fields) -> str:
    try:
        return clean_emoji(fields.text("emoji", ID_MAX))
    except InvalidEmoji as error:
        raise fields.fail("“emoji” has to be one emoji") from error
