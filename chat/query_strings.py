"""Parameters in URLs, at the doors that aren't Django's.

Bytes that aren't UTF-8 are refused. Replaced by U+FFFD, different values would become the same one.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError


class InvalidQuery(ChatError):
    """The parameters in the URL can't be read, or one that is for one value has several."""

    code = "invalid_query"


def read_query(scope: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parameters in the URL of a connection, with their values. Raises InvalidQuery."""
    try:
        return parse_qs(scope["query_string"].decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidQuery(
            _("The parameters in the URL aren’t UTF-8: percent-encode them as UTF-8, like “%C3%A4” for “ä”.")
        ) from None


def only(query: Mapping[str, list[str]], key: str) -> str | None:
    """The value of a parameter; None where the URL has none. Raises InvalidQuery where it has several."""
    values = query.get(key, [])
    if len(values) > 1:
        raise InvalidQuery(_("The URL has several values for “{key}”: give one."), key=key)
    return values[0] if values else None
