"""What Node brings to the tests: other people's clients and audits. Here is how its packages get there."""

import shutil
from pathlib import Path

import pytest

from benchmarks.servers import install_node

HERE = Path(__file__).parent


def installed() -> Path:
    """This folder, with the packages that its lock file names. Skips the test where there is no Node."""
    if missing := [program for program in ("node", "npm") if not shutil.which(program)]:
        pytest.skip(f"no {' and no '.join(missing)} on this machine")
    problem = install_node(HERE)
    assert problem is None, problem
    return HERE
