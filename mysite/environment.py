"""Variables of the environment that have a form: numbers, switches, networks."""

import ipaddress
import math
from collections.abc import Collection

import environ

ON = {"true", "on", "ok", "yes", "y", "1"}
OFF = {"false", "off", "no", "n", "0"}


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
        # Not the value, which may have a password in it.
        raise SystemExit(
            f"{name} can't be understood. It has to begin with {' or '.join(f'{one}://' for one in schemes)}."
        )


def _refusal(name: str, text: str, form: str) -> SystemExit:
    return SystemExit(f"{name} is {text!r}. It has to be {form}.")
