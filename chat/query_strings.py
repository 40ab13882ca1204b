"""Parameters and names in URLs, at the doors that aren't Django's.

Values that aren't UTF-8 are refused. Replaced by U+FFFD, different ones would become the same. Parameters that nobody
asks for may be anything.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError


class InvalidQuery(ChatError):
    """The path or a parameter of the URL can't be read, or there are several values where it is for one."""

    code = "invalid_query"


def read_query(scope: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parameters in the URL of a connection, for `only` and `last`."""
    given = scope["query_string"].decode(errors="surrogateescape")
    return parse_qs(given, keep_blank_values=True, errors="surrogateescape")


def check_path(scope: Mapping[str, Any]) -> None:
    """Raises InvalidQuery for a path that isn't UTF-8: of such, servers make another one, with U+FFFD in it."""
    try:
        unquote_to_bytes(scope.get("raw_path") or b"").decode()
    except UnicodeDecodeError:
        raise InvalidQuery(
            _("The path in the URL isn’t UTF-8: percent-encode it as UTF-8, like “%C3%A4” for “ä”.")
        ) from None


def last(query: Mapping[str, list[str]], key: str) -> str | None:
    """The last value of a parameter; None where the URL has none. Raises InvalidQuery."""
    values = query.get(key)
    return _checked(values[-1]) if values else None


def only(query: Mapping[str, list[str]], key: str) -> str | None:
    """The value of a parameter; None where the URL has none. Raises InvalidQuery where it has several."""
    values = query.get(key, [])
    if len(values) > 1:
        raise InvalidQuery(_("The URL has several values for “{key}”: give one."), key=key)
    return _checked(values[0]) if values else None


def _checked(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidQuery(
            _("The parameters in the URL aren’t UTF-8: percent-encode them as UTF-8, like “%C3%A4” for “ä”.")
        ) from None
    return value
