"""Makes the README's pictures: `python -m docs.screenshot` writes docs/screenshot-light.webp and -dark.webp.

Starts the site on a database and a Valkey of its own, and uses the tests' Chromium.
"""

import base64
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.window import Window
from tests.servers import ROOT, UVICORN, free_port

ROOM_SIZE = (500, 600)  # CSS pixels
GRAPHIQL_SIZE = (900, 600)
SCALE = 1.5  # pixels of the picture per CSS pixel
QUALITY = 80  # of WebP, in per cent
BACKDROPS = {"light": "#cdd3e0", "dark": "#3a4152"}
START_TIMEOUT = 30.0  # seconds

TOGETHER = """
<style>
  body { background: %s; display: flex; gap: 20px; margin: 20px; }
  img { border-radius: 12px; box-shadow: 0 2px 10px #0003; }
</style>
<img src="data:image/png;base64,%s" width="%d"><img src="data:image/png;base64,%s" width="%d">
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        variables = {
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "CHAT_VALKEY_DIR": f"{folder}/valkey",
            "REDIS_URL": "",
            "DEBUG": "true",
            "SECRET_KEY": "of no use after this",
        }
        os.environ.update(variables)
        manage("migrate", "--no-input", "--verbosity", "0")
        server = subprocess.Popen([sys.executable, "-m", *UVICORN.split(), "--port", str(port)], cwd=ROOT)
        try:
            wait_for(f"http://127.0.0.1:{port}/livez")
            for scheme, room in [("light", "room1"), ("dark", "room2")]:
                browser = Chromium()
                try:
                    take(browser, f"http://127.0.0.1:{port}", room, scheme)
                finally:
                    browser.quit()
        finally:
            server.terminate()
            server.wait()


def take(browser: Chromium, site: str, room: str, scheme: str) -> None:
    """Has a conversation in `room`, heard in the chat and in GraphiQL, and writes the picture of both windows."""
    browser.open(f"{site}/accounts/name/?next=/chat/").fill_in(name="Ann")
    ann = enter(browser, site, room)
    dress(ann.window, scheme, *ROOM_SIZE)
    graphiql = browser.open(f"{site}/graphql")
    dress(graphiql, scheme, *GRAPHIQL_SIZE)
    graphiql.find(".graphiql-tab-button", "SubscribeToChatRooms").click()

    say(ann, room, "Good morning! Is anybody here?", by="Ben")
    ann.say("Morning, Ben. I have just moved in.")
    graphiql.find(".graphiql-execute-button").click()
    ann.hear("Hello my name is foo!")
    say(ann, room, "Look, foo has joined us through GraphQL.", by="Cem")
    ann.say("Then this shows up there too: café au lait?")
    graphiql.find(".graphiql-response", "café au lait")

    windows = [(picture(ann.window), ROOM_SIZE[0]), (picture(graphiql), GRAPHIQL_SIZE[0])]
    page = TOGETHER % (BACKDROPS[scheme], *[value for window in windows for value in window])
    together = browser.open("about:blank")
    dress(together, scheme, ROOM_SIZE[0] + GRAPHIQL_SIZE[0] + 60, ROOM_SIZE[1] + 40)
    together.run("document.body.innerHTML = arguments[0]", page)
    together.until(lambda: together.run("return [...document.images].every((image) => image.complete)"), "shows both")
    target = ROOT / "docs" / f"screenshot-{scheme}.webp"
    target.write_bytes(base64.b64decode(picture(together, format="webp", quality=QUALITY)))
    print(target.relative_to(ROOT), target.stat().st_size, "bytes")


def say(window: RoomWindow, room: str, text: str, *, by: str) -> None:
    """Says `text` in another person's name, and waits until `window` shows it."""
    manage("say", room, text, "--as", by)
    window.hear(text)


def dress(window: Window, scheme: str, width: int, height: int) -> None:
    """Gives a window its colour scheme and its size, whatever the screen."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": width, "height": height, "deviceScaleFactor": SCALE, "mobile": False}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    window.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})


def picture(window: Window, **options: Any) -> str:
    """A picture of the window, as a PNG unless `options` say otherwise, in base64."""
    window.driver.execute_cdp_cmd("Page.bringToFront", {})
    return window.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]


def manage(*command: str) -> None:
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
