"""Slack's markup, as the Markdown that messages have here."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
TOKEN = re.compile(r"<([^<>\s][^<>\n]*)>")
BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
STRUCK = re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")


@dataclass(slots=True)
class Converted:
    """A text, and the ids of the users whom it calls."""

    text: str = ""
    called: list[str] = field(default_factory=list)


def convert(text: str, names: Mapping[str, str]) -> Converted:
    """The text of a Slack message as one of ours. `names` has what users are called, by their ids."""
    converted = Converted()

    def token(found: re.Match[str]) -> str:
        return _token(found[1], names, converted.called)

    pieces = [
        TOKEN.sub(lambda found: found[1].partition("|")[0], piece) if piece.startswith("`") else _styled(piece, token)
        for piece in CODE.split(text)
    ]
    converted.text = html.unescape("".join(pieces))
    return converted


def _styled(text: str, token: Callable[[re.Match[str]], str]) -> str:
    styled = STRUCK.sub(r"~~\1~~", BOLD.sub(r"**\1**", text))
    return TOKEN.sub(token, styled)


def _token(inner: str, names: Mapping[str, str], called: list[str]) -> str:
    """The part between < and >: somebody, a channel, a command, or a link; perhaps with a label after `|`."""
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        id = target[1:]
        if id in names:
            called.append(id)
        return f"@{names.get(id) or label or id}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        word = target[1:].partition("^")[0]
        return label or f"@{word}"
    address = target.removeprefix("mailto:")
    return address if not label or label in {address, target} or label in address else f"{label} ({address})"
