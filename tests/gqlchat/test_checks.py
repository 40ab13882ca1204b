"""The checks of `manage.py check` about GraphQL."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from gqlchat.assets import ASSETS


@pytest.mark.parametrize("shown", [True, False])
def test_check_warns_of_missing_graphiql_files_only_when_its_page_is_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    settings.CHAT_GRAPHIQL = shown
    monkeypatch.setattr("gqlchat.assets.missing", lambda: list(ASSETS))
    assert ("gqlchat.W001" in [message.id for message in run_checks()]) is shown
