"""Variables of the environment that have a form: numbers, switches, networks."""

import difflib
import ipaddress
import math
import os
import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from redis.connection import parse_url

from chat.domain.rates import parse_rate

ON = {"true", "on", "ok", "yes", "y", "1"}
OFF = {"false", "off", "no", "n", "0"}
POSTGRESQL_FORM = (
    "be of the form postgres://user:password@host:5432/name, with special characters of the password percent-encoded: "
    "@ is %40, / is %2F, # is %23, ? is %3F, % is %25"
)
HOST = r"(\[[\w:.%]+\]|[\w.%-]*)(:[0-9]*)?"
HOSTS = re.compile(f"{HOST}(,{HOST})*")
REDIS_SCHEMES = ["redis", "rediss", "unix"]
HOST_NAME = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
# Variables that begin like the site's and are for others: the examples' bots, the tests, `manage.py setup`, and those
# that Kubernetes gives to containers where a service is called chat, or chat-something.
OTHERS = re.compile(
    r"CHAT_(TOKEN|URL|ROOM|POSITION|WEBHOOK_SECRET|SETUP_PASSWORD|TEST_RUN)"
    r"|CHAT_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """As environ.Env, with methods for values that have a form.

    Each ends the program by one line that names the variable if the value can't be understood, or makes no sense: a
    site doesn't start with a switch that is off because it was misspelt. An empty value is the default.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked_for: set[str] = set()

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        self._asked_for.add(var)
        return super().get_value(var, *args, **kwargs)

    def secret(self, name: str) -> str:
        """As it is: `str` takes a value like "$a1" for another variable's name."""
        self._asked_for.add(name)
        return str(self.ENVIRON.get(name, ""))

    def items(self, name: str, *, default: Iterable[str] = ()) -> list[str]:
        """The texts between the commas of a list."""
        given = [text.strip() for text in self.str(name, default="").split(",")]
        return [text for text in given if text] or [*default]

    def refuse_unknown(self, prefix: str) -> None:
        """Ends the program where a variable begins with `prefix`, has a value, and was never asked for."""
        known = {name.removeprefix(prefix): name for name in sorted(self._asked_for)}
        for name, value in sorted(self.ENVIRON.items()):
            if name.startswith(prefix) and value and name not in self._asked_for and not OTHERS.fullmatch(name):
                near = difflib.get_close_matches(name.removeprefix(prefix), known, n=1)
                hint = f"Is {known[near[0]]} meant?" if near else "docs/settings.md says what there is."
                raise SystemExit(f"{name} is no setting. {hint}")

    def switch(self, name: str, *, default: bool) -> bool:
        text = (self.str(name, default="").strip() or str(default)).lower()
        if text not in ON | OFF:
            raise _refusal(name, text, "true or false")
        return text in ON

    def number(self, name: str, *, default: int, least: int = 1, most: int = 10**15) -> int:
        text = self.str(name, default="").strip() or str(default)
        try:
            number = int(text)
        except ValueError:
            raise _refusal(name, text, "a whole number") from None
        if number < least:
            raise _refusal(name, text, f"{least} or more")
        if number > most:
            raise _refusal(name, text, f"{most} or less")
        return number

    def seconds(self, name: str, *, default: float, least: float = 0.0, most: float = 10**9) -> float:
        text = self.str(name, default="").strip() or str(default)
        try:
            seconds = float(text)
        except ValueError:
            raise _refusal(name, text, "a number of seconds") from None
        if not (math.isfinite(seconds) and seconds >= least):
            raise _refusal(name, text, f"{least:g} seconds or more")
        if seconds > most:
            raise _refusal(name, text, f"{most:.0f} or less")
        return seconds

    def choice(self, name: str, *, default: str, among: Collection[str]) -> str:
        text = self.str(name, default="").strip() or default
        if text not in among:
            raise _refusal(name, text, " or ".join(among))
        return text

    def rate(self, name: str, *, default: str) -> str:
        """A rate that `parse_rate` can read."""
        text = self.str(name, default="").strip() or default
        try:
            parse_rate(text)
        except ValueError:
            raise _refusal(name, text, "of the form 20/10s, 100/m or 1000/h") from None
        return text

    def networks(self, name: str, *, default: list[str], anybody: bool = False) -> list[str]:
        """Addresses, and networks like 10.0.0.0/8; `*` for all of them where `anybody` may be meant."""
        given = self.items(name, default=default)
        for text in given:
            if text == "*" and anybody:
                continue
            try:
                ipaddress.ip_network(text)
            except ValueError:
                form = "addresses, and networks like 10.0.0.0/8"
                raise _refusal(name, text, f"{form}, or *" if anybody else form) from None
        return given

    def hosts(self, name: str, *, default: list[str]) -> list[str]:
        """Names and addresses as in ALLOWED_HOSTS of Django."""
        given = self.items(name, default=default)
        for text in given:
            if not HOST_NAME.fullmatch(text):
                raise _refusal(name, text, "names alone, like chat.example.org, without scheme, port and path")
        return given

    def origins(self, name: str) -> list[str]:
        """Schemes, hosts and ports as in CSRF_TRUSTED_ORIGINS of Django."""
        given = self.items(name)
        for text in given:
            parts = split(text)
            if parts is None or parts.scheme not in {"http", "https"} or text != f"{parts.scheme}://{parts.netloc}":
                raise _refusal(name, text, "origins, like https://chat.example.org:8443, without a path")
        return given

    def url(self, name: str, *, default: str, schemes: Collection[str]) -> str:
        text = self.str(name, default="").strip() or default
        scheme, separator, _ = text.partition("://")
        if text and not (separator and scheme in schemes):
            raise _url_refusal(name, _begins_with(schemes))
        if text and scheme in {"http", "https"} and split(text) is None:
            raise _url_refusal(name, f"be of the form {scheme}://host.example.org, with a port if need be")
        return text

    def folder(self, name: str) -> str:
        """A folder that is there, and that the site can write to; empty if none is named."""
        given: str = self.str(name, default="").strip()
        if given and not os.access(given, os.W_OK | os.X_OK):
            raise _refusal(name, given, "a folder that the site can write to")
        return given

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


def split(url: str) -> SplitResult | None:
    """The parts of a URL that has a host, and a port that can be one if it has any; None if it isn't such a one."""
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 and not re.search(r"\s", url) else None
    except ValueError:
        return None


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
