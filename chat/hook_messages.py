"""The bodies of incoming webhooks: `{"text": …}`, plain text, and the forms of Slack's incoming webhooks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.utils.http import parse_header_parameters
from django.utils.translation import gettext_lazy as _

from chat.hook_errors import InvalidHook, UnknownHookType
from chat.storage.transfer.slack import mrkdwn

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain"
CHARSET_SHOWN = 30  # characters
TYPE_MAX = 200  # characters of a Content-Type that are read: long ones take Django long
FIELDS_MAX = 10  # of a form
DEPTH_MAX = 20  # of blocks within blocks; what is deeper is left out
MARKED = "mrkdwn"  # Slack's name for a text with its markup

BYTE_ORDER_MARK = "\ufeff"  # some programs put it before their UTF-8

CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1"}  # of plain text

NO_MESSAGE = _("This is no message: send JSON with a “text”, or what Slack’s incoming webhooks take.")


@dataclass(frozen=True, slots=True)
class HookMessage:
    """A text in this site's Markdown, and the name under which it is to be said, if the sender gives one."""

    text: str
    username: str | None = None


def read(content_type: str, body: bytes) -> HookMessage:
    """Raises UnknownHookType or InvalidHook."""
    kind, parameters = parse_header_parameters(content_type[:TYPE_MAX])
    if kind == JSON:
        return _of_json(_decoded(body))
    if kind == TEXT:
        return HookMessage(_decoded(body, parameters.get("charset", "utf-8")))
    if kind == FORM:
        return _of_form(_decoded(body))
    raise UnknownHookType(
        _("Send JSON, a form or plain text, and say so by “Content-Type”: {json}, {form} or {plain}."),
        json=JSON,
        form=FORM,
        plain=TEXT,
    )


def _decoded(body: bytes, charset: str = "utf-8") -> str:
    if charset.lower() not in CHARSETS:
        raise UnknownHookType(
            _("Plain text is taken in the charsets UTF-8, ISO-8859-1 and US-ASCII, and not in “{charset}”."),
            charset=charset[:CHARSET_SHOWN],
        )
    try:
        return body.decode(charset).removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise InvalidHook(_("The body isn’t in the charset {charset}."), charset=charset.upper()) from None


def _of_form(text: str) -> HookMessage:
    """Slack's form has JSON in its field `payload`; ours, the text in `text`. Some send JSON and call it a form."""
    if text.lstrip().startswith("{"):
        return _of_json(text)
    try:
        fields = parse_qs(text, max_num_fields=FIELDS_MAX, errors="strict")
    except UnicodeDecodeError:
        raise InvalidHook(
            _("The fields of the form aren’t UTF-8: percent-encode them as UTF-8, like “%C3%A4” for “ä”.")
        ) from None
    except ValueError:
        raise InvalidHook(_("The form has more than {most} fields."), most=FIELDS_MAX) from None
    if "payload" in fields:
        return _of_json(fields["payload"][-1], of_slack=True)
    if "text" in fields:
        return HookMessage(fields["text"][-1], fields.get("username", [None])[-1])
    raise InvalidHook(_("The form has neither a field “text” nor Slack’s “payload”."))


def _of_json(text: str, *, of_slack: bool = False) -> HookMessage:
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidHook(
            _("This isn’t JSON: {problem} (line {line}, character {character})."),
            problem=error.msg,
            line=error.lineno,
            character=error.colno,
        ) from None
    except (ValueError, RecursionError):
        raise InvalidHook(_("This JSON can’t be read: it is nested too deeply, or has too long a number.")) from None
    if not isinstance(given, dict):
        raise InvalidHook(_("This is JSON, but no object: send an object with a “text”."))
    if of_slack or "blocks" in given or "attachments" in given:
        said = "\n\n".join(_parts_of_slack(given))
    else:
        said = _checked(given, "text")
    if not said.strip():
        raise InvalidHook(NO_MESSAGE)
    return HookMessage(said, _text(_checked(given, "username")))


def _checked(given: dict[str, Any], key: str) -> str:
    """The text of that key; empty if there is none, or null."""
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidHook(_("“{key}” has to be a text."), key=key)
    return value or ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _parts_of_slack(given: dict[str, Any]) -> Iterator[str]:
    """As Slack shows it: where blocks say something, `text` only stands for them where they can't be shown."""
    blocks = list(_blocks(given.get("blocks")))
    text = _text(given.get("text"))
    if blocks:
        yield from blocks
    elif text:
        yield convert(text)
    attachments = given.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict) and (said := _of_attachment(attachment)):
            yield said


def _of_attachment(attachment: dict[str, Any]) -> str:
    """Its fallback, which says it all in one; else its blocks, or its title and texts."""
    if fallback := _text(attachment.get("fallback")):
        return convert(fallback)
    parts = list(_blocks(attachment.get("blocks")))
    parts += [convert(text) for key in ("pretext", "title", "text") if (text := _text(attachment.get(key)))]
    return "\n".join(parts)


def _blocks(blocks: object) -> Iterator[str]:
    for block in blocks if isinstance(blocks, list) else ():
        match block:
            case {"type": "rich_text", "elements": list(elements)}:
                said = "\n".join(filter(None, (_rich(element) for element in elements)))
            case {"type": "context", "elements": list(elements)}:
                said = " ".join(filter(None, map(_of_text, elements)))
            case {"type": "markdown", "text": str(text)}:
                said = text
            case {"type": "image", "alt_text": str(text)}:
                said = text
            case dict():
                fields = block.get("fields")
                texts = [block.get("text"), *(fields if isinstance(fields, list) else ())]
                said = "\n".join(filter(None, map(_of_text, texts)))
            case _:
                said = ""
        if said.strip():
            yield said


def convert(text: str) -> str:
    """Slack's markup as Markdown. Nobody here is known by Slack's ids."""
    return mrkdwn.convert(text, {}).text


def _of_text(value: object) -> str:
    """Of Slack's text object: `{"type": "mrkdwn" or "plain_text", "text": …}`."""
    match value:
        case {"type": kind, "text": str(text)}:
            return convert(text) if kind == MARKED else text
    return ""


def _rich(element: object, depth: int = 0) -> str:
    """The text of a part of a rich text, without its styles."""
    match element:
        case {"type": "rich_text_list", "elements": list(items)} if depth < DEPTH_MAX:
            return "\n".join(f"- {_rich(item, depth + 1)}" for item in items)
        case {"type": "rich_text_preformatted", "elements": list(parts)} if depth < DEPTH_MAX:
            return "```\n" + "".join(_rich(part, depth + 1) for part in parts) + "\n```"
        case {"elements": list(parts)} if depth < DEPTH_MAX:
            return "".join(_rich(part, depth + 1) for part in parts)
        case {"type": "link", "url": str(url), **others}:
            text = others.get("text")
            return f"{text} ({url})" if isinstance(text, str) and text and text not in url else url
        case {"text": str(text)}:
            return text
        case {"type": "emoji", "name": str(name)}:
            return f":{name}:"
        case {"type": "broadcast", "range": str(word)}:
            return f"@{word}"
    return ""
