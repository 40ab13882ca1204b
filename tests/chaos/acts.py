"""The acts of clients: they say something, edit, react, take that back, and delete."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from tests.screen import Screen

RECENT = 30  # messages at the end of a room with which something is done
REPLIES = 0.25  # of what is said
EMOJIS = ["👍", "❤️", "😂", "🎉", "👀", "🚀", "🔥", "😮", "🙏"]
FOR_ALL = "✅"  # of those who are somebody else each time


class Verb(Enum):
    SAY = auto()
    EDIT = auto()
    REACT = auto()
    DELETE = auto()


OFTEN = {Verb.SAY: 10, Verb.EDIT: 3, Verb.REACT: 4, Verb.DELETE: 1}


@dataclass
class Act:
    """Something done in a room. `target` is the offset of the message with which it is done, or which is replied to.

    A message, and an edit, has the act's id for its text.
    """

    room: str
    verb: Verb = Verb.SAY
    target: int | None = None
    emoji: str = ""
    on: bool = True


@dataclass
class Habits:
    """The habits of one client in its acts. `emoji` is its own; None for a client that is somebody else each time."""

    random: Random
    emoji: str | None

    def choose(self, room: str, screen: Screen, own: Collection[int], busy: Collection[int | None]) -> Act:
        """Something that can be done in the room. `own` are the client's messages; those in `busy` are left alone."""
        messages = [offset for offset in [*screen][-RECENT:] if screen[offset].text]
        free = [offset for offset in messages if offset not in busy]
        verb = self.random.choices([*OFTEN], [*OFTEN.values()])[0]
        if verb is Verb.REACT and free:
            target = self.random.choice(free)
            if self.emoji is None:
                return Act(room, verb, target, FOR_ALL)
            reacted = any(emoji == self.emoji for emoji, _ in screen[target].reactions)
            return Act(room, verb, target, self.emoji, not reacted)
        own_free = [offset for offset in free if offset in own]
        if verb in {Verb.EDIT, Verb.DELETE} and own_free:
            return Act(room, verb, self.random.choice(own_free))
        replies = messages and self.random.random() < REPLIES
        return Act(room, target=self.random.choice(messages) if replies else None)
