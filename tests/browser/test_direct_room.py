"""Direct rooms in the browser: two people who write to each other, and the page that leads there."""

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.keys import Keys

from chat.domain import people
from chat.domain.rooms import Room, find
from chat.storage import direct_rooms, log
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow
from tests.browser.test_accessibility import show, violations
from tests.browser.test_alerts import AWAY
from tests.browser.test_own_rooms import until_badge
from tests.browser.test_private_room import log_in
from tests.browser.window import Window

LISTED = "return Array.from(document.querySelectorAll('own-rooms li bdi'), (item) => item.textContent)"
INITIALS = (
    """return Array.from(document.querySelectorAll("own-rooms .avatar[data-tone]"), (one) => one.dataset.initial)"""
)


@pytest.fixture
def ann(browser: Chromium, site: str) -> Window:
    window = browser.open(f"{site}/chat/")
    log_in(window, site, "ann")
    return window


@pytest.fixture
def ben(browser: Chromium, same_site: str) -> Window:
    window = browser.open(f"{same_site}/chat/")
    log_in(window, same_site, "ben")
    return window


def opened(*names: str) -> Room:
    """The direct room of ann and these, who are made if they aren't there."""
    for name in names:
        User.objects.get_or_create(username=name)
    members = direct_rooms.people_of(names, by=people.of_user(User.objects.get(username="ann")))
    room = direct_rooms.room_of(members)
    direct_rooms.make(room, members)
    return room


def test_people_write_to_each_other_from_a_message_and_the_room_is_listed_by_name(
    ann: Window, ben: Window, site: str, same_site: str
) -> None:
    ann.go(f"{site}/chat/room1/")
    ben.go(f"{same_site}/chat/room1/")
    here, there = RoomWindow(ann).connect(), RoomWindow(ben).connect()
    there.say("hello all")
    here.hear("hello all")
    RoomWindow(ann).open_menu("hello all")
    ann.click("#chat-menu .menu-item", "Message directly")
    ann.find("h1 bdi", "ben")
    ann.find(".badge", "Direct")
    direct = RoomWindow(ann).connect()
    name = ann.run("return JSON.parse(document.querySelector('#room-data').text).room")
    assert name.startswith("@")
    direct.say("just you")
    direct.hear("just you")

    until_badge(ben, name, "1")
    assert "ann" in ben.run(LISTED)
    assert "A" in ben.run(INITIALS)
    ben.click("own-rooms bdi", "ann")
    ben.find("h1 bdi", "ann")
    assert ben.driver.title == "ann – Chat"
    RoomWindow(ben).connect().say("and you")
    direct.hear("and you")
    assert "B" in ann.run(INITIALS)

    ben.click(".room-members")
    ben.find(".lead", "they stay the same")
    assert not ben.run("return document.querySelector('.danger')")
    assert "Message" not in ben.find(".people").text  # that would lead to this very room


def test_page_opens_a_room_with_several_and_says_what_is_wrong(browser: Chromium, ann: Window, site: str) -> None:
    User.objects.create_user("ben")
    User.objects.create_user("cem")
    ann.click("a", "Write to somebody")
    ann.find("#id_usernames")
    ann.type("ben, nobody", Keys.ENTER)
    ann.find(".errorlist", "Nobody has an account by the name of “nobody”.")
    ann.find("#id_usernames").clear()
    ann.type_into("#id_usernames", "@ben, cem", Keys.ENTER)
    ann.find("h1 bdi", "ben, cem")
    ann.click(".room-members")
    ann.find(".people li", "cem").find_element("css selector", "button").click()
    ann.find("h1 bdi", "cem")
    assert "ben" not in ann.find("h1 bdi").text

    ann.go(f"{site}/chat/@ben/")
    ann.find(".field-error", "Write to somebody")
    assert all("400" in complaint for complaint in browser.complaints())


def test_guest_sees_a_closed_room_without_its_name_and_no_way_to_open_one(
    browser: Chromium, ann: Window, same_site: str
) -> None:
    room = opened("ben")
    log.append([log.Draft(room=find("room1"), text="hi", person=people.of_user(User.objects.get(username="ben")))])
    guest = browser.open(f"{same_site}/chat/{room.name}/")
    guest.find("h1", "You can’t enter this room")
    assert "ben" not in guest.find("main").text
    guest.go(f"{same_site}/chat/room1/")
    RoomWindow(guest).connect()
    RoomWindow(guest).open_menu("hi")
    guest.find("#chat-menu .menu-item", "Reply")
    assert "Message directly" not in guest.find("#chat-menu").text
    assert all("403" in complaint for complaint in browser.complaints())


def test_reader_who_is_elsewhere_is_notified_of_a_direct_message_by_the_others_names(
    browser: Chromium, ann: Window, ben: Window, site: str, same_site: str
) -> None:
    room = opened("ben")
    away = browser.open("about:blank", AWAY)
    away.go(f"{site}/chat/")
    away.driver.add_cookie(ann.driver.get_cookie("sessionid"))
    away.go(f"{site}/chat/room1/")
    RoomWindow(away).connect()
    away.click("room-alerts button", "Notifications")
    away.until(lambda: away.run("return Notification.permission") == "granted", "lets the site notify")
    ben.go(f"{same_site}/chat/{room.name}/")
    RoomWindow(ben).connect().say("hi")
    away.until(lambda: away.run("return told") == [["ben", "There is a new message."]], "is notified")


@pytest.mark.parametrize("width", [360, 1200])
def test_pages_of_direct_rooms_have_no_axe_violations(ann: Window, site: str, width: int) -> None:
    room = opened("ben", "cem", "dan")
    for user in User.objects.all():
        log.append([log.Draft(room=room, text=f"hello from {user.username}", person=people.of_user(user))])
    show(ann, width)
    for path in ("rooms/direct/", f"rooms/members/?room={room.name}", f"chat/{room.name}/"):
        ann.go(f"{site}/{path}")
        ann.find("h1")
        assert violations(ann) == []
    if width == 360:
        ann.run("document.querySelector('#rooms-open').click()")
        assert violations(ann) == []
