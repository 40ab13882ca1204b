"""How long other hosts ask to be left alone."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone


def asked_delay(retry_after: str, *, most: timedelta) -> timedelta:
    """The delay that a header Retry-After asks for: a number of seconds, or a date; no longer than `most`."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=int(retry_after[:9])), most)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return timedelta()
    if until.tzinfo is None:
        return timedelta()
    return min(max(until - timezone.now(), timedelta()), most)
