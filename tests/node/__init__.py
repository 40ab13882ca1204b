"""Installs the Node packages of the tests: other people's clients and audits."""

import fcntl
from pathlib import Path

import pytest

from setup.node import IN_VENV, ROOT, InstallError, install_packages, provide

HERE = Path(__file__).parent


def installed() -> Path:
    """This folder, with the packages that its lock file names."""
    with (ROOT / "var" / "tests-node.lock").open("w") as lock:  # workers would install into each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            install_packages(provide(IN_VENV), HERE)
        except InstallError as error:
            pytest.fail(str(error), pytrace=False)
    return HERE
