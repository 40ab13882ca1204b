"""Single messages: their display with any content, and their menu."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter

BOX = "return arguments[0].getBoundingClientRect().toJSON()"
# The text that Control + C copies
COPIED = """
    getSelection().selectAllChildren(document.querySelector("#chat-log"));
    return getSelection().toString();
"""
FAMILY = "👨\u200d👩\u200d👧\u200d👦"


def say(text: str, name: str = "Zoë", room: str = "room1") -> None:
    """Before anybody has entered the room."""
    log.append([log.Draft(room=find(room), text=text, person=Person(id=f"user-{name}", name=name))])


@pytest.mark.parametrize("text", ["a" + "\n" * 3990 + "b", "1\n" * 2000, "word " * 799, "北京" * 2000])
def test_long_text_is_folded_on_the_page_and_whole_in_the_transcript(browser: Chromium, site: str, text: str) -> None:
    say(text)
    room = enter(browser, site, "room1")
    words = room.window.find(".message .text")
    assert words.size["height"] < 500
    assert room.transcript == f"{text}\n"
    button = room.window.find(".fold", "Show more")
    assert button.get_attribute("aria-expanded") == "false"

    button.click()

    assert words.size["height"] > 500
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert words.size["height"] < 500
    assert room.window.find(".fold", "Show more")
    assert room.transcript == f"{text}\n"


@pytest.mark.parametrize("text", ["short", "1\n2\n3", "word " * 100, "a" + "\u0301" * 3000])
def test_short_text_is_not_folded(browser: Chromium, site: str, text: str) -> None:
    say(text)
    room = enter(browser, site, "room1")
    room.hear(text.splitlines()[0])
    assert room.window.driver.find_elements(By.CSS_SELECTOR, ".fold") == []


def test_stacked_combining_marks_are_clipped_at_their_bubble(browser: Chromium, site: str) -> None:
    say("above")
    say("Z" + "\u0301\u0302\u0303\u0316" * 200 + "algo")
    room = enter(browser, site, "room1")
    clipped = "return Array.from(document.querySelectorAll('.bubble'), (each) => getComputedStyle(each).overflowY)"
    assert room.window.run(clipped) == ["clip", "clip"]
    assert all(bubble.size["height"] < 60 for bubble in room.window.driver.find_elements(By.CSS_SELECTOR, ".bubble"))


@pytest.mark.parametrize("name", ["אבגד הוזח", "محمد", "Zoë"])
def test_name_stands_beside_its_avatar_in_either_writing_direction(browser: Chromium, site: str, name: str) -> None:
    say("a text that is a good deal longer than the name of who says it", name)
    room = enter(browser, site, "room1")
    avatar = room.window.run(BOX, room.window.find(".avatar"))
    author = room.window.run(BOX, room.window.find(".author", name))
    assert 0 < author["left"] - avatar["right"] < 20
    assert author["right"] - author["left"] < 150


@pytest.mark.parametrize(
    ("name", "initial"),
    [
        (f"{FAMILY} family", FAMILY),
        ("🇩🇪 flag", "🇩🇪"),
        ("ann", "A"),
        ("e\u0301mile", "É"),
        ("ßen", "ß"),
        ("नमस्ते", "न"),
        ("👍🏽", "👍🏽"),
        ("1st", "1"),
    ],
)
def test_avatar_shows_the_first_grapheme_of_the_name(browser: Chromium, site: str, name: str, initial: str) -> None:
    say("hello", name)
    room = enter(browser, site, "room1")
    shown = room.window.run("return getComputedStyle(document.querySelector('.avatar'), '::before').content")
    assert shown == f'"{initial}"'


def test_copied_log_holds_names_times_and_texts_only(browser: Chromium, site: str) -> None:
    long = "\n".join(str(number) for number in range(50))
    for name, text in [("Zoë", "hello"), ("Zoë", "again"), (FAMILY, long)]:
        say(text, name)
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    assert room.window.find(".actions")
    day, *times = room.window.run(
        "return Array.from(document.querySelectorAll('.day, time'), (each) => each.innerText)"
    )

    copied = [line for line in room.window.run(COPIED).splitlines() if line]

    first, second, third, fourth = times
    expected = [day, "Zoë", "hello", first, "Zoë", "again", second, FAMILY, *long.splitlines(), third]
    assert copied == [*expected, "You", "mine", fourth]


# The menu of a message


@pytest.fixture
def talk(browser: Chromium, site: str) -> RoomWindow:
    """A room in which one has said three things, after somebody else."""
    say("not mine")
    room = enter(browser, site, "room1")
    for text in ["first", "second", "third"]:
        room.say(text)
        room.hear(text)
    return room


def test_delete_is_in_the_menu_of_own_messages(talk: RoomWindow) -> None:
    assert "Delete" not in talk.window.run("return document.body.innerText")
    assert talk.menu_of("not mine")[-1] != "Delete"
    button = talk.window.find(".own .actions")
    assert (button.accessible_name, button.get_attribute("aria-haspopup")) == ("Message actions", "menu")

    button.click()

    item = talk.window.find("#chat-menu button", "Delete")
    assert (item.aria_role, button.get_attribute("aria-expanded")) == ("menuitem", "true")
    button.click()
    talk.window.until(lambda: button.get_attribute("aria-expanded") == "false", "closes")
    assert not talk.window.driver.find_element(By.ID, "chat-menu").is_displayed()


def test_message_menu_is_used_by_keyboard_alone(talk: RoomWindow) -> None:
    talk.step_into_log()
    assert talk.window.run("return document.activeElement.closest('.message').querySelector('.text').textContent") == (
        "third"
    )
    talk.window.type(Keys.ARROW_UP, Keys.ENTER)
    assert talk.window.run("return document.activeElement.textContent") == "Reply"
    talk.window.type(Keys.END)
    assert talk.window.run("return document.activeElement.textContent") == "Delete"
    talk.window.type(Keys.ESCAPE)
    assert talk.window.run("return document.activeElement.ariaLabel") == "Message actions"

    talk.window.type(Keys.ENTER, Keys.END, Keys.ENTER, Keys.ENTER)

    talk.window.find(".gone", "Deleted")
    assert talk.lines == ["not mine", "first", "third"]
    assert talk.window.focus == "chat-scroller"


def test_message_menus_are_one_stop_of_the_tab_key(talk: RoomWindow) -> None:
    stops = "return Array.from(document.querySelectorAll('.actions'), (button) => button.tabIndex)"
    assert talk.window.run(stops) == [-1, -1, -1, 0]
    talk.step_into_log()
    talk.window.type(Keys.HOME)
    assert talk.window.run(stops) == [0, -1, -1, -1]


def test_message_menu_closes_when_its_message_is_deleted_elsewhere(
    browser: Chromium, site: str, talk: RoomWindow
) -> None:
    talk.window.click(".own .actions")
    talk.window.find("#chat-menu button", "Delete")
    other = enter(browser, site, "room1")  # the same person, in another window
    other.window.click(".own .actions")
    other.window.click("#chat-menu button", "Delete")
    other.window.click("#chat-menu button", "Really")
    talk.window.find(".gone", "Deleted")
    assert not talk.window.driver.find_element(By.ID, "chat-menu").is_displayed()


def test_message_menu_stays_at_its_message_when_new_messages_arrive(talk: RoomWindow) -> None:
    button = talk.window.find(".own .actions")
    button.click()
    say("new", "Ann")
    talk.hear("new")
    menu = talk.window.find("#chat-menu")

    def gap() -> float:
        """Between the button and the menu, which stands above it where there is no room below."""
        menu_box, button_box = talk.window.run(BOX, menu), talk.window.run(BOX, button)
        return max(menu_box["y"] - button_box["bottom"], button_box["y"] - menu_box["bottom"])

    talk.window.until(lambda: 0 <= gap() < 10, "is beside its button")
