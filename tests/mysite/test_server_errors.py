"""The page for errors that are not the client's."""

from unittest import mock

import pytest
from django.db import Error, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.test import Client

from chat.domain.people import SESSION_KEY
from chat.errors import Unavailable

READING = "chat.storage.pages.pages"
SAVING = "django.contrib.sessions.backends.db.SessionStore.save"
AUTHENTICATING = "django.contrib.auth.get_user"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("place", [READING, SAVING, AUTHENTICATING])
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_page_in_an_outage_is_503_and_says_when_to_try_again(client: Client, place: str, error: type[Error]) -> None:
    client.get("/chat/room1/")  # gives a session, so that there is one to read
    with mock.patch(place, side_effect=error("connection to 10.0.0.7 failed")):
        page = client.get("/chat/room2/")
    assert page.status_code == 503
    assert page["Retry-After"] == "5"
    assert "no-store" in page["Cache-Control"]
    assert "load this page again" in page.content.decode()
    assert "10.0.0.7" not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status"),
    [(Unavailable("away"), 503), (ProgrammingError("no such table"), 500), (IntegrityError(), 500), (KeyError(), 500)],
    ids=lambda value: type(value).__name__,
)
def test_page_is_503_for_outages_alone(client: Client, error: Exception, status: int) -> None:
    with mock.patch(READING, side_effect=error):
        page = client.get("/chat/room1/")
    assert (page.status_code, "Retry-After" in page) == (status, status == 503)


@pytest.mark.django_db
def test_page_in_an_outage_asks_for_the_user_no_second_time(client: Client) -> None:
    client.get("/chat/room1/")
    with mock.patch(AUTHENTICATING, side_effect=OperationalError("away")) as asked:
        assert client.get("/chat/").status_code == 503
    assert asked.call_count == 1


@pytest.mark.django_db
def test_page_after_an_outage_knows_the_guest_of_before(client: Client) -> None:
    client.get("/chat/room1/")
    guest = client.session[SESSION_KEY]
    with mock.patch(READING, side_effect=OperationalError("away")):
        client.get("/chat/room1/")
    client.get("/chat/room1/")
    assert client.session[SESSION_KEY] == guest


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["latin1", "utf-16", "rot13"])
def test_form_in_another_charset_is_a_bad_request(charset: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")  # gives a cookie, so that the token is looked for in the body
    for path in ("/accounts/login/", "/chat/share-target"):
        answer = client.generic("POST", path, b"a=b", f"application/x-www-form-urlencoded; charset={charset}")
        assert answer.status_code == 400
