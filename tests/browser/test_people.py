"""The person at a page: a guest with a name, or a user."""

from collections.abc import Callable

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.servers import Server

AUTHORS = "return Array.from(document.querySelectorAll('#chat-log .author'), (author) => author.textContent)"
PASSWORD = "a long and unlikely one"


def test_guest_changes_name_and_speaks_under_it(browser: Chromium, site: str, same_site: str) -> None:
    guest, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    guest.window.click(".account a", "Change name")

    guest.window.fill_in(name="Zoë")

    guest.window.find(".account .person", "Zoë")
    guest.connect().say("it's me")
    other.hear("it's me")
    assert other.window.run(AUTHORS) == ["Zoë"]


def test_signup_logout_and_login_lead_back_to_the_room(browser: Chromium, site: str, same_site: str) -> None:
    user, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    user.window.click(".account a", "Sign up")
    user.window.fill_in(username="zoe", password1=PASSWORD, password2=PASSWORD)
    speaks_as(user, "zoe")

    user.window.click(".account button", "Log out")
    user.window.click(".account a", "Log in")
    user.window.fill_in(username="zoe", password=PASSWORD)
    user.window.find(".account .person", "zoe")
    user.window.go(f"{site}/chat/room1/")
    speaks_as(user, "zoe")

    other.window.until(lambda: other.lines == ["it's me", "it's me"], "hears both")
    assert other.window.run(AUTHORS)[0] == "zoe"


def speaks_as(room: RoomWindow, name: str) -> None:
    room.window.find(".account .person", name)
    room.connect().say("it's me")
    room.hear("it's me")


def test_login_page_explains_a_wrong_password(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/accounts/login/")
    window.fill_in(username="zoe", password="wrong")
    window.find(".errorlist", "correct username and password")


def test_room_page_asks_to_log_in_and_leads_back_when_guests_are_not_allowed(
    start_servers: Callable[..., list[Server]], browser: Chromium
) -> None:
    (server,) = start_servers(1, CHAT_GUESTS="false")
    window = browser.open(f"http://{server.host}/chat/room1/")
    window.click("main a", "Sign up")

    window.fill_in(username="zoe", password1=PASSWORD, password2=PASSWORD)

    speaks_as(RoomWindow(window), "zoe")
