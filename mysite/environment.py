"""Variables of the environment that have a form: numbers, switches, networks."""

import ipaddress
import math
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import environ
from redis.connection import parse_url

ON = {"true", "on", "ok", "yes", "y", "1"}
OFF = {"false", "off", "no", "n", "0"}
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

    def redis_urls(self, name: str) -> list[str]:
        """Addresses of Redis servers, separated by commas. In a password, a comma may be written as it is."""
        text = self.str(name, default="").strip(" ,")
        urls = [url.strip(" ,") for url in re.split(r",\s*(?=\w+://)", text)] if text else []
        for number, url in enumerate(urls, 1):
            problem = _problem_with_redis_url(url)
            if not problem and url in urls[: number - 1]:
                problem = "differ from the ones before it"
            if problem:
                raise _url_refusal(name, problem, f"Address {number} of {len(urls)}" if len(urls) > 1 else "It")
        return urls


def _problem_with_redis_url(url: str) -> str | None:
    """The rule that the address breaks, if it breaks one; without anything of the address in it."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in REDIS_SCHEMES:
        return _begins_with(REDIS_SCHEMES)
    if "," in url.rpartition("@")[2]:
        return "be one address: each of several begins with its scheme, and a comma within one is written %2C"
    try:
        parts = urlsplit(url)
        parse_url(url)
        if parts.port == 0:
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
