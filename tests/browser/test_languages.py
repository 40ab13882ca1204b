"""The room's page in the reader's language."""

import re

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.window import Window

LABELS = "return Array.from(document.querySelectorAll('#chat-menu [role=menuitem]'), (item) => item.textContent)"


def choose_german(browser: Chromium, site: str) -> Window:
    """A new window whose visitor has chosen German at the foot of the directory."""
    window = browser.open(f"{site}/chat/")
    window.click(".languages button[lang=de]")
    window.until(lambda: window.run("return document.documentElement.lang") == "de", "is in German")
    return window


def enter_in_german(browser: Chromium, site: str, room: str) -> RoomWindow:
    window = choose_german(browser, site)
    window.go(f"{site}/chat/{room}/")
    window.find("#chat-status", "Verbunden")
    return RoomWindow(window)


def test_two_people_read_the_same_room_in_their_own_languages(browser: Chromium, site: str, same_site: str) -> None:
    ann = enter_in_german(browser, site, "room1")
    ben = enter(browser, same_site, "room1")
    ben.window.type("hel")
    ann.window.find("#chat-typing", "schreibt …")
    ben.window.type("lo", Keys.ENTER)
    ann.hear("hello")
    ann.window.find("#chat-presence summary", "2 hier")
    ben.window.find("#chat-presence summary", "2 here")
    ann.window.run("document.querySelector('.message .actions').click()")
    ann.window.find("#chat-menu [role=menuitem]", "Antworten")
    assert "Link kopieren" in ann.window.run(LABELS)
    ann.window.run("document.querySelector('.quick-reactions [role=menuitemcheckbox]').click()")
    title = "return document.querySelector('.reaction')?.title ?? ''"
    ann.window.until(lambda: ann.window.run(title) == "Mit 👍 reagiert: Du", "says who reacts")
    ben.window.until(lambda: re.fullmatch(r".+ reacted with 👍", ben.window.run(title)), "says who")


def test_style_sheet_shows_its_words_in_the_language_of_the_page(browser: Chromium, site: str, same_site: str) -> None:
    shown = "return getComputedStyle(document.querySelector(arguments[0]), '::before').content"
    ann = enter_in_german(browser, site, "room1")
    assert ann.window.run(shown, "#chat-log") == '"Hier wurde noch nichts gesagt."'
    ben = enter(browser, same_site, "room1")
    ben.say("hello")
    ann.hear("hello")
    assert ann.window.run(shown, ".author") == '"Gast"'


def test_dates_are_in_the_language_of_the_page(browser: Chromium, site: str) -> None:
    room = enter_in_german(browser, site, "room1")
    room.say("hallo")
    room.hear("hallo")
    day = room.window.find(".day").text
    assert re.search(r"(Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag), \d+\. \w+ \d{4}", day), day


def test_emoji_are_found_by_their_german_names(browser: Chromium, site: str) -> None:
    room = enter_in_german(browser, site, "room1")
    room.say("hallo")
    room.hear("hallo")
    room.window.run("document.querySelector('.message .actions').click()")
    room.window.click(".quick-reactions [aria-label='Mit einem anderen Emoji reagieren']")
    room.window.find(".picker-emoji button")
    room.window.type("erdbeere")
    room.window.find("#chat-picker [role=status]", "1 Emoji gefunden")
    assert room.window.find(".picker-emoji button").text == "🍓"


def test_name_of_a_room_is_refused_in_german(browser: Chromium, site: str) -> None:
    window = choose_german(browser, site)
    window.type(Keys.ENTER)
    window.find("#room-name-error", "Gib den Namen eines Raums ein.")
