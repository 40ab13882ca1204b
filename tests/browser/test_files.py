"""Files on the page: chosen, dropped and pasted; on their way; seen, played, large, deleted. And people's pictures."""

import base64
import io
import math
import struct
import wave
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from chat.models import Attachment
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import show, violations
from tests.browser.test_private_room import log_in
from tests.chat.pictures.drawings import PLACE, animation, exif, picture

HANDED = """
    const [files, kind] = arguments;
    const transfer = new DataTransfer();
    for (const [name, type, content] of files)
        transfer.items.add(new File([Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0))], name, { type }));
    if (kind === "paste") {
        const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
        return document.querySelector("#chat-message-input").dispatchEvent(event);
    }
    const target = document.querySelector("#chat-scroller");
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    target.dispatchEvent(new DragEvent("dragover", options));
    const shown = !document.querySelector("#chat-drop").hidden;
    target.dispatchEvent(new DragEvent("drop", options));
    return shown && document.querySelector("#chat-drop").hidden;
"""
TRAY = "return [...document.querySelectorAll('#chat-files .upload')].map((line) => line.dataset.state)"
PICTURES = """
    return [...document.querySelectorAll('#chat-log .picture img')].map((image) =>
        [image.alt, image.complete && image.naturalWidth > 0, image.clientWidth, image.clientHeight]);
"""
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def sound(seconds: float = 8.0) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        tones = (int(9000 * math.sin(number / 5)) for number in range(int(8000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", tone) for tone in tones))
    return written.getvalue()


def choose(room: RoomWindow, folder: Path, **files: bytes) -> None:
    """Chooses files by the button's dialog: `a_png` is called a.png."""
    paths = []
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content)
        paths.append(str(path))
    room.window.driver.find_element("css selector", "#chat-file-chooser").send_keys("\n".join(paths))


def hand(room: RoomWindow, kind: str, *files: tuple[str, str, bytes]) -> Any:
    given = [[name, type, base64.b64encode(content).decode()] for name, type, content in files]
    return room.window.run(HANDED, given, kind)


def wait_for_tray(room: RoomWindow, *states: str) -> None:
    room.window.until(lambda: room.window.run(TRAY) == [*states], f"tray is {states}")


def slow_down(room: RoomWindow, bytes_per_second: int = -1, *, offline: bool = False) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    room.window.driver.execute_cdp_cmd("Network.enable", {})
    room.window.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def count_of(room: RoomWindow, selector: str) -> int:
    return room.window.run("return document.querySelectorAll(arguments[0]).length", selector)


def test_files_are_chosen_dropped_and_pasted_seen_large_quoted_and_deleted(
    browser: Chromium, site: str, same_site: str, tmp_path: Path
) -> None:
    author, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    choose(author, tmp_path, wide_jpg=picture("JPEG", (1200, 600), exif=exif()), high_png=picture("PNG", (300, 900)))
    assert hand(author, "drop", ("notes.txt", "text/plain", b"one\ntwo\n"), ("dance.gif", "image/gif", animation()))
    assert not hand(author, "paste", ("page.html", "text/html", b"<script>alert(1)</script>"))  # the input's is stopped
    wait_for_tray(author, *["done"] * 5)
    assert author.window.focus == "chat-message-input"
    assert count_of(author, "#chat-files canvas") == 3
    author.window.type(Keys.ENTER)

    names = ["wide.jpg", "high.png", "notes.txt", "dance.gif", "page.html"]
    for room in (author, other):
        room.window.until(lambda room=room: room.lines == names, "hears of the files")
        room.window.until(
            lambda room=room: (
                [each[:2] for each in room.window.run(PICTURES)]
                == [["wide.jpg", True], ["high.png", True], ["dance.gif", True]]
            ),
            "shows the pictures",
        )
        assert count_of(room, "#chat-log .file[download]") == 2
        assert count_of(room, "#chat-log .message .text") == 0
    assert count_of(author, "#chat-files .upload") == 0

    # Large, by the keyboard alone: from the message's menu sideways to its files.
    window = other.window
    window.run("document.querySelector('#chat-log .actions').focus()")
    window.type(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert window.run("return document.activeElement.className") == "picture"
    window.type(Keys.ENTER)
    window.find("#chat-lightbox .lightbox-caption", "high.png (2 of 3)")
    window.type(Keys.ARROW_RIGHT)
    window.find("#chat-lightbox .lightbox-caption", "dance.gif (3 of 3)")
    window.type(Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    window.find("#chat-lightbox .lightbox-caption", "wide.jpg (1 of 3)")
    window.type(Keys.ARROW_RIGHT)  # although the button that had the focus can't be pressed any more
    window.find("#chat-lightbox .lightbox-caption", "high.png (2 of 3)")
    window.click("#chat-lightbox img")
    window.type(Keys.ARROW_LEFT)
    window.find("#chat-lightbox .lightbox-caption", "wide.jpg (1 of 3)")
    window.until(
        lambda: window.run("return document.querySelector('#chat-lightbox img').naturalWidth") == 1200, "large"
    )
    assert violations(window) == []
    original = window.run(
        "const body = await (await fetch(document.querySelector('.lightbox-download').href)).arrayBuffer();"
        "return btoa(String.fromCharCode(...new Uint8Array(body)))"
    )
    assert PLACE not in base64.b64decode(original)
    window.type(Keys.ESCAPE)
    assert window.run("return document.activeElement.className") == "picture"

    # A quote has the names, and an edit begins with no text.
    window.run("document.querySelector('#chat-log .actions').click()")
    window.click("#chat-menu button", "Reply")
    other.say("nice")
    author.window.find("#chat-log .quote", "wide.jpg")
    window.click("#chat-log .picture")
    window.find("#chat-lightbox .lightbox-caption", "wide.jpg")

    # Given a text, which is taken away again.
    author.window.type(Keys.ARROW_UP)
    author.say("words")
    other.hear("words")
    author.hear("words")
    author.window.type(Keys.ARROW_UP, *[Keys.BACKSPACE] * len("words"), Keys.ENTER)
    for room in (author, other):
        room.window.until(lambda room=room: room.lines == [*names, "nice"], "the text is gone, the files stay")
        assert count_of(room, "#chat-log .files .picture") == 3

    # Deleted: gone from the other's page, and from under its eyes.
    address = window.run("return document.querySelector('#chat-log .picture').href")
    author.window.run("document.querySelector('#chat-log .own .actions').click()")
    author.window.click("#chat-menu button", "Delete")
    author.window.click("#chat-menu button", "Really delete?")
    window.until(lambda: count_of(other, "#chat-log .files") == 0, "files are gone")
    window.until(lambda: not window.run("return document.querySelector('#chat-lightbox').open"), "lightbox closes")
    status = "return (await fetch(arguments[0])).status"
    window.until(lambda: window.run(status, address) == 404, "nobody gets the file")
    assert all("404" in complaint for complaint in browser.complaints())


def test_upload_shows_its_progress_waits_with_its_message_and_is_cancelled(
    browser: Chromium, site: str, same_site: str, tmp_path: Path
) -> None:
    author, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    window = author.window
    slow_down(author, 60_000)
    choose(author, tmp_path, large_bin=bytes(3_000_000), unwanted_bin=bytes(2_000_000))
    progress = "return document.querySelector('#chat-files progress')?.value"
    window.until(lambda: 0 < (window.run(progress) or 0) < 1, "progress")
    window.click("#chat-files [aria-label='Remove unwanted.bin']")
    wait_for_tray(author, "uploading")
    author.say("here it is")
    author.say("and a later word")
    window.find("#chat-outbox .meta", "Waiting for its files")
    assert other.lines == []
    slow_down(author)
    for room in (author, other):
        room.window.until(lambda room=room: room.lines == ["here it is", "and a later word"], "in order")
        room.window.find("#chat-log .file", "large.bin")
    assert list(Attachment.objects.filter(offset__isnull=False).values_list("name", "size")) == [
        ("large.bin", 3_000_000)
    ]

    # Refused before anything is sent.
    author.window.run(
        "const file = new File([new ArrayBuffer(25_000_001)], 'film.mp4'); const transfer = new DataTransfer();"
        "transfer.items.add(file); const chooser = document.querySelector('#chat-file-chooser');"
        "chooser.files = transfer.files; chooser.dispatchEvent(new Event('change'));"
    )
    window.find("#chat-composer-error", "“film.mp4” is too large: 25 MB of 25 MB.")
    assert window.run(TRAY) == []


def test_interrupted_upload_goes_on_and_uploaded_files_outlive_a_reload(
    browser: Chromium, site: str, tmp_path: Path
) -> None:
    room = enter(browser, site, "room1")
    slow_down(room, offline=True)
    choose(room, tmp_path, a_txt=b"a")
    room.window.find("#chat-files .upload-fault", "interrupted")
    wait_for_tray(room, "interrupted")
    slow_down(room)
    wait_for_tray(room, "done")
    assert all("INTERNET_DISCONNECTED" in complaint for complaint in browser.complaints())
    room.window.type("with words")
    room.window.until(lambda: room.window.run("return sessionStorage.length") >= 2, "kept")

    room.window.driver.refresh()
    room.connect()
    wait_for_tray(room, "done")
    room.window.type(Keys.ENTER)
    room.hear("with words")
    room.window.find("#chat-log .file", "a.txt")


def test_sound_plays_from_any_place(browser: Chromium, site: str, tmp_path: Path) -> None:
    room = enter(browser, site, "room1")
    choose(room, tmp_path, song_wav=sound())
    wait_for_tray(room, "done")
    room.window.type(Keys.ENTER)
    room.window.find("#chat-log audio[controls]")
    duration = "return document.querySelector('#chat-log audio').duration"
    room.window.until(lambda: (room.window.run(duration) or 0) > 7.9, "knows how long it is")
    room.window.run("document.querySelector('#chat-log audio').currentTime = 6.5")
    room.window.run("const audio = document.querySelector('#chat-log audio'); audio.muted = true; return audio.play()")
    at = "return document.querySelector('#chat-log audio').currentTime"
    room.window.until(lambda: room.window.run(at) > 6.7, "plays from there")


@pytest.mark.parametrize("width", [360, 1200])
def test_files_have_no_axe_violations_and_keep_within_the_page(
    browser: Chromium, site: str, tmp_path: Path, width: int
) -> None:
    room = enter(browser, site, "room1")
    show(room.window, width)
    pictures = {"a_jpg": picture("JPEG", (1600, 900)), "d_png": picture("PNG"), "e_gif": animation()}
    choose(room, tmp_path, **pictures, b_wav=sound(0.1), c_pdf=b"%PDF-1.7")
    wait_for_tray(room, *["done"] * 5)
    assert room.window.run(OVERFLOW) == 0
    assert violations(room.window) == []
    room.window.type("a text", Keys.ENTER)
    if width == 360:
        room.window.click("#chat-message-submit")
    room.hear("a text")
    room.window.until(lambda: all(each[1] for each in room.window.run(PICTURES)), "pictures are there")
    assert room.window.run(OVERFLOW) == 0
    assert violations(room.window) == []
    assert count_of(room, "#chat-log .still") == 2  # of those that may move, since no motion is wanted here


def test_pictures_take_their_place_before_they_are_loaded(browser: Chromium, site: str, tmp_path: Path) -> None:
    room = enter(browser, site, "room1")
    become_phone(room.window)
    choose(room, tmp_path, a_jpg=picture("JPEG", (1600, 900)))
    wait_for_tray(room, "done")
    room.window.click("#chat-message-submit")
    room.window.until(lambda: [each[1] for each in room.window.run(PICTURES)] == [True], "loaded")
    before = room.window.run(PICTURES)[0][2:]
    # The same line, with a picture that never comes.
    room.window.run(
        "const image = document.querySelector('#chat-log .picture img'); const other = image.cloneNode();"
        "other.removeAttribute('src'); image.replaceWith(other)"
    )
    assert room.window.run(PICTURES)[0][2:] == before


def test_avatar_is_shown_in_messages_and_among_the_people_here(
    browser: Chromium, site: str, same_site: str, tmp_path: Path
) -> None:
    other = enter(browser, same_site, "room1")
    author = browser.open(f"{site}/chat/")
    log_in(author, site, "ann")
    author.go(f"{site}/accounts/picture/")
    path = tmp_path / "me.png"
    path.write_bytes(picture("PNG", (300, 300)))
    author.find("main [type=file]").send_keys(str(path))
    author.click("main button", "Save")
    author.until(lambda: author.run("return document.querySelector('.portrait')?.naturalWidth") == 256, "own profile")
    author.go(f"{site}/chat/room1/")
    room = RoomWindow(author).connect()
    room.say("hello")
    other.hear("hello")
    picture_shown = "return document.querySelector(arguments[0] + ' .avatar.pictured img')?.naturalWidth"
    other.window.until(lambda: other.window.run(picture_shown, "#chat-log .message") == 256, "in the log")
    other.window.click("#chat-presence summary")
    other.window.until(lambda: other.window.run(picture_shown, ".presence-panel") == 256, "among the people here")
