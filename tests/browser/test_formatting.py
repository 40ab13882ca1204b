"""Messages with their formatting, as two people see them."""

from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone
from tests.browser.room_window import RoomWindow, enter

CODE = "```python\n" + "x" * 200 + "\ny\n```"
TOO_WIDE = """
    const wide = (element) => element.scrollWidth > element.clientWidth;
    return Array.from(document.querySelectorAll(arguments[0])).filter(wide).map(({ outerHTML }) => outerHTML);
"""


def said(*texts: str) -> None:
    """Somebody says `texts`, wherever: no server hears of it but from the database."""
    for text in texts:
        log.append([log.Draft(room=find("room1"), text=text, person=Person(id="user-7", name="Zoë"))])


def say(room: RoomWindow, text: str) -> None:
    """Of several lines, too."""
    room.window.run("document.querySelector('#chat-message-input').value = arguments[0]", text)
    room.say("")


def test_message_is_formatted_for_both_and_the_transcript_is_what_was_written(
    browser: Chromium, site: str, same_site: str
) -> None:
    ann, ben = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    say(ann, "**hi** https://en.wikipedia.org/wiki/Foo_(bar).\n\nbye")
    for room in [ann, ben]:
        link = room.window.find("#chat-log .formatted a", "Foo_(bar)")
        assert link.get_attribute("href") == "https://en.wikipedia.org/wiki/Foo_(bar)"
        assert link.get_attribute("target") == "_blank"
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert room.window.find("#chat-log strong", "hi")
        assert room.transcript == "**hi** https://en.wikipedia.org/wiki/Foo_(bar).\n\nbye\n"


def test_html_in_a_message_is_shown_as_text_and_does_nothing(browser: Chromium, site: str, same_site: str) -> None:
    ann, ben = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    text = "*a* <img src=x onerror=document.title='x'> [b](javascript:alert(1)) <script>alert(1)</script>"
    ann.say(text)
    ben.hear(text)
    assert ben.window.find("#chat-log .formatted").text == text.replace("*a*", "a")
    assert not ben.window.run("return document.querySelector('#chat-log .bubble :is(img, script), #chat-log .text a')")


def test_deleted_and_edited_messages_lose_their_formatting(browser: Chromium, site: str, same_site: str) -> None:
    ann, ben = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    ann.say("**secret**")
    ben.window.find("#chat-log strong", "secret")
    ann.window.click(".own .actions")
    ann.window.click("#chat-menu button", "Delete")
    ann.window.click("#chat-menu button", "Really")
    ben.window.find("#chat-log .gone")
    assert not ben.window.run("return document.querySelector('#chat-log .formatted')")
    assert "secret" not in ben.window.run("return document.querySelector('#chat-log').innerHTML")


def test_history_is_formatted_when_the_page_comes_and_when_older_pages_do(browser: Chromium, site: str) -> None:
    said(*(f"*{number}*" for number in range(70)))
    room = enter(browser, site, "room1")
    assert room.window.run("return document.querySelectorAll('#chat-log em').length") == 50
    room.window.run("document.querySelector('#chat-scroller').scrollTop = 0")
    count = "return document.querySelectorAll('#chat-log em').length"
    room.window.until(lambda: room.window.run(count) == 70, "older messages are formatted")
    assert room.lines[0] == "*0*"


def test_code_block_scrolls_by_itself_on_a_phone(browser: Chromium, site: str) -> None:
    said(CODE, f"https://a.example/{'y' * 300} `{'z' * 300}`", "> " + "q" * 300)
    window = enter(browser, site, "room1").window
    become_phone(window)
    assert len(window.run(TOO_WIDE, "#chat-log pre")) == 1
    assert window.run(TOO_WIDE, "html, body, #chat-scroller, #chat-log .bubble") == []


def test_blank_lines_and_blanks_at_the_beginning_of_lines_are_seen(browser: Chromium, site: str) -> None:
    said("a\n\n\n\nb\n    c", "*a*\n\n\n\nb\n    c")
    room = enter(browser, site, "room1")
    heights = "return Array.from(document.querySelectorAll('#chat-log .text'), (text) => text.offsetHeight)"
    plain, formatted = room.window.run(heights)
    assert plain == formatted
    indented = "const text = [...document.querySelectorAll('#chat-log .text')].at(-1); return text.innerText"
    assert room.window.run(indented).endswith("b\n    c")


def test_composer_tells_what_formatting_there_is(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.click("button.hint", "Formatting")
    assert room.window.find("#formatting-help", "bold")
    room.window.type(Keys.ESCAPE)
    still_open = "return document.querySelector(':popover-open')"
    room.window.until(lambda: not room.window.run(still_open), "the help is closed")
