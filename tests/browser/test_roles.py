"""Read-only rooms, slow mode, reports and ignored people, in the browsers of those whom they concern."""

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.keys import Keys

from chat.domain import people
from chat.domain.rooms import find
from chat.storage import moderation
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone
from tests.browser.room_window import RoomWindow
from tests.browser.test_phone import SMALL, WIDTH
from tests.browser.test_private_room import log_in
from tests.browser.window import Window

ROOM = find("room1")
VISIBLE = "return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility()).length"
ITEMS = "return Array.from(document.querySelectorAll('#chat-menu .menu-item'), (item) => item.textContent)"
INSIDE = """const box = document.querySelector("#chat-report").getBoundingClientRect();
    return box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight"""
SET_SLOW_MODE = "document.querySelector('#slow-mode').value = arguments[0]"
PAGE = "/rooms/members/?room=room1"


@pytest.fixture
def owner(browser: Chromium, site: str) -> Window:
    """The owner of room1, in their room."""
    window = browser.open(f"{site}/chat/")
    log_in(window, site, "owner")
    moderation.create(ROOM, private=False, by=people.of_user(User.objects.get(username="owner")))
    window.go(f"{site}/chat/room1/")
    return window


@pytest.fixture
def ben(browser: Chromium, same_site: str, owner: Window) -> Window:
    window = browser.open(f"{same_site}/chat/")
    log_in(window, same_site, "ben")
    window.go(f"{same_site}/chat/room1/")
    return window


def choose(window: Window, message: str, item: str) -> None:
    RoomWindow(window).open_menu(message)
    window.click("#chat-menu .menu-item", item)


def until_gone(window: Window, selector: str) -> None:
    until_visible(window, selector, 0)


def until_visible(window: Window, selector: str, count: int) -> None:
    window.until(lambda: window.run(VISIBLE, selector) == count, f"{count} of {selector}")


def test_composer_gives_way_to_a_sentence_while_a_room_is_read_only(owner: Window, ben: Window, site: str) -> None:
    there = RoomWindow(ben).connect()
    owner.go(f"{site}{PAGE}")
    owner.click("main button", "Make this room read-only")
    ben.find("#chat-read-only", "only owners and moderators can write")
    until_gone(ben, "#chat-composer")
    there.hear("This room was made read-only by owner: only owners and moderators can write here.")
    owner.go(f"{site}/chat/room1/")
    here = RoomWindow(owner).connect()
    here.say("an announcement")
    there.hear("an announcement")
    RoomWindow(ben).open_menu("an announcement")
    ben.find("#chat-menu .menu-item", "Copy link")
    assert not {"Reply", "Edit"} & {*ben.run(ITEMS)}
    ben.type(Keys.ESCAPE)
    ben.go(ben.url)
    ben.find("#chat-read-only")
    assert ben.run(VISIBLE, "#chat-composer") == 0

    owner.go(f"{site}{PAGE}")
    owner.click("main button", "Let everybody write")
    ben.find("#chat-composer")
    until_gone(ben, "#chat-read-only")
    RoomWindow(ben).connect().say("my turn")


def test_outbox_sends_by_itself_once_slow_mode_lets_it(owner: Window, ben: Window, site: str) -> None:
    there = RoomWindow(ben).connect()
    owner.go(f"{site}{PAGE}")
    owner.find("#slow-mode")
    owner.run(SET_SLOW_MODE, "5")
    owner.click("form:has(#slow-mode) button")
    there.hear("Slow mode was set by owner: one message per person every 5 seconds.")
    there.say("first")
    there.hear("first")
    there.say("second")
    ben.find("chat-outbox .meta", "slow mode")
    ben.find("#chat-slow-mode", "you can write again in")
    there.hear("second")
    owner.go(f"{site}/chat/room1/")
    here = RoomWindow(owner).connect()
    for text in ("mine", "and mine"):
        here.say(text)
        here.hear(text)
    assert owner.run(VISIBLE, "#chat-slow-mode") == 0


def test_moderator_is_told_of_a_report_and_deletes_the_message(owner: Window, ben: Window, site: str) -> None:
    here, there = RoomWindow(owner).connect(), RoomWindow(ben).connect()
    here.say("something rude")
    there.hear("something rude")
    choose(ben, "something rude", "Report")
    ben.find("#chat-report .report-text", "something rude")
    ben.find("#chat-report", "The room’s moderators see your report")
    ben.type("look at this")
    ben.click("#chat-report [type=submit]")
    ben.find("#chat-jump", "The message is reported.")
    until_gone(ben, "#chat-report")
    owner.click("#chat-reports", "1 reported message")
    owner.find("#reports", "look at this")
    owner.find("#reports", "Reported by ben")
    owner.click("#reports summary", "Delete message")
    owner.click("#reports button", "Really delete?")
    owner.find("#reports", "None.")
    ben.find(".message .gone", "Deleted")
    owner.go(f"{site}/chat/room1/")
    RoomWindow(owner).connect()
    assert owner.run(VISIBLE, "#chat-reports") == 0


def test_messages_of_ignored_people_are_folded_in_all_tabs_and_unfold(
    browser: Chromium, owner: Window, ben: Window, same_site: str
) -> None:
    here, there = RoomWindow(owner).connect(), RoomWindow(ben).connect()
    here.say("one")
    there.hear("one")
    tab = RoomWindow(browser.open(f"{same_site}/chat/room1/")).connect().window
    choose(ben, "one", "Ignore this person")
    ben.find(".message.ignored", "Message of somebody you ignore.")
    tab.find(".message.ignored", "Message of somebody you ignore.")
    here.say("two")
    until_visible(ben, ".message.ignored", 2)
    assert ben.run("return document.querySelector('#chat-log').value").splitlines()[-2:] == ["one", "two"]
    assert ben.run(VISIBLE, ".message .text") == 0
    ben.click(".message.ignored .show-ignored", "Show")
    ben.find(".message .text", "one")
    ben.go(ben.url)
    until_visible(ben, ".message.ignored", 2)
    assert owner.run(VISIBLE, ".message.ignored") == 0

    ben.go(f"{same_site}/accounts/ignored/")
    ben.find("main li", "owner")
    ben.click("main button", "No longer ignore")
    ben.find("main", "Nobody.")
    ben.go(f"{same_site}/chat/room1/")
    ben.find(".message .text", "two")
    assert ben.run(VISIBLE, ".message.ignored") == 0


def test_typing_and_mentions_of_ignored_people_are_not_told(owner: Window, ben: Window) -> None:
    here, there = RoomWindow(owner).connect(), RoomWindow(ben).connect()
    here.say("one")
    there.hear("one")
    choose(ben, "one", "Ignore this person")
    ben.find(".message.ignored")
    owner.type("@ben hello")
    here.say("@ben")
    until_visible(ben, ".message.ignored", 2)
    assert ben.run("return document.querySelector('chat-typing').textContent") == ""


def too_small(window: Window) -> list[str]:
    """Targets too small for a finger, names in the log aside, to which the menu leads as well."""
    return [target for target in window.run(SMALL) if 'href="/people/' not in target]


def test_report_and_folded_messages_fit_a_phone(owner: Window, ben: Window) -> None:
    here, there = RoomWindow(owner).connect(), RoomWindow(ben).connect()
    here.say("something rude, " * 8)
    there.hear("something rude, " * 8)
    become_phone(ben)
    choose(ben, "something rude", "Report")
    ben.find("#chat-report textarea")
    assert ben.run(INSIDE)
    assert too_small(ben) == []
    ben.click("#chat-report [data-cancel]")
    choose(ben, "something rude", "Ignore this person")
    ben.find(".message.ignored", "Message of somebody you ignore.")
    assert ben.run(WIDTH) <= 360
    assert too_small(ben) == []
