"""Reactions on the page: buttons under a message, six in its menu, and a picker of all emoji that needs no network."""

from urllib.parse import unquote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.assets import EMOJI
from chat.domain.emoji import clean_emoji
from chat.domain.people import Person
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import find
from chat.storage import history, log, moderation, reactions
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import show, violations

ROOM = find("room1")
SHOWN = """return Array.from(document.querySelectorAll('.reaction'), (one) =>
    [one.dataset.emoji, Number(one.querySelector('.count').textContent), one.ariaPressed === 'true'])"""

ALL = "return Array.from(document.querySelectorAll('.picker-emoji button'), (one) => one.textContent)"
BUBBLE = "return document.querySelector('.own .bubble').getBoundingClientRect().width"
SMALL = """
    const buttons = document.querySelectorAll(".quick-reactions button, .reactions button, .picker-head button");
    const boxes = Array.from(buttons, (one) => one.getBoundingClientRect());
    return boxes.filter(({ width, height }) => width > 0 && (width < 44 || height < 44)).length;
"""


def say(text: str = "hello", count: int = 1) -> None:
    person = Person(id="user-zoe", name="Zoë")
    log.append([log.Draft(room=ROOM, text=f"{text} {number}".strip(), person=person) for number in range(count)])


def react(emoji: str = "👍", *, on: bool = True, target: int = 1, people: int = 1) -> None:
    """Others react, without anybody being told: a page that is open hears of it by the watch."""
    crowd = [Person(id=f"guest-{number:016x}", name=f"Guest {number}") for number in range(people)]
    reactions.react(ROOM, target, [ReactionRequest(person, emoji, on) for person in crowd])


def stored(target: int = 1) -> dict[str, int]:
    return {one.emoji: one.count for one in history.find(ROOM, target).reactions}


def shows(room: RoomWindow, *reactions: tuple[str, int, bool]) -> None:
    """Waits until the page shows these: emoji, count, and whether it is the reader's own."""
    expected = [list(reaction) for reaction in reactions]
    room.window.until(lambda: room.window.run(SHOWN) == expected, f"shows {expected}")


def is_stored(room: RoomWindow, expected: dict[str, int]) -> None:
    """Waits for it: the page shows what its reader wants before that."""
    room.window.until(lambda: stored() == expected, f"stored {expected}")


def open_menu(room: RoomWindow) -> None:
    room.window.run("document.querySelector('.message .actions').click()")
    room.window.find(".quick-reactions")


def test_picker_has_the_list_that_is_installed_and_the_server_takes_all_of_it(browser: Chromium, site: str) -> None:
    say()
    room = enter(browser, site, "room1")
    address = room.window.run("return document.querySelector('#chat-picker').dataset.list")
    assert unquote(address).endswith(EMOJI["en"].static_path)
    open_menu(room)
    room.window.click(".quick-reactions [aria-label='React with another emoji']")
    room.window.find(".picker-emoji button")
    emoji = room.window.run(
        "return Array.from(document.querySelectorAll('.picker-emoji button'), (e) => e.textContent)"
    )
    assert len(emoji) > 1800
    assert [clean_emoji(one) for one in emoji] == emoji
    room.window.run("document.querySelector('.picker select').value = 4")
    room.window.run("document.querySelector('.picker select').dispatchEvent(new Event('change'))")
    toned = room.window.run(
        "return Array.from(document.querySelectorAll('.picker-emoji button'), (e) => e.textContent)"
    )
    assert [clean_emoji(one) for one in toned] == toned != emoji


def test_quick_reaction_is_shown_on_both_pages_and_taken_back_by_a_second_press(
    browser: Chromium, site: str, same_site: str
) -> None:
    say()
    one, two = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    open_menu(one)
    one.window.click(".quick-reactions button", "❤")
    shows(one, ("❤️", 1, True))
    shows(two, ("❤️", 1, False))
    two.window.click(".reaction")
    shows(two, ("❤️", 2, True))
    shows(one, ("❤️", 2, True))
    name = two.window.run("return document.querySelector('.reaction').title")
    assert name.startswith("You and ")
    assert name.endswith(" reacted with ❤️")
    one.window.click(".reaction")
    shows(one, ("❤️", 1, False))
    shows(two, ("❤️", 1, True))
    two.window.click(".reaction")
    for room in (one, two):
        shows(room)
        assert room.window.driver.find_elements(By.CSS_SELECTOR, ".reactions") == []
    is_stored(one, {})


def test_reaction_is_chosen_by_keys_alone_in_the_picker(browser: Chromium, site: str) -> None:
    say()
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('.message .actions').focus()")
    room.window.type(Keys.ENTER, Keys.HOME, *[Keys.ARROW_RIGHT] * 6, Keys.ENTER)
    room.window.find(".picker-emoji button")
    room.window.type("unico")
    room.window.find(".picker p", "emoji found")
    room.window.type(Keys.ARROW_DOWN, Keys.ENTER)
    shows(room, ("🦄", 1, True))
    is_stored(room, {"🦄": 1})
    assert "actions" in room.window.run("return document.activeElement.className")
    room.window.type(Keys.ARROW_RIGHT, Keys.ENTER)
    shows(room)
    assert "actions" in room.window.run("return document.activeElement.className")
    is_stored(room, {})


def test_arrow_keys_lead_through_the_picker_and_escape_out_of_it(browser: Chromium, site: str) -> None:
    say()
    react()
    room = enter(browser, site, "room1")
    room.window.click(".reaction-add")
    first = room.window.find(".picker-emoji button").text
    focused = "return document.activeElement.textContent"
    room.window.type(Keys.ARROW_DOWN)
    assert room.window.run(focused) == first
    room.window.type(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert room.window.run(focused) == first
    room.window.type(Keys.ARROW_UP)
    assert room.window.run("return document.activeElement.type") == "search"
    room.window.type("nothing is called like this")
    room.window.find(".picker p", "No emoji found")
    room.window.type(Keys.ENTER, Keys.ESCAPE, Keys.ESCAPE)  # the first one empties the field
    room.window.until(lambda: not room.window.run("return document.querySelector('#chat-picker').open"), "is closed")
    assert stored() == {"👍": 1}


def test_picker_that_can_not_load_its_list_says_so(chromium: Chromium, site: str) -> None:
    say()
    react()
    room = enter(chromium, site, "room1", "const real = fetch; fetch = () => Promise.reject(new Error('gone'));")
    room.window.click(".reaction-add")
    room.window.find(".picker p", "could not be loaded")
    room.window.run("fetch = real")
    room.window.type(Keys.ESCAPE)
    room.window.click(".reaction-add")
    room.window.find(".picker-emoji button")
    chromium.complaints()
    chromium.tidy()


def test_own_reaction_is_shown_before_the_server_answers_and_survives_a_lost_connection(
    browser: Chromium, site: str
) -> None:
    say()
    deaf = """
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (data) {
            globalThis.last = this;
            if (!globalThis.mute) send.call(this, data);
        };
    """
    room = enter(browser, site, "room1", deaf)
    room.window.run("globalThis.mute = true")
    open_menu(room)
    room.window.click(".quick-reactions button", "🎉")
    shows(room, ("🎉", 1, True))
    assert stored() == {}
    room.window.run("globalThis.mute = false; globalThis.last.close()")
    room.connect()
    is_stored(room, {"🎉": 1})
    shows(room, ("🎉", 1, True))


def test_reaction_that_is_refused_is_taken_from_the_page(browser: Chromium, site: str) -> None:
    say()
    for number in range(20):
        react(chr(0x1F600 + number))
    room = enter(browser, site, "room1")
    open_menu(room)
    room.window.click(".quick-reactions button", "👍")
    room.window.find("#chat-composer-error", "20 different reactions")
    room.window.until(lambda: len(room.window.run(SHOWN)) == 20, "shows 20")


@pytest.mark.parametrize("reload", [False, True])
def test_crowd_is_counted_and_the_readers_own_reaction_is_known_among_it(
    browser: Chromium, site: str, reload: bool
) -> None:
    say()
    react(people=30)
    room = enter(browser, site, "room1")
    shows(room, ("👍", 30, False))
    assert "and 10 others" in room.window.run("return document.querySelector('.reaction').title")
    room.window.click(".reaction")
    shows(room, ("👍", 31, True))
    if reload:
        is_stored(room, {"👍": 31})
        room.window.driver.refresh()
        shows(room, ("👍", 31, True))
    react("🎉")
    shows(room, ("👍", 31, True), ("🎉", 1, False))
    room.window.click(".reaction")
    shows(room, ("👍", 30, False), ("🎉", 1, False))
    is_stored(room, {"👍": 30, "🎉": 1})


def test_reactions_of_others_leave_the_reader_where_they_read(browser: Chromium, site: str) -> None:
    say("a line", 80)
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('#chat-scroller').scrollTop = 0")
    room.window.find("#chat-history", "Beginning of the room")
    room.window.run("document.querySelectorAll('.message')[40].scrollIntoView()")
    seen = """const top = (element) => element.getBoundingClientRect().top;
        return top(document.querySelectorAll('.message')[42]) - top(document.querySelector('#chat-scroller'))"""
    heights = "return Array.from(document.querySelectorAll('.message'), (one) => one.offsetHeight)"
    room.window.until(lambda: room.window.run(seen) > 0, "has scrolled")
    before, lines = room.window.run(seen), room.window.run(heights)
    for target in (2, 80):
        react(target=target)
    room.window.until(lambda: len(room.window.run(SHOWN)) == 2, "shows both")
    assert room.window.run(heights)[1] > lines[1]
    room.window.until(lambda: abs(room.window.run(seen) - before) < 1, "stays there")


def test_reaction_at_the_end_keeps_the_end_in_view(browser: Chromium, site: str) -> None:
    say("a line", 60)
    room = enter(browser, site, "room1")
    react(target=60)
    shows(room, ("👍", 1, False))
    end = """const { scrollTop, clientHeight, scrollHeight } = document.querySelector('#chat-scroller');
        return scrollHeight - scrollTop - clientHeight"""
    room.window.until(lambda: room.window.run(end) < 2, "is at the end")


def test_reactions_are_in_older_pages_and_go_with_the_message(browser: Chromium, site: str) -> None:
    say("a line", 60)
    react(target=1)
    react(target=60)
    room = enter(browser, site, "room1")
    shows(room, ("👍", 1, False))
    room.window.run("document.querySelector('#chat-scroller').scrollTop = 0")
    shows(room, ("👍", 1, False), ("👍", 1, False))
    moderation.delete_message(ROOM, 60, by=None)
    shows(room, ("👍", 1, False))


def test_transcript_is_what_people_wrote_without_reactions(browser: Chromium, site: str) -> None:
    say("hello")
    react()
    room = enter(browser, site, "room1")
    shows(room, ("👍", 1, False))
    assert room.lines == ["hello 0"]


def test_phone_reacts_by_a_tap_on_the_message_and_in_the_sheet(browser: Chromium, site: str) -> None:
    say()
    room = RoomWindow(become_phone(browser.open("about:blank")))
    room.window.go(f"{site}/chat/room1/")
    room.connect()
    tap(room.window, ".bubble .text")
    room.window.find(".quick-reactions")
    assert room.window.run(SMALL) == 0
    tap(room.window, ".quick-reactions button", "😂")
    shows(room, ("😂", 1, True))
    assert room.window.run(SMALL) == 0
    tap(room.window, ".reaction-add")
    room.window.find(".picker-emoji button")
    assert room.window.run("return document.documentElement.scrollWidth") <= 360
    tap(room.window, ".picker-emoji button", "😀")
    shows(room, ("😂", 1, True), ("😀", 1, True))
    is_stored(room, {"😂": 1, "😀": 1})


@pytest.mark.parametrize("width", [360, 1200])
def test_reactions_have_no_axe_violations(browser: Chromium, site: str, width: int) -> None:
    say()
    react(people=3)
    react("🎉")
    room = enter(browser, site, "room1")
    show(room.window, width)
    room.window.click(".reaction")
    shows(room, ("👍", 4, True), ("🎉", 1, False))
    is_stored(room, {"👍": 4, "🎉": 1})
    assert violations(room.window) == []
    open_menu(room)
    assert violations(room.window) == []
    room.window.click(".quick-reactions [aria-label='React with another emoji']")
    room.window.find(".picker-emoji button")
    assert violations(room.window) == []


def test_many_reactions_leave_a_reply_its_width_on_a_phone(browser: Chromium, site: str) -> None:
    say("Good morning, everybody")
    room = enter(browser, site, "room1")
    open_menu(room)
    room.window.click("#chat-menu .menu-item", "Reply")
    room.say("yes")
    room.hear("yes")
    become_phone(room.window)
    room.window.find(".own .quote", "everybody")
    before = room.window.run(BUBBLE)
    for emoji in ("👍", "👎", "😄", "🎉", "😕", "❤️", "🚀", "👀", "🔥"):
        react(emoji, target=2)
    room.window.until(lambda: len(room.window.run(SHOWN)) == 9, "shows all reactions")
    assert room.window.run(BUBBLE) == before
