"""A private room in the browser: members, deletions and exclusion."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.keys import Keys

from chat import models
from chat.domain import people
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import log, moderation
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_connection import SOCKETS
from tests.browser.window import Window

DELETED = "return Array.from(document.querySelectorAll('#chat-log .gone'), (line) => line.textContent)"


def log_in(window: Window, site: str, name: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user(username=name))
    window.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value, "path": "/"})
    window.go(f"{site}/chat/")
    window.find(".account .person", name)


@pytest.fixture
def owner(browser: Chromium, site: str) -> Window:
    window = browser.open(f"{site}/chat/")
    log_in(window, site, "owner")
    return window


@pytest.fixture
def guest(browser: Chromium, same_site: str) -> Window:
    return browser.open(f"{same_site}/chat/")


def test_member_hears_a_private_room_only_between_being_added_and_removed(
    browser: Chromium, owner: Window, guest: Window, site: str, same_site: str
) -> None:
    owner.click("a", "Create a private room")
    owner.find("#id_name")
    owner.type("our place", Keys.ENTER)
    owner.find(".badge", "Private")
    room = RoomWindow(owner).connect()
    room.say("before")

    log_in(guest, same_site, "member")
    guest.go(f"{same_site}/chat/our%20place/")
    guest.find("h1", "You can’t enter")

    owner.click(".room-members")
    owner.click("#add-username")
    owner.type("member", Keys.ENTER)
    owner.find(".people-name", "member")
    guest.go(f"{same_site}/chat/our%20place/")
    other = RoomWindow(guest).connect()
    other.hear("member was added by owner.")
    owner.click(".back a")
    room.connect().say("during")
    other.hear("during")

    owner.click(".room-members")
    entry = owner.find(".people li:has(bdi)", "member")
    assert [button.is_displayed() for button in entry.find_elements("css selector", "button.danger")] == [False]
    entry.find_element("css selector", ".sure summary").click()
    owner.click(".people button.danger", "Really remove?")
    owner.until(lambda: "member" not in owner.find(".people").text, "has removed the member")
    guest.find(".notice", "You can’t be in this room any more")
    owner.click(".back a")
    room.connect().say("after")
    room.hear("after")
    guest.find("#chat-status", "Not connected")
    assert other.lines == []  # the room isn't theirs to see any more
    assert not guest.run("return document.querySelector('#chat-composer').checkVisibility()")
    assert "our place" not in guest.run("return document.querySelector('own-rooms').textContent")
    assert all("403" in complaint for complaint in browser.complaints())


def test_deleted_message_disappears_from_every_page_and_stays_deleted(
    browser: Chromium, site: str, same_site: str
) -> None:
    author, other = enter(browser, site, "tidy"), enter(browser, same_site, "tidy")
    author.say("a slip of the tongue")
    author.hear("a slip of the tongue")
    other.hear("a slip of the tongue")
    other.say("what was that?")
    author.hear("what was that?")
    assert "Delete" not in other.menu_of("a slip of the tongue")

    delete_own_message(author)

    for room in (author, other):
        room.window.until(lambda room=room: room.window.run(DELETED) == ["Deleted"], "sees that it is deleted")
        assert room.lines == ["what was that?"]
    assert author.window.focus == "chat-scroller"
    other.window.driver.refresh()
    other.connect()
    other.window.until(lambda: other.window.run(DELETED) == ["Deleted"], "still sees that it is deleted")
    assert other.lines == ["what was that?"]


def delete_own_message(room: RoomWindow) -> None:
    room.window.type_into(".own .actions", Keys.ENTER)
    room.window.find(".menu-item", "Delete")
    room.window.type(Keys.END, Keys.ENTER)
    room.window.find(".menu-item", "Really delete?")
    room.window.type(Keys.ENTER)


def set_offline(window: Window, offline: bool) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    window.driver.execute_cdp_cmd("Network.enable", {})
    window.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def test_deletion_is_recovered_by_a_page_that_was_offline(browser: Chromium, site: str, same_site: str) -> None:
    author, away = enter(browser, site, "away"), enter(browser, same_site, "away")
    author.say("a slip of the tongue")
    away.hear("a slip of the tongue")
    set_offline(away.window, True)
    away.window.run("dispatchEvent(new Event('online'))")  # leaves the old connection, and can't make another
    away.window.find("#chat-status", "Offline")
    delete_own_message(author)
    author.window.until(lambda: author.window.run(DELETED) == ["Deleted"], "has deleted it")
    set_offline(away.window, False)
    away.connect()
    away.window.until(lambda: away.window.run(DELETED) == ["Deleted"], "is told that it is deleted")
    assert away.lines == []
    assert all("INTERNET_DISCONNECTED" in complaint for complaint in browser.complaints())


def test_deletion_without_a_connection_says_that_nothing_was_deleted(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "away")
    room.say("a slip of the tongue")
    room.hear("a slip of the tongue")
    set_offline(room.window, True)
    room.window.run("dispatchEvent(new Event('online'))")
    room.window.find("#chat-status", "Offline")
    delete_own_message(room)
    room.window.find("#chat-jump", "You are not connected")
    assert room.window.run(DELETED) == []
    set_offline(room.window, False)
    room.connect()
    assert room.lines == ["a slip of the tongue"]
    assert all("INTERNET_DISCONNECTED" in complaint for complaint in browser.complaints())


def test_page_offers_deletion_exactly_while_its_person_is_moderator(browser: Chromium, site: str) -> None:
    room = find("promising")
    window = browser.open(f"{site}/chat/")
    log_in(window, site, "ben")
    moderation.create(room, private=False, by=None)
    log.append([log.Draft(room=room, text="something", person=people.new_guest("Ann"))])
    window.go(f"{site}/chat/promising/")
    room_window = RoomWindow(window).connect()
    room_window.hear("something")
    assert "Delete" not in room_window.menu_of("something")

    moderation.set_role(room, "ben", Role.MODERATOR, by=None)
    window.until(lambda: "Delete" in room_window.menu_of("something"), "may delete")

    moderation.remove_member(room, "ben", by=None)
    window.until(lambda: "Delete" not in room_window.menu_of("something"), "may not delete any more")
    assert RoomWindow(window).lines[:2] == ["This room was created by the site’s staff.", "something"]
    asked = window.run("return performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)")
    assert "/graphql" not in asked


def test_page_asks_for_its_role_when_a_notice_names_none(browser: Chromium, site: str) -> None:
    room = find("promising")
    window = browser.open(f"{site}/chat/", SOCKETS)
    log_in(window, site, "ben")
    moderation.create(room, private=False, by=None)
    log.append([log.Draft(room=room, text="something", person=people.new_guest("Ann"))])
    window.go(f"{site}/chat/promising/")
    room_window = RoomWindow(window).connect()
    room_window.hear("something")
    ben = User.objects.get(username="ben")
    models.RoomMember.objects.create(room=models.Room.objects.get(name=room.name), user=ben, role=Role.MODERATOR)
    assert "Delete" not in room_window.menu_of("something")

    notice = {"message": "ben was made a moderator.", "kind": "notice", "offset": 3, "subject": f"user-{ben.pk}"}
    window.run("sockets[0].dispatchEvent(new MessageEvent('message', { data: arguments[0] }))", json.dumps(notice))

    window.until(lambda: "Delete" in room_window.menu_of("something"), "may delete")


def test_staff_gives_a_room_an_owner_and_makes_it_private_in_the_admin(
    browser: Chromium, site: str, same_site: str
) -> None:
    guest = enter(browser, same_site, "orphan")
    guest.say("is this anybody's?")
    guest.hear("is this anybody's?")
    staff = browser.open(f"{site}/chat/")
    log_in(staff, site, "root")
    User.objects.update(is_staff=True, is_superuser=True)
    User.objects.create_user(username="owner")
    staff.go(f"{site}/admin/chat/room/")
    staff.click("#result_list th a", "orphan")

    staff.click("#members-group .add-row a")
    staff.click("#members-0 .select2-selection")
    staff.type_into(".select2-search__field", "own")
    staff.click(".select2-results__option", "owner")
    staff.click("#id_members-0-role option[value=owner]")
    staff.click("#id_is_private")
    staff.click("input[name=_continue]")

    staff.find(".messagelist .success", "changed successfully")
    staff.find("#members-0 .original", "owner in orphan")
    assert staff.find("#id_members-0-role").get_attribute("value") == "owner"
    guest.window.find(".notice", "You can’t be in this room any more")
    assert guest.lines == []


def test_back_after_logout_does_not_show_a_private_room(browser: Chromium, owner: Window, site: str) -> None:
    owner.go(f"{site}/rooms/new/")
    owner.fill_in(name="our place")
    room = RoomWindow(owner).connect()
    room.say("a secret")
    room.hear("a secret")

    owner.click(".account button", "Log out")
    owner.find(".account a", "Log in")
    owner.driver.back()

    owner.find("h1", "You can’t enter")
    assert "a secret" not in owner.driver.page_source
    assert all("403" in complaint for complaint in browser.complaints())
