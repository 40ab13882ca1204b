"""Logging in at a provider, and by a link in an e-mail, as somebody does it in a browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from chat.models import NotificationChoice
from tests import oidc_provider
from tests.browser.chromium import Chromium
from tests.browser.test_accessibility import show, violations
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.servers import Server

LINK = re.compile(r"http://\S+(/accounts/login/link/\S+)")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


def test_person_logs_in_at_the_provider_and_by_a_link_from_a_page_with_all_ways(
    start_servers: Callable[..., list[Server]], provider: Provider, browser: Chromium, tmp_path: Path
) -> None:
    (server,) = start_servers(
        1,
        CHAT_LOGIN_LINKS="true",
        EMAIL_URL=f"filemail:///{tmp_path}",
        CHAT_OIDC_ISSUER=provider.issuer,
        CHAT_OIDC_CLIENT_ID=CLIENT_ID,
        CHAT_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        CHAT_OIDC_NAME="Example",
    )
    login = f"http://{server.host}/accounts/login/?next=/chat/room1/"
    window = browser.open(login)
    for width in (360, 1200):
        show(window, width)
        assert violations(window) == []
        assert window.run("return document.documentElement.scrollWidth") <= width

    window.click("a.button", "Log in with Example")
    window.find(".account", "Zoë")
    assert window.url == f"http://{server.host}/chat/room1/"
    NotificationChoice.objects.create(user=User.objects.get(), email="zoe@example.org", is_confirmed=True)
    window.click(".account button", "Log out")
    window.find(".account", "Log in")

    window.go(login)
    window.type_into("[name=email]", "ZOE@example.org")
    window.click("button", "E-mail me a link")
    window.find("h1", "Look into your e-mail")
    assert violations(window) == []
    (mail,) = window.until(lambda: [file for file in tmp_path.iterdir() if LINK.search(file.read_text())], "the e-mail")
    path = LINK.search(mail.read_text()).group(1)  # type: ignore[union-attr]
    phone = browser.open(f"http://localhost:{server.port}{path}")  # another visitor
    phone.find("main", "as zoe in this browser")
    assert violations(phone) == []
    phone.click("main button", "Log in")
    phone.find(".account", "Zoë")
    assert phone.url == f"http://localhost:{server.port}/chat/room1/"
