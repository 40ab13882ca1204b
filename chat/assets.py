"""Files of other people's that pages need beside our own, and that aren't in the repository.

Taken from npm packages and served by us, they work without the internet. `make assets` puts them into static/vendor.
Nothing of Django is needed here: they are installed before there is a SECRET_KEY.
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

STATIC_DIR = Path(__file__).resolve().parent.parent / "static"


@dataclass(frozen=True)
class Asset:
    """One file of an npm package; `path` is its place in the package, `integrity` as in HTML's `integrity=`."""

    package: str
    version: str
    path: str
    integrity: str

    @property
    def static_path(self) -> str:
        """The path that `{% static %}` takes. It has the version, so that an upgrade is never answered from a cache."""
        return f"vendor/{self.package}@{self.version}/{self.path}"

    @property
    def file(self) -> Path:
        """Where the installed file is."""
        return STATIC_DIR / self.static_path

    @property
    def is_installed(self) -> bool:
        return self.file.is_file() and self.matches(self.file.read_bytes())

    def matches(self, content: bytes) -> bool:
        """Whether `content` is the file we pinned, byte for byte."""
        return self.integrity == "sha384-" + b64encode(hashlib.sha384(content).digest()).decode()


EMOJI = {
    language: Asset("emoji-picker-element-data", "1.8.0", f"{language}/cldr/data.json", integrity)
    for language, integrity in {
        "en": "sha384-nvHNt9oWhHfTtgHIF8e1e2BdErIrZZLwiwU/Qj2znUSMV1l3IIpoyuXPy5EmR6rG",
        "de": "sha384-KWvx7VhJg6LRift3Z7YWlVliiC0Vahn9PuHSKtmjdhkMw99UfpnDztGbH/ChsBVH",
    }.items()
}
"""All emoji for the page's picker, by language: in groups, with names and words to search for by Unicode's CLDR."""
