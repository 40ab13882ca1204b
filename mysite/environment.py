"""Variables of the environment that have a form: numbers, switches, networks."""

import ipaddress
import math
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import environ
from redis.connection import parse_url

ON = {"true", "on", "ok", "yes", "y", "1"}
OFF = {"false", "off", "no", "n", "0"}
POSTGRESQL_FORM = (
    "be of the form postgres://user:password@host:5432/name, with special characters of the password percent-encoded: "
    "@ is %40, / is %2F, # is %23, ? is %3F, % is %25"
)
HOST = r"(\[[\w:.%]+\]|[\w.%-]*)(:[0-9]*)?"
HOSTS = re.compile(f"{HOST}(,{HOST})*")
REDIS_SCHEMES = ["redis", "rediss", "unix"]


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """As environ.Env, with methods for values that have a form.

    Each ends the program by one line that names the variable if the value can't be understood, or makes no sense: a
    site doesn't start with a switch that is off because it was misspelt. An empty value is the default.
    """

    def switch(self, name: str, *, default: bool) -> bool:
        text = (self.str(name, default="").strip() or str(default)).lower()
        if text not in ON | OFF:
            raise _refusal(name, text, "true or false")
        return text in ON

    def number(self, name: str, *, default: int, least: int = 1) -> int:
        text = self.str(name, default="").strip() or str(default)
        try:
            number = int(text)
        except ValueError:
            raise _refusal(name, text, "a whole number") from None
        if number < least:
            raise _refusal(name, text, f"{least} or more")
        return number

    def seconds(self, name: str, *, default: float, least: float = 0.0) -> float:
        text = self.str(name, default="").strip() or str(default)
        try:
            seconds = float(text)
        except ValueError:
            raise _refusal(name, text, "a number of seconds") from None
        if not (math.isfinite(seconds) and seconds >= least):
            raise _refusal(name, text, f"{least:g} seconds or more")
        return seconds

    def choice(self, name: str, *, default: str, among: Collection[str]) -> str:
        text = self.str(name, default="").strip() or default
        if text not in among:
            raise _refusal(name, text, " or ".join(among))
        return text

    def networks(self, name: str, *, default: list[str]) -> list[str]:
        """Addresses, and networks like 10.0.0.0/8."""
        given: list[str] = self.list(name, default=[]) or default
        for text in given:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise _refusal(name, text, "addresses, and networks like 10.0.0.0/8") from None
        return given

    def url(self, name: str, *, default: str, schemes: Collection[str]) -> str:
        text = self.str(name, default="") or default
        scheme, separator, _ = text.partition("://")
        if not text or (separator and scheme in schemes):
            return text
        raise _url_refusal(name, _begins_with(schemes))

    def database(self, name: str, url: str) -> dict[str, Any]:
        """Django's settings of the database at that URL, which is the variable's value."""
        path = urlsplit(url.replace("#", "%23")).path
        try:
            if not url.startswith("sqlite") and "@" in path:  # a slash in the password, and so no part of the path
                raise ValueError
            found: dict[str, Any] = self.db_url_config(url)
        except ValueError:
            raise _url_refusal(name, POSTGRESQL_FORM) from None
        return found

    def redis_urls(self, name: str) -> list[str]:
        """Addresses of Redis servers, separated by commas. In a password, a comma may be written as it is."""
        urls = split_redis_urls(self.str(name, default=""))
        for number, url in enumerate(urls, 1):
            problem = problem_with_redis_url(url)
            if not problem and url in urls[: number - 1]:
                problem = "differ from the ones before it"
            if problem:
                raise _url_refusal(name, problem, f"Address {number} of {len(urls)}" if len(urls) > 1 else "It")
        return urls


def has_one_reading(url: str) -> bool:
    """Whether all programs agree where the password in it ends, since its special characters are percent-encoded.

    Otherwise one may take a part of the password for the host, and say so where it can't reach that.
    """
    place = url.partition("://")[2]
    authority = re.split("[/?#]", place, maxsplit=1)[0]
    credentials, at, host = authority.rpartition("@")
    rest = place[len(authority) :]
    if "@" in credentials or "@" in (rest.partition("?")[0] if at else rest):
        return False
    return not re.search("%(?![0-9A-Fa-f]{2})", authority) and bool(HOSTS.fullmatch(host))


def split_redis_urls(text: str) -> list[str]:
    text = text.strip(" ,")
    return [url.strip(" ,") for url in re.split(r",\s*(?=\w+://)", text)] if text else []


def problem_with_redis_url(url: str) -> str | None:
    """The rule that the address breaks, if it breaks one; without anything of the address in it."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in REDIS_SCHEMES:
        return _begins_with(REDIS_SCHEMES)
    if "," in url.rpartition("@")[2]:
        return "be one address: each of several begins with its scheme, and a comma within one is written %2C"
    try:
        parts = urlsplit(url)
        parse_url(url)
        if parts.port == 0 or (scheme != "unix" and "@" in parts.path + parts.query):
            raise ValueError
    except ValueError:
        return "be of the form redis://:password@host:6379/0, with special characters of the password percent-encoded"
    if scheme == "unix" and not parts.path:
        return "be of the form unix:///path/to/socket"
    return None


def _begins_with(schemes: Collection[str]) -> str:
    return f"begin with {' or '.join(f'{one}://' for one in schemes)}"


def _url_refusal(name: str, problem: str, subject: str = "It") -> SystemExit:
    """Without the value, which may have a password in it."""
    return SystemExit(f"{name} can't be understood. {subject} has to {problem}.")


def _refusal(name: str, text: str, form: str) -> SystemExit:
    return SystemExit(f"{name} is {text!r}. It has to be {form}.")
