"""The people who are here, and those who are typing, on the page."""

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import show, violations, width  # noqa: F401  (fixtures)
from tests.browser.window import Window

TYPING = "return document.querySelector('#chat-typing').textContent"
TOPS = (
    "return ['#chat-composer', '#chat-scroller'].map((one) => document.querySelector(one).getBoundingClientRect().top)"
)
LISTED = "return Array.from(document.querySelectorAll('#chat-presence li bdi'), (name) => name.textContent)"


def enter_as(browser: Chromium, site: str, name: str, room: str = "room1") -> RoomWindow:
    browser.open(f"{site}/accounts/name/?next=/chat/").fill_in(name=name)
    return enter(browser, site, room)


def counts(window: Window, count: str) -> None:
    window.find("#chat-presence summary", f"{count} here")


def test_page_tells_who_is_here_and_who_is_typing(browser: Chromium, site: str, same_site: str) -> None:
    ann = enter_as(browser, site, "Ann")
    counts(ann.window, "1")
    ben = enter_as(browser, same_site, "Ben <b>")
    for one in (ann, ben):
        counts(one.window, "2")
    ann.window.click("#chat-presence summary")
    ann.window.until(lambda: ann.window.run(LISTED) == ["Ann", "Ben <b>"], "both are listed")
    ann.window.find("#chat-presence li", "Ann").find_element("css selector", ".muted")

    before = ann.window.run(TOPS)
    ben.window.type("I am about to")
    ann.window.until(lambda: ann.window.run(TYPING) == "Ben <b> is typing…", "Ben is typing")
    assert ann.window.run(TOPS) == before
    assert ben.window.run(TYPING) == ""
    ben.window.type(" say it", Keys.ENTER)
    ann.hear("I am about to say it")
    assert ann.window.run(TYPING) == ""


def test_second_tab_of_a_person_does_not_count(browser: Chromium, site: str, same_site: str) -> None:
    ann = enter_as(browser, site, "Ann")
    counts(enter_as(browser, same_site, "Ben").window, "2")
    again = enter(browser, site, "room1")
    counts(again.window, "2")
    again.window.driver.refresh()
    counts(again.connect().window, "2")
    counts(ann.window, "2")


def test_text_that_is_taken_back_is_not_typed_any_more(browser: Chromium, site: str, same_site: str) -> None:
    ann, ben = enter_as(browser, site, "Ann"), enter_as(browser, same_site, "Ben")
    counts(ann.window, "2")
    ben.window.type("no")
    ann.window.until(lambda: ann.window.run(TYPING) == "Ben is typing…", "Ben is typing")
    ben.window.type(Keys.BACKSPACE, Keys.BACKSPACE)
    ann.window.until(lambda: ann.window.run(TYPING) == "", "Ben is not typing any more")


def test_list_of_people_opens_and_closes_by_keys(browser: Chromium, site: str) -> None:
    window = enter_as(browser, site, "Ann").window
    counts(window, "1")
    window.run("document.querySelector('#chat-presence summary').focus()")
    window.type(Keys.ENTER)
    window.find("#chat-presence li", "Ann")
    window.type(Keys.TAB, Keys.ESCAPE)
    window.until(lambda: not window.run("return document.querySelector('#chat-presence details').open"), "it is closed")
    assert window.run("return document.activeElement.tagName") == "SUMMARY"


def test_list_of_people_is_one_tap_away_on_a_phone(browser: Chromium, site: str) -> None:
    window = become_phone(enter_as(browser, site, "Ann").window)
    counts(window, "1")
    tap(window, "#chat-presence summary")
    window.find("#chat-presence li", "Ann")
    panel = window.run("return document.querySelector('.presence-panel').getBoundingClientRect().toJSON()")
    assert panel["left"] >= 0
    assert panel["right"] <= 360
    assert window.run("return document.documentElement.scrollWidth") <= 360
    tap(window, "#chat-log")
    window.until(lambda: not window.run("return document.querySelector('#chat-presence details').open"), "it is closed")


def test_list_of_people_has_no_axe_violations(
    browser: Chromium,
    site: str,
    same_site: str,
    width: int,  # noqa: F811
) -> None:
    ben = enter_as(browser, same_site, "Ben with a name that is rather long")
    ann = enter_as(browser, site, "Ann")
    counts(ann.window, "2")
    show(ann.window, width)
    ann.window.click("#chat-presence summary")
    ann.window.find("#chat-presence li", "Ben")
    ben.window.type("hm")
    ann.window.find("#chat-typing", "is typing")
    assert violations(ann.window) == []
