"""Cursors: places in lists that are in the order of times, and of something else where these are the same."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from chat.domain.texts import is_storable
from chat.errors import InvalidPage

NO_CURSOR = _("There is no such cursor. Take one that came with a page.")


def cursor(at: datetime, rest: object) -> str:
    return f"{at.isoformat()} {rest}"


def read_cursor(given: str) -> tuple[datetime, str]:
    """The time and the rest that `cursor` was made of. Raises InvalidPage."""
    at, _separator, rest = given.partition(" ")
    try:
        time = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidPage(NO_CURSOR) from None
    if time.tzinfo is None or not is_storable(rest):
        raise InvalidPage(NO_CURSOR)
    return time, rest


def read_number(given: str) -> int:
    """A part of a cursor that is a number, 0 or more. Raises InvalidPage."""
    if given.isascii() and given.isdigit() and len(given) < 20 and int(given) < 2**63:
        return int(given)
    raise InvalidPage(NO_CURSOR)
