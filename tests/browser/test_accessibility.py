"""Pages checked by axe for WCAG and good practice, without any violation."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.keys import Keys

from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.domain.token_requests import TokenRequest
from chat.models import Role
from chat.storage import bots, edits, invitations, log, moderation, posting_limits, reports, tokens
from chat.storage.invitations import InvitationRequest
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_history import said
from tests.browser.window import Window
from tests.servers import ROOT
from tests.webhooks import failing_webhook

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
"""


@pytest.fixture(params=[360, 1200])
def width(request: pytest.FixtureRequest) -> int:
    return request.param


def show(window: Window, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == 360}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    window.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": width == 360})


def violations(window: Window) -> list[tuple[str, list[str]]]:
    """The findings of axe in the page as it is, in light and in dark: the rule, and the elements as HTML."""
    window.run(AXE.read_text())
    return [violation for scheme in ("light", "dark") for violation in violations_in(window, scheme)]


def violations_in(window: Window, scheme: str) -> list[tuple[str, list[str]]]:
    # Without motion: a colour that is on its way to the other scheme would be judged as it is at that moment.
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    preferences = {"features": [{"name": name, "value": value} for name, value in features.items()]}
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preferences)
    return window.run(RUN)


def test_room_page_has_no_axe_violations(browser: Chromium, site: str, width: int) -> None:
    said(1, 60)
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    room.window.run("document.querySelector('#chat-message-input').value = 'a\\n'.repeat(100)")
    room.window.type(Keys.ENTER)
    room.window.find(".fold")
    show(room.window, width)
    assert violations(room.window) == []

    room.window.click(".own .actions")
    room.window.find("#chat-menu button", "Delete")
    assert violations(room.window) == []
    room.window.type(Keys.ENTER)
    assert violations(room.window) == []


FORMATTED = ["**a** *b* ~~c~~ `d` https://a.example", "> a\n\n- b\n  1. c", "```\n" + "x" * 200 + "\n```"]


def test_formatted_messages_have_no_axe_violations(browser: Chromium, site: str, width: int) -> None:
    for text in FORMATTED:
        log.append([log.Draft(room=find("room1"), text=text, person=Person(id="user-7", name="Zoë"))])
    room = enter(browser, site, "room1")
    room.say(FORMATTED[0])
    room.window.find(".own .formatted")
    show(room.window, width)
    assert violations(room.window) == []


# Dialogs, menus, and other things that open over the page or change a part of it


def press(window: Window, selector: str, text: str = "") -> None:
    window.run("arguments[0].click()", window.find(selector, text))


def act(window: Window, label: str) -> None:
    """Does something with the message that is the reader's own."""
    press(window, ".own .actions")
    press(window, "#chat-menu .menu-item", label)


def open_keys(window: Window) -> None:
    window.run("document.activeElement.blur()")
    window.type("?")
    window.find("#chat-keys .formatting-help")


def open_formatting(window: Window) -> None:
    window.run("document.querySelector('#formatting-help').showPopover()")
    window.find("#formatting-help", "bold")


def open_menu(window: Window) -> None:
    press(window, ".own .actions")
    window.find("#chat-menu .menu-item", "Delete")


def open_picker(window: Window) -> None:
    open_menu(window)
    press(window, ".quick-reactions [aria-label='React with another emoji']")
    window.find(".picker-emoji button")


def open_versions(window: Window) -> None:
    act(window, "Earlier texts")
    window.find("#chat-versions .version", "before")


def reply(window: Window) -> None:
    act(window, "Reply")
    window.find("composer-topic", "Reply to")


def edit(window: Window) -> None:
    act(window, "Edit")
    window.find("composer-topic", "Edit your message")


def open_people(window: Window) -> None:
    press(window, "#chat-presence summary")
    window.find("#chat-presence li")


def open_candidates(window: Window) -> None:
    window.run("document.querySelector('#chat-message-input').focus()")
    window.type("@z")
    window.find("#chat-candidates li", "Zoë")


def open_switcher(window: Window) -> None:
    window.press(Keys.CONTROL, "k")
    window.type("room")
    window.find("#room-switcher [role=option]")


def open_rooms(window: Window) -> None:
    """On a phone; elsewhere they stand beside the conversation."""
    window.run(
        "document.querySelector('#rooms-open').checkVisibility() && document.querySelector('#rooms-open').click()"
    )
    window.find("own-rooms li", "room1")


def open_rooms_options(window: Window) -> None:
    open_rooms(window)
    window.run("document.querySelector('own-rooms .room-actions').click()")  # not seen until the pointer is there
    window.find("own-rooms .menu-item", "Mute")


def press_of_zoe(window: Window, label: str) -> None:
    press(window, ".message:not(.own) .actions")
    press(window, "#chat-menu .menu-item", label)


def open_report(window: Window) -> None:
    moderation.set_role(find("room1"), "Ann", Role.MEMBER, by=None)
    window.go(window.url)
    RoomWindow(window).connect()
    press_of_zoe(window, "Report")
    window.find("#chat-report textarea")


def fold(window: Window) -> None:
    press_of_zoe(window, "Ignore this person")
    window.find(".message.ignored", "Message of somebody you ignore.")


def see_reports(window: Window) -> None:
    reports.report(find("room1"), 1, "rude", by=Person(id="guest-0123456789abcdef", name="Quiet Otter 42"))
    window.go(window.url)
    press(window, "#chat-reports", "1")
    window.find("#reports", "rude")


def make_read_only(window: Window) -> None:
    moderation.set_role(find("room1"), "Ann", Role.MEMBER, by=None)
    posting_limits.set_read_only(find("room1"), True, by=None)
    window.go(window.url)
    window.find("#chat-read-only")


PANELS = {
    "report": open_report,
    "folded message": fold,
    "reports": see_reports,
    "read-only room": make_read_only,
    "keys": open_keys,
    "formatting": open_formatting,
    "menu of a message": open_menu,
    "reactions": open_picker,
    "earlier texts": open_versions,
    "reply": reply,
    "edit": edit,
    "people": open_people,
    "completion": open_candidates,
    "switcher": open_switcher,
    "rooms": open_rooms,
    "options of a room": open_rooms_options,
}


@pytest.fixture
def owned(browser: Chromium, site: str) -> RoomWindow:
    """A room of the reader's own, in which Zoë has spoken, and the reader has edited a reply to her."""
    room, client = find("room1"), Client()
    user = User.objects.create_user(username="Ann")
    ann = Person(id=f"user-{user.pk}", name="Ann")
    zoe = Person(id="guest-00000000000000aa", name="Zoë")
    log.append([log.Draft(room=room, text="**hi** @Ann @room", person=zoe, mentions=(ann, EVERYBODY))])
    log.append([log.Draft(room=room, text="before", person=ann, reply_to=1)])
    moderation.set_role(room, "Ann", Role.OWNER, by=None)
    edits.edit_message(room, 2, "after", by=ann)
    client.force_login(user)
    window = browser.open(f"{site}/livez")
    window.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value, "path": "/"})
    window.go(f"{site}/chat/room1/")
    return RoomWindow(window).connect()


@pytest.mark.parametrize("opened", PANELS.values(), ids=PANELS.keys())
def test_what_opens_on_the_room_page_has_no_axe_violations(
    owned: RoomWindow, opened: Callable[[Window], None], width: int
) -> None:
    show(owned.window, width)
    opened(owned.window)
    assert violations(owned.window) == []
    assert owned.window.run("return document.documentElement.scrollWidth") <= width


PAGES_OF_USERS = [
    "/chat/",
    "/rooms/new/",
    "/rooms/direct/",
    "/rooms/members/?room=room1",
    "/people/Ann/",
    "/accounts/profile/",
    "/accounts/notifications/",
    "/accounts/picture/",
    "/search/?q=hi",
    "/accounts/tokens/",
    "/rooms/bots/?room=room1",
    "/rooms/audit/?room=room1",
    "/admin/site/",
    "/rooms/webhooks/?room=room1",
    "/rooms/invitations/?room=room1",
]


def test_pages_of_users_have_no_axe_violations(owned: RoomWindow, site: str, width: int) -> None:
    reports.report(find("room1"), 1, "rude", by=Person(id="guest-0123456789abcdef", name="Quiet Otter 42"))
    request = TokenRequest.clean(name="backup", scopes=["read", "write"], rooms=["room1"], days=30)
    tokens.create(user_id=User.objects.get().pk, request=request, by=None)
    webhook = failing_webhook(find("room1"), author_id=User.objects.get().pk)
    secret = invitations.create(user=User.objects.get(), room=find("room1"), request=InvitationRequest(uses=5, days=7))
    bots.make(username="robot" * 30, room=find("room1"), by=None)  # as long as a name may be
    User.objects.filter(username="Ann").update(is_staff=True)
    window = owned.window
    show(window, width)
    for path in [*PAGES_OF_USERS, f"/rooms/webhooks/{webhook.pk}/?room=room1"]:
        window.go(f"{site}{path}")
        window.find("h1")
        assert violations(window) == [], path
        assert window.run("return document.documentElement.scrollWidth") <= width, path
    window.driver.delete_all_cookies()  # a guest, then
    window.go(f"{site}/invitations/{secret}/")
    window.find("#id_password2")
    assert violations(window) == []
    assert window.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "path", ["/chat/", "/chat/empty/", "/accounts/login/", "/accounts/signup/", "/accounts/name/", "/accounts/ignored/"]
)
def test_other_pages_have_no_axe_violations(browser: Chromium, site: str, path: str, width: int) -> None:
    window = browser.open("about:blank")
    show(window, width)
    window.go(f"{site}{path}")
    window.find("h1")
    assert violations(window) == []
