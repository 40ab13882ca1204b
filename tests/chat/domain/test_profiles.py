"""The texts that a profile may have."""

from datetime import UTC, datetime

import pytest

from chat.domain import people
from chat.domain.people import Person
from chat.domain.profiles import ABOUT_MAX, Profile, ProfileChange, offered_time_zones
from chat.errors import InvalidName, InvalidProfile

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ann", "Ann"),
        ("  Ann Hunt ", "Ann Hunt"),
        ("", ""),
        (" \n", ""),
        ("Zoe\u0301", "Zoé"),
        ("北京", "北京"),
        ("👩🏽‍🚀 Ann", "👩🏽‍🚀 Ann"),
        ("x" * people.NAME_MAX, "x" * people.NAME_MAX),
        ("Roomy", "Roomy"),
    ],
)
def test_display_name_is_cleaned_like_other_names(given: str, kept: str) -> None:
    assert ProfileChange.clean(display_name=given) == ProfileChange(display_name=kept)


@pytest.mark.parametrize(
    "given",
    [
        *(3, [], {}, b"Ann", True),
        *("x" * 41, "a\nb", "a\0b", "\ud800", "a\u202eb", "a\u2028b", "\u2800", "\u3164"),
        *("@ann", "＠ann", " @x"),
        *("You", "ADMIN", "аdmin", "The site", "Moderator"),
        *("room", "Room", "r00m", "here", "HERE", "hеre", "all", "everyone", "every body", "channel"),
    ],
)
def test_display_name_that_no_one_may_have_is_refused(given: object) -> None:
    with pytest.raises(InvalidName):
        ProfileChange.clean(display_name=given)


@pytest.mark.parametrize(
    ("given", "kept"), [("she/her", "she/her"), (" x ", "x"), ("", ""), (" ", ""), ("é" * ABOUT_MAX, "é" * ABOUT_MAX)]
)
def test_line_about_oneself_is_kept(given: str, kept: str) -> None:
    assert ProfileChange.clean(about=given) == ProfileChange(about=kept)


@pytest.mark.parametrize(
    "given", [3, [], "x" * (ABOUT_MAX + 1), "a\nb", "a\rb", "a\0b", "a\x1bb", "a\ud800", "a\u2028b"]
)
def test_line_about_oneself_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InvalidProfile):
        ProfileChange.clean(about=given)


@pytest.mark.parametrize("given", ["", "UTC", "Europe/Berlin", "Asia/Kolkata", "America/Argentina/Ushuaia"])
def test_time_zone_is_one_of_ianas_or_none(given: str) -> None:
    assert ProfileChange.clean(time_zone=given) == ProfileChange(time_zone=given)


@pytest.mark.parametrize(
    "given", [3, [], "Berlin", "europe/berlin ", "../UTC", "/etc/passwd", "Europe/Berlin\0", "x" * 500, "Europe", " "]
)
def test_time_zone_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InvalidProfile):
        ProfileChange.clean(time_zone=given)


@pytest.mark.parametrize(
    ("time_zone", "time"),
    [("Europe/Berlin", "14:00"), ("UTC", "12:00"), ("Asia/Kolkata", "17:30"), ("", None), ("Moon/Crater", None)],
)
def test_local_time_is_theirs_where_the_time_zone_is_known(time_zone: str, time: str | None) -> None:
    found = Profile(Person(id="user-1", name="ann"), time_zone=time_zone).local_time(NOON)
    assert (found and f"{found:%H:%M}") == time


def test_offered_time_zones_are_allowed() -> None:
    assert len(offered_time_zones()) > 300
    for zone in offered_time_zones():
        ProfileChange.clean(time_zone=zone)
