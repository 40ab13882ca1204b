"""The examples are tested with the packages that they name."""

import re

import pytest

from tests.examples.programs import EXAMPLES
from tests.servers import ROOT


@pytest.mark.parametrize("folder", ["python"])
def test_requirements_of_python_are_those_of_the_tests(folder: str) -> None:
    named = (EXAMPLES / folder / "requirements.txt").read_text().split()
    installed = (ROOT / "requirements-dev.txt").read_text().split()
    assert named
    assert [re.sub(r"\[.*\]", "", line) for line in named if re.sub(r"\[.*\]", "", line) not in installed] == []
