"""The site in a German browser: every page and dialog in German, and a choice of another language."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.keys import Keys

from chat.domain import people
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import log, moderation
from setup import messages
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow
from tests.browser.test_accessibility import show, violations
from tests.browser.test_files import hand, wait_for_tray
from tests.browser.window import Window
from tests.chat.pictures.drawings import picture
from tests.webhooks import failing_webhook

PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# All that is shown or read out: texts, and the attributes with words in them.
SPOKEN = """
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest('script, style')) found.add(walker.currentNode.data);
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
        for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name));
    found.add(document.title);
    return [...found].map((text) => text.replace(/\\s+/g, ' ').trim()).filter(Boolean);
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    chromium = Chromium(**{"intl.accept_languages": "de-DE,de"})
    yield chromium
    chromium.quit()


class Texts:
    """The texts of both catalogues, in both languages; those in English as patterns with anything in their places."""

    def __init__(self) -> None:
        self.german: set[str] = set()
        english: set[str] = set()
        for domain in messages.SOURCES:
            for message in messages.read(messages.LOCALE / "de" / "LC_MESSAGES" / f"{domain}.po"):
                english |= {message.id} if isinstance(message.id, str) else set(message.id)
                self.german |= set(messages.strings(message))
        others = english - self.german - {""}
        self.patterns = [re.compile(".+".join(map(re.escape, PLACE.split(text)))) for text in others]

    def english_on(self, window: Window) -> list[str]:
        shown = set(window.run(SPOKEN)) - self.german
        return [text for text in shown if any(pattern.fullmatch(text) for pattern in self.patterns)]


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts()


def check(window: Window, texts: Texts) -> None:
    assert window.run("return document.documentElement.lang") == "de"
    assert texts.english_on(window) == []
    show(window, 1200)
    assert violations(window) == []


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/chat/", "Raum betreten"),
        ("/accounts/login/", "Anmelden"),
        ("/accounts/signup/", "Registrieren"),
        ("/accounts/name/", "Deinen Namen ändern"),
    ],
)
def test_page_for_guests_is_german(browser: Chromium, site: str, path: str, heading: str, texts: Texts) -> None:
    window = browser.open(f"{site}{path}")
    window.find("h1", heading)
    check(window, texts)


def test_room_with_its_dialogs_is_german(browser: Chromium, site: str, texts: Texts) -> None:
    log.append([log.Draft(room=find("room1"), text="hallo", person=people.Person(id="user-7", name="Zoë"))])
    room = RoomWindow(browser.open(f"{site}/chat/room1/"))
    room.window.find("#chat-status", "Verbunden")
    room.say("mein Text")
    room.hear("mein Text")
    room.window.run("document.querySelector('.own .actions').click()")
    room.window.find("#chat-menu .menu-item", "Löschen")
    check(room.window, texts)
    hand(room, "drop", ("notiz.txt", "text/plain", b"a"), ("bild.png", "image/png", picture()))
    wait_for_tray(room, "done", "done")
    check(room.window, texts)
    room.window.run("document.querySelector('#chat-message-input').focus()")
    room.window.type(Keys.ENTER)
    room.window.click("#chat-log .picture")
    room.window.find(".lightbox-caption", "bild.png (1 von 1)")
    check(room.window, texts)
    room.window.type(Keys.ESCAPE)
    room.window.run("document.activeElement.blur()")
    room.window.type("?")
    room.window.find("#chat-keys .formatting-help", "kursiv")
    check(room.window, texts)


def test_refusal_is_shown_in_german(browser: Chromium, site: str) -> None:
    room = RoomWindow(browser.open(f"{site}/chat/room1/"))
    room.window.find("#chat-status", "Verbunden")
    room.window.run("document.querySelector('#chat-message-input').value = 'half a character: \\ud83d'")
    room.window.type(Keys.ENTER)
    # Not in all of the page: WebDriver can't read the line that waits to be sent, which has half a character in it.
    room.window.find("#chat-composer-error", "Die Nachricht enthält Zeichen, die in keinem Text stehen können.")


def log_in(window: Window, site: str, user: User) -> None:
    client = Client()
    client.force_login(user)
    window.go(f"{site}/accounts/login/")
    window.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})


def test_pages_for_users_are_german(browser: Chromium, site: str, texts: Texts) -> None:
    anna, bert = User.objects.create_user("anna"), User.objects.create_user("bert")
    owner = people.of_user(anna)
    moderation.create(find("room1"), private=True, by=owner)
    moderation.set_role(find("room1"), "bert", Role.MODERATOR, by=owner)
    moderation.ban(find("room1"), people.of_user(User.objects.create_user("carl")).id, by=owner)
    webhook = failing_webhook(find("room1"), author_id=anna.pk)
    window = browser.open(f"{site}/chat/")
    log_in(window, site, anna)
    for path, heading in (
        ("/chat/", "Raum betreten"),
        ("/rooms/new/", "Raum anlegen"),
        ("/rooms/direct/", "Jemandem schreiben"),
        ("/rooms/members/?room=room1", "Mitglieder"),
        ("/accounts/picture/", "Dein Bild"),
        ("/accounts/tokens/", "Tokens"),
        ("/rooms/bots/?room=room1", "Bots"),
        ("/rooms/audit/?room=room1", "Protokoll der Eingriffe"),
        ("/rooms/webhooks/?room=room1", "Webhooks"),
        (f"/rooms/webhooks/{webhook.pk}/?room=room1", "hooks.example.org"),
    ):
        window.go(f"{site}{path}")
        window.find("h1", heading)
        check(window, texts)
    window.go(f"{site}/rooms/members/?room=room1")
    assert "Eigentümer" in window.find("main").text
    assert bert.username in window.find("main").text


def test_another_language_is_chosen_at_the_foot_of_a_page(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/chat/?matching=x")
    assert window.find(".languages [aria-current]").text == "Deutsch"
    window.click(".languages button", "English")
    window.find("h1", "Enter a room")
    assert window.run("return [document.documentElement.lang, location.search]") == ["en", "?matching=x"]
    window.go(f"{site}/chat/room1/")
    window.find("#chat-status", "Connected")
