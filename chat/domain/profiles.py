"""Profiles: what users tell of themselves. The rules for each part, and the time where somebody is."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils.translation import gettext_lazy as _

from chat.domain import names
from chat.domain.avatars import avatar_path
from chat.domain.people import NAME_MAX, Person
from chat.domain.texts import is_storable
from chat.errors import InvalidName, InvalidProfile, grouped

ABOUT_MAX = 160  # characters


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's profile. A text is empty where they tell nothing; without a `display_name`, the username is shown."""

    person: Person
    display_name: str = ""
    about: str = ""
    time_zone: str = ""
    since: datetime | None = None
    """When the account was made, where Django knows that."""
    avatar: str = ""
    """The id of their picture's file; empty where they have none."""

    @property
    def avatar_path(self) -> str | None:
        """The path of the address of their picture; None where they have none."""
        return avatar_path(self.person.id, self.avatar) if self.avatar else None

    def local_time(self, now: datetime) -> datetime | None:
        """The time of theirs at `now`; None where the time zone isn't told, or isn't known here (any more)."""
        try:
            return now.astimezone(ZoneInfo(self.time_zone)) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """New texts of a profile, as `clean` leaves them; None leaves one as it is."""

    display_name: str | None = None
    about: str | None = None
    time_zone: str | None = None

    @classmethod
    def clean(cls, *, display_name: object = None, about: object = None, time_zone: object = None) -> "ProfileChange":
        """Raises InvalidName or InvalidProfile. It isn't looked at here whether somebody has the name already."""
        return cls(
            None if display_name is None else clean_display_name(display_name),
            None if about is None else clean_about(about),
            None if time_zone is None else clean_time_zone(time_zone),
        )


def clean_display_name(given: object) -> str:
    """The display name, or "" for none. Raises InvalidName."""
    if isinstance(given, str) and not given.strip():
        return ""
    name = names.clean(given, what=_("The display name"), longest=NAME_MAX)
    if names.is_call(name):
        raise InvalidName(_("A display name can’t begin with “@”, as mentions do."))
    if names.is_reserved(name):
        raise InvalidName(names.NO_NAME_OF_SITE)
    return name


def clean_about(given: object) -> str:
    """A line about oneself, or "". Raises InvalidProfile."""
    if not isinstance(given, str):
        raise InvalidProfile(_("The line about you has to be a text."))
    about = given.strip()
    if not about:
        return ""
    if len(about) > ABOUT_MAX:
        raise InvalidProfile(
            _("The line about you is too long: {length} characters, {longest} are allowed."),
            length=grouped(len(about)),
            longest=ABOUT_MAX,
        )
    if not is_storable(about) or names.has_controls(about):
        raise InvalidProfile(_("The line about you has line ends or control characters in it."))
    return about


def clean_time_zone(given: object) -> str:
    """The name that IANA gives a time zone, or "". Raises InvalidProfile."""
    if given == "" or (isinstance(given, str) and given in time_zones()):
        return str(given)
    raise InvalidProfile(_("There is no such time zone. Choose one like “Europe/Berlin”."))


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones that are known here."""
    return frozenset(available_timezones()) - {"Factory", "localtime"}


@cache
def offered_time_zones() -> tuple[str, ...]:
    """Those to choose from: UTC, and those that are called after a place."""
    return ("UTC", *sorted(name for name in time_zones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))))
