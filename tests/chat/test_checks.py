"""What `manage.py check` says of the chat."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings


def said(settings: Settings) -> list[str]:
    settings.SILENCED_SYSTEM_CHECKS = []
    return [message.id for message in run_checks() if message.id.startswith("chat.")]


@pytest.mark.parametrize(
    ("limits", "debug", "ids"), [(True, False, []), (False, True, []), (False, False, ["chat.W001"])]
)
def test_a_site_without_limits_is_warned_of_in_production(
    settings: Settings, limits: bool, debug: bool, ids: list[str]
) -> None:
    settings.CHAT_LIMITS, settings.DEBUG = limits, debug
    assert said(settings) == ids


def test_a_rate_that_is_none_is_an_error(settings: Settings) -> None:
    settings.CHAT_LIMITS = True
    settings.CHAT_RATE_PERSON = "20 a minute"
    assert said(settings) == ["chat.E001"]
