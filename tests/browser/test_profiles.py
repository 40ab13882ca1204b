"""Profiles in the browser: a name that others see, and the ways that lead to who somebody is."""

import json
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.keys import Keys

from chat.domain import people
from chat.domain.profiles import ProfileChange
from chat.storage import profiles
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import show, violations
from tests.browser.test_people import AUTHORS
from tests.browser.test_private_room import log_in
from tests.browser.window import Window

MENTIONS = """return [...document.querySelectorAll("#chat-log .mention")].map(
    (one) => [one.textContent, one.getAttribute("href"), one.classList.contains("me")])"""
OPTIONS = "return [...document.querySelectorAll('#chat-candidates:not([hidden]) li')].map((option) => option.innerText)"
VALUE = "return document.querySelector('#chat-message-input').value"


@pytest.fixture
def ann(browser: Chromium, site: str) -> Window:
    window = browser.open(f"{site}/chat/")
    log_in(window, site, "ann")
    return window


def id_of(username: str) -> str:
    return people.of_user(User.objects.get(username=username)).id


def ask(site: str, query: str) -> dict:
    request = Request(f"{site}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)["data"]


def test_new_name_is_seen_by_others_at_every_door(ann: Window, browser: Chromium, site: str, same_site: str) -> None:
    ann.go(f"{site}/chat/room1/")
    here, there = RoomWindow(ann).connect(), enter(browser, same_site, "room1")
    here.say("as ann")
    there.hear("as ann")

    other_tab = browser.open(f"{site}/accounts/profile/")
    other_tab.fill_in(about="she/her", display_name="Ann Hunt")
    other_tab.find("h1", "Ann Hunt")
    ann.find("#chat-identity .words", "Ann Hunt")
    ann.click("#chat-identity button", "Ann Hunt")
    here.connect().say("as Ann Hunt")
    there.hear("as Ann Hunt")
    assert there.window.run(AUTHORS) == ["ann", "Ann Hunt"]
    there.window.click("#chat-presence summary")
    there.window.find("#chat-presence li a", "Ann Hunt")

    said = 'room(name: "room1") { messages { edges { node { user { name username } } } } }'
    found = ask(site, f'{{ person(username: "ann") {{ name about }} {said} }}')
    assert found["person"] == {"name": "Ann Hunt", "about": "she/her"}
    users = [edge["node"]["user"] for edge in found["room"]["messages"]["edges"]]
    assert users == [{"name": "ann", "username": "ann"}, {"name": "Ann Hunt", "username": "ann"}]


def test_author_and_presence_lead_to_the_profile(ann: Window, browser: Chromium, site: str, same_site: str) -> None:
    ann.go(f"{site}/chat/room1/")
    here, there = RoomWindow(ann).connect(), enter(browser, same_site, "room1")
    here.say("hi")
    there.hear("hi")
    there.window.click(".message .author a", "ann")
    there.window.find("h1", "ann")
    assert there.window.url == f"{same_site}/people/ann/"
    there.window.go(f"{same_site}/chat/room1/")
    there.connect()
    there.window.click("#chat-presence summary")
    there.window.click("#chat-presence li a", "ann")
    there.window.find("h1", "ann")
    there.window.click(".room-list a", "room1")
    there.connect()
    there.window.run("document.querySelector('.message .actions').click()")
    there.window.click("#chat-menu .menu-item", "Show profile")
    there.window.find("h1", "ann")


def test_mention_leads_to_the_profile_and_stands_out_for_whom_it_calls(
    ann: Window, browser: Chromium, site: str, same_site: str
) -> None:
    profiles.update(people.of_user(User.objects.get(username="ann")), ProfileChange.clean(display_name="Ann Hunt"))
    ann.go(f"{site}/chat/room1/")
    here, there = RoomWindow(ann).connect(), enter(browser, same_site, "room1")
    here.say("hi")
    there.hear("hi")
    there.window.type("hello @hun")
    there.window.until(lambda: there.window.run(OPTIONS) == ["Ann Hunt @ann"], "offers her by both names")
    there.window.type(Keys.ENTER)
    assert there.window.run(VALUE) == 'hello @"Ann Hunt" '
    there.window.type("and @ann, not @nobody", Keys.ENTER)
    said = 'hello @"Ann Hunt" and @ann, not @nobody'
    here.hear(said)
    path = f"/people/id/{id_of('ann')}/"
    assert ann.run(MENTIONS) == [['@"Ann Hunt"', path, True], ["@ann", path, True]]
    there.hear(said)
    assert there.window.run(MENTIONS) == [['@"Ann Hunt"', path, False], ["@ann", path, False]]
    there.window.click("#chat-log a.mention", "@ann")
    there.window.find("h1", "Ann Hunt")
    assert there.window.url == f"{same_site}/people/ann/"


def test_profile_leads_to_a_direct_room(ann: Window, site: str) -> None:
    User.objects.create_user("ben")
    ann.go(f"{site}/people/ben/")
    ann.click("main button", "Message directly")
    ann.find("h1 bdi", "ben")
    ann.find(".badge", "Direct")


def test_direct_room_is_listed_by_the_new_name_of_the_other(
    ann: Window, browser: Chromium, site: str, same_site: str
) -> None:
    ben = browser.open(f"{same_site}/chat/")
    log_in(ben, same_site, "ben")
    ann.go(f"{site}/people/ben/")
    ann.click("main button", "Message directly")
    RoomWindow(ann).connect()
    ben.go(f"{same_site}/accounts/profile/")
    ben.fill_in(display_name="Ben B.")
    ben.find("h1", "Ben B.")
    ann.find("own-rooms li bdi", "Ben B.")


def test_time_zone_of_the_browser_is_offered(ann: Window, site: str) -> None:
    ann.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    ann.go(f"{site}/accounts/profile/")
    ann.click("#time-zone-here", "Asia/Tokyo")
    assert not ann.find("#id_time_zone").get_attribute("disabled")
    ann.click("main button", "Save")
    ann.find(".facts dd", "Asia/Tokyo")


PAGES = ["/people/ann/", "/people/ben/", "/accounts/profile/"]


@pytest.mark.parametrize("width", [360, 1200])
def test_pages_of_people_have_no_axe_violations(ann: Window, site: str, width: int) -> None:
    told = ProfileChange.clean(display_name="Ann " + "x" * 36, about="y" * 160, time_zone="Europe/Berlin")
    for username in ("ann", "ben"):
        user = User.objects.get_or_create(username=username)[0]
        profiles.update(people.of_user(user), told)
        told = ProfileChange.clean(display_name="Ben", about="z" * 160, time_zone="America/Argentina/Buenos_Aires")
    show(ann, width)
    for path in PAGES:
        ann.go(f"{site}{path}")
        ann.find("h1")
        assert violations(ann) == []
        assert ann.run("return document.documentElement.scrollWidth") <= width
