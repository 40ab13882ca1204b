"""What `manage.py check` says of GraphQL."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from gqlchat.assets import ASSETS


@pytest.mark.parametrize("shown", [True, False])
def test_files_of_graphiql_are_missed_where_its_page_is_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    settings.CHAT_GRAPHIQL = shown
    monkeypatch.setattr("gqlchat.assets.missing", lambda: list(ASSETS))
    assert ("gqlchat.W001" in [message.id for message in run_checks()]) is shown
