"""The checks of `manage.py check` about the chat."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings


def said(settings: Settings, *, deploying: bool = False) -> list[str]:
    settings.SILENCED_SYSTEM_CHECKS = []
    return [message.id for message in run_checks(include_deployment_checks=deploying) if message.id.startswith("chat.")]


@pytest.mark.parametrize(
    ("limits", "debug", "ids"), [(True, False, []), (False, True, []), (False, False, ["chat.W001"])]
)
def test_check_warns_of_switched_off_limits_in_production(
    settings: Settings, limits: bool, debug: bool, ids: list[str]
) -> None:
    settings.CHAT_LIMITS, settings.DEBUG = limits, debug
    assert said(settings) == ids


@pytest.mark.parametrize(
    ("frame", "body", "ids"),
    [(16_120, 16_120, []), (16_119, 16_120, ["chat.W003"]), (100, 100, ["chat.W003", "chat.W003"])],
)
def test_check_warns_of_limits_below_the_longest_message(
    settings: Settings, frame: int, body: int, ids: list[str]
) -> None:
    settings.CHAT_LIMITS = True
    settings.CHAT_REQUEST_BYTES = 16_120
    settings.CHAT_FRAME_MAX, settings.CHAT_BODY_MAX = frame, body
    assert said(settings) == ids


@pytest.mark.parametrize(
    ("hosts", "debug", "ids"),
    [
        (["chat.example.org", ".example.org"], False, []),
        (["chat.example.org", "*"], False, ["chat.E002"]),
        (["*"], True, []),
    ],
)
def test_check_reports_any_allowed_host_in_production(
    settings: Settings, hosts: list[str], debug: bool, ids: list[str]
) -> None:
    settings.CHAT_LIMITS, settings.ALLOWED_HOSTS, settings.DEBUG = True, hosts, debug
    assert said(settings) == ids


def test_deployment_check_warns_of_trusting_every_proxy(settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.FORWARDED_ALLOW_IPS = True, ["*"]
    assert said(settings) == []
    assert said(settings, deploying=True) == ["chat.W002"]
    settings.FORWARDED_ALLOW_IPS = ["127.0.0.1"]
    assert said(settings, deploying=True) == []
