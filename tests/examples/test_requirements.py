"""The examples name the packages that they are tested with."""

import json
import re
from pathlib import Path

from tests import node
from tests.examples.programs import EXAMPLES
from tests.servers import ROOT


def test_requirements_of_python_are_those_of_the_tests() -> None:
    installed = (ROOT / "requirements-dev.txt").read_text().split()
    for file in EXAMPLES.glob("*/requirements.txt"):
        named = [re.sub(r"\[.*\]", "", line) for line in file.read_text().split()]
        assert [line for line in named if line not in installed] == [], file


def test_packages_of_node_are_those_of_the_tests() -> None:
    installed = packages(node.HERE)
    for file in EXAMPLES.glob("*/package-lock.json"):
        named = packages(file.parent)
        assert named
        assert {name: named[name] for name in named if named[name] != installed.get(name)} == {}, file


def packages(folder: Path) -> dict[str, str]:
    """The versions of what `npm ci --omit dev` installs in `folder`."""
    listed = json.loads((folder / "package-lock.json").read_text())["packages"]
    return {name: package["version"] for name, package in listed.items() if name and not package.get("dev")}
