"""A Slack channel as the export of a room. The same channel is always the same export, so an import goes on."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from chat.domain.reactions import EMOJI_PER_MESSAGE, PEOPLE_NAMED
from chat.domain.texts import is_storable
from chat.storage.transfer.entry_rows import TEXT_MAX
from chat.storage.transfer.line_file import encoded
from chat.storage.transfer.room_export import FILE_NAME, VERSION
from chat.storage.transfer.slack import users
from chat.storage.transfer.slack.archive import Channel, Json
from chat.storage.transfer.slack.emoji_names import emoji_called
from chat.storage.transfer.slack.files import ArchivedFiles, FileCopies
from chat.storage.transfer.slack.mrkdwn import convert

IDS = uuid5(NAMESPACE_URL, "slack.com")
TIME = re.compile(r"([0-9]{1,11})\.([0-9]{6})")
SAID = {None, "bot_message", "me_message", "thread_broadcast", "reply_broadcast", "file_share", "file_comment"}
DELETED = "tombstone"  # a message that is gone, and has replies


class ChannelConversion:
    """The lines of one channel. `left_out` counts what can't be taken over, by what it is."""

    def __init__(
        self,
        channel: Channel,
        room_name: str,
        names: Mapping[str, str],
        archived: ArchivedFiles,
        left_out: Counter[str],
    ) -> None:
        self._channel = channel
        self._room_name = room_name
        self._names = names
        self._archived = archived
        self._left_out = left_out
        self._offsets: dict[str, int] = {}  # by Slack's times, which are its ids of messages
        self._last = 0

    def write(self, directory: Path, messages: Iterable[Json]) -> Path:
        """Writes the export into `directory`. Raises TransferError, StorageFull and OSError."""
        path = directory / FILE_NAME
        copies = FileCopies(self._archived, directory, self._left_out)
        with path.open("wb") as file:
            for line in self._lines(messages, copies):
                file.write(encoded(line))
        return path

    def _lines(self, messages: Iterable[Json], copies: FileCopies) -> Iterator[Json]:
        yield {"type": "room-export", "version": VERSION, "site": users.SITE, "room": self._room_name}
        for message in messages:
            yield from self._entries(message, copies)
        for id in dict.fromkeys(self._channel.members):
            role = "owner" if id == self._channel.creator else "member"
            yield {"type": "member", "person": self._person(id), "role": role}
        yield {"type": "settings", "private": self._channel.private, "read_only": False, "slow_mode": 0}
        yield {"type": "end", "first": 1, "last": self._last}

    def _entries(self, message: Json, copies: FileCopies) -> Iterator[Json]:
        """A message, and what has been done to it since."""
        ts, subtype = message.get("ts"), message.get("subtype")
        at = time_of(ts)
        if at is None or not (subtype is None or isinstance(subtype, str)) or subtype not in {*SAID, DELETED}:
            self._left_out["notices, such as who joined" if at else "messages without a time"] += 1
            return
        if ts in self._offsets:
            return  # a reply that was also sent to the channel
        line = self._message(message, str(ts), at, copies)
        if line is None:
            self._left_out["messages without a text"] += 1
            return
        yield line
        offset = self._offsets[str(ts)] = line["offset"]
        if subtype == DELETED:
            deletion = self._entry("deletion", f"{ts}/deleted", at, None)
            line["deleted"] = deletion["offset"]
            yield deletion | {"target": offset, "text": "A message was deleted."}
            return
        edited = message.get("edited")
        edited_at = time_of(edited.get("ts")) if isinstance(edited, dict) else None
        if edited_at and line["text"]:
            yield self._entry("edit", f"{ts}/edited", edited_at, line["person"]) | {
                "target": offset,
                "text": line["text"],
                **({"mentions": line["mentions"]} if "mentions" in line else {}),
            }
        if everybody := self._everybody(message, at):
            yield self._reaction(f"{ts}/reactions", at, offset, everybody)

    def _message(self, message: Json, ts: str, at: datetime, copies: FileCopies) -> Json | None:
        """The line of the message; None if it has nothing that could be shown."""
        is_deleted = message.get("subtype") == DELETED
        files = copies.take([] if is_deleted else objects(message, "files"), f"{self._channel.id}/{ts}")
        converted = convert(_text_of(message, files.named), self._names)
        if not is_deleted and not files.lines and not converted.text.strip():
            return None
        line = self._entry("message", ts, at, self._author(message))
        line["text"] = "" if is_deleted else converted.text[:TEXT_MAX]
        parent = self._offsets.get(str(message.get("thread_ts")))
        if parent is not None and message.get("thread_ts") != ts:
            line["reply_to"] = parent
        if converted.called and not is_deleted:
            line["mentions"] = [self._person(id) for id in dict.fromkeys(converted.called)]
        return line | {"files": files.lines} if files.lines else line

    def _entry(self, type: str, key: str, at: datetime, person: Json | None) -> Json:
        self._last += 1
        id = uuid5(IDS, f"{self._channel.id}/{key}").hex
        return {"type": type, "offset": self._last, "id": id, "at": at.isoformat(), "person": person}

    def _author(self, message: Json) -> Json:
        id = message.get("user")
        if isinstance(id, str) and id in self._names:
            return self._person(id)
        profile = message.get("bot_profile")
        names = [message.get("username"), profile.get("name") if isinstance(profile, dict) else None]
        name = next((name for name in names if isinstance(name, str) and name.strip()), users.UNKNOWN)
        known = next((one for one in (id, message.get("bot_id")) if isinstance(one, str) and one), "nobody")
        return {"id": users.clean(known)[:100], "name": users.clean(name)}

    def _person(self, id: str) -> Json:
        return {"id": users.clean(id)[:100], "name": self._names.get(id, users.UNKNOWN)}

    def _everybody(self, message: Json, at: datetime) -> list[Json]:
        """The people who react to the message, and their emoji, each once."""
        found: dict[tuple[str, str], Json] = {}
        for reaction in message.get("reactions") or () if isinstance(message.get("reactions"), list) else ():
            name = reaction.get("name") if isinstance(reaction, dict) else None
            emoji = emoji_called(name) if isinstance(name, str) else None
            known = {emoji for emoji, _ in found}
            if emoji is None or (emoji not in known and len(known) >= EMOJI_PER_MESSAGE):
                self._left_out["reactions with emoji that aren’t known here"] += 1
                continue
            for id in reaction.get("users") or ():
                if isinstance(id, str):
                    found[emoji, id] = {"emoji": emoji, "person": self._person(id), "at": at.isoformat()}
        return list(found.values())

    def _reaction(self, key: str, at: datetime, target: int, everybody: list[Json]) -> Json:
        by_emoji: dict[str, list[Json]] = {}
        for one in everybody:
            by_emoji.setdefault(one["emoji"], []).append(one["person"])
        state = [
            {"emoji": emoji, "count": len(people), "people": people[:PEOPLE_NAMED]}
            for emoji, people in by_emoji.items()
        ]
        line = self._entry("reaction", key, at, everybody[-1]["person"])
        text = f"{everybody[-1]['person']['name']} reacted."
        return line | {"target": target, "text": text, "reactions": state, "everybody": everybody}


def time_of(ts: object) -> datetime | None:
    """The time of one of Slack's, such as `1512085950.000216`."""
    found = TIME.fullmatch(ts) if isinstance(ts, str) else None
    if found is None:
        return None
    return datetime.fromtimestamp(int(found[1]), UTC).replace(microsecond=int(found[2]))


def objects(message: Json, key: str) -> list[Json]:
    """The objects of a list in the message; none where it has something else there."""
    value = message.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text_of(message: Json, files: Iterable[str]) -> str:
    """The text of the message; with the texts of what programs attach, and the names of `files`."""
    texts = [message.get("text")]
    if not message.get("text"):
        texts += [one.get("text") or one.get("fallback") for one in objects(message, "attachments")]
    texts += [f"📎 {name}" for name in files]
    said = "\n".join(text for text in texts if isinstance(text, str) and text)
    return said if is_storable(said) else said.encode("utf-8", "replace").decode().replace("\0", "")
