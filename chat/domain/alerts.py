"""Alerts: what a person is told of a room while they aren't looking, by Web Push or by e-mail.

Several messages of a room are one alert, which says how many there are and leads to the newest.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.domain.people import Person
from chat.domain.rooms import Room

TEXT_MAX = 300  # characters of a message's text


class Reason(StrEnum):
    """The reason why a person is told."""

    MENTION = "mention"  # a message mentions them, or the whole room
    DIRECT = "direct"  # it is a direct room
    EVERY = "every"  # they want to be told of every message there


@dataclass(frozen=True, slots=True)
class Alert:
    """The news of a room for `person`. `count` is how many messages they haven't read, for that reason.

    `author`, `text`, `offset` and `sent_at` are those of the newest. `display_name` is the room's, for that person.
    """

    person: Person
    room: Room
    display_name: str
    reason: Reason
    count: int
    author: str
    text: str
    offset: int
    sent_at: datetime

    @property
    def path(self) -> str:
        """The path of the address that leads to the message."""
        return f"{self.room.get_absolute_url()}?at={self.offset}"

    @property
    def title(self) -> str:
        """The first line: where it was said, or by whom, in a direct room of two."""
        return self.display_name

    def summary(self, *, with_text: bool) -> str:
        """The second line, in the language that is active; with the newest message's text, or with names only."""
        if with_text and self.text:
            said = f"{self.author}: {shortened(self.text)}"
            if self.count == 1:
                return said
            more = ngettext("{count} new message", "{count} new messages", self.count).format(count=self.count)
            return f"{said} ({more})"
        return self._told_by_names()

    def _told_by_names(self) -> str:
        if self.count == 1 and self.reason is Reason.MENTION:
            return _("{name} mentioned you").format(name=self.author)
        if self.count == 1:
            return _("{name} wrote a message").format(name=self.author)
        if self.reason is Reason.MENTION:
            told = _("{count} new mentions, the last one by {name}")
        else:
            told = _("{count} new messages, the last one by {name}")
        return told.format(count=self.count, name=self.author)


def shortened(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[: 2 * TEXT_MAX].split())
    return line if len(line) <= TEXT_MAX else f"{line[: TEXT_MAX - 1]}…"


def tag_of(room: Room) -> str:
    """The tag that all notifications of a room have in a browser, which shows one of a tag."""
    return f"room:{quote(room.name, safe='')}"
