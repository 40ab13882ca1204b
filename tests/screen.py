"""A client's view of a room, built from its events as docs/protocol.md says. Tests compare it with the database."""

from dataclasses import dataclass, replace
from typing import Any

from chat.domain.events import Event, Kind


@dataclass(frozen=True)
class Shown:
    """A client's view of a message. `quote` is the offset and the text of the message that it replies to."""

    text: str
    reactions: tuple[tuple[str, int], ...] = ()  # emoji and how many people
    quote: tuple[int, str] | None = None


class Screen(dict[int, Shown]):
    """The messages of a room, by offset, after all entries that were taken."""

    def take(
        self,
        kind: str,
        *,
        offset: int,
        target: int | None,
        text: str,
        reactions: tuple[tuple[str, int], ...] = (),
        quote: tuple[int, str] | None = None,
    ) -> None:
        match kind.lower():
            case Kind.MESSAGE:
                self[offset] = Shown(text, reactions, quote)
            case Kind.EDIT:
                self._set_text(target, text)
            case Kind.DELETION:
                self._set_text(target, "")
                self._change(target, reactions=())
            case Kind.REACTION:
                self._change(target, reactions=reactions)

    def take_event(self, event: Event) -> None:
        self.take(
            event.kind,
            offset=event.offset or 0,
            target=event.target,
            text=event.message,
            reactions=tuple((one.emoji, one.count) for one in event.reactions),
            quote=event.reply_to and (event.reply_to.offset, event.reply_to.message),
        )

    def take_frame(self, frame: dict[str, Any]) -> None:
        """A frame of the browser's socket."""
        quote = frame.get("reply_to")
        self.take(
            frame["kind"],
            offset=frame["offset"],
            target=frame.get("target"),
            text=frame["message"],
            reactions=_counts(frame.get("reactions", ())),
            quote=quote and (quote["offset"], quote["message"] or ""),
        )

    def take_node(self, node: dict[str, Any]) -> None:
        """A ChatRoomMessage: `kind offset target message reactions { emoji count } replyTo { offset message }`."""
        quote = node["replyTo"]
        self.take(
            node["kind"],
            offset=node["offset"],
            target=node["target"],
            text=node["message"],
            reactions=_counts(node["reactions"]),
            quote=quote and (quote["offset"], quote["message"]),
        )

    def kept(self, pruned_to: int) -> dict[int, Shown]:
        """The messages that the log still has; quotes of others are left out."""
        return {
            offset: replace(shown, quote=None) if shown.quote and shown.quote[0] <= pruned_to else shown
            for offset, shown in self.items()
            if offset > pruned_to
        }

    def _set_text(self, target: int | None, text: str) -> None:
        self._change(target, text=text)
        for offset, shown in self.items():
            if shown.quote is not None and shown.quote[0] == target:
                self[offset] = replace(shown, quote=(target, text))

    def _change(self, target: int | None, **fields: Any) -> None:
        if target in self:
            self[target] = replace(self[target], **fields)


def _counts(reactions: Any) -> tuple[tuple[str, int], ...]:
    return tuple((one["emoji"], one["count"]) for one in reactions)
