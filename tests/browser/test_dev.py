"""`make dev`: changes in a copy of the site show at the next request, and open pages reload."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.servers import ROOT, environment, free_port

COPIED = ["chat", "gqlchat", "mysite", "templates", "static", "Makefile", "Procfile", "manage.py"]
RELOADED_WITHIN = 30.0  # seconds; usually two


@dataclass
class Copy:
    place: Path
    url: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> tuple[str, str]:
        """The page, and its content security policy."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
            return answer.read().decode(), answer.headers["Content-Security-Policy"] or ""

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.place / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + RELOADED_WITHIN
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if condition():
                    return
            assert self.process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "nothing has changed"
            time.sleep(0.1)


@pytest.fixture
def copy(transactional_db: None, tmp_path: Path) -> Iterator[Copy]:
    """The site as `make dev` serves it, from a copy that may be changed."""
    for name in COPIED:
        copying = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copying(ROOT / name, tmp_path / name)
    port = free_port()
    # Without the set-up, which this environment has behind it.
    recipe = subprocess.check_output(["make", "--dry-run", "--no-print-directory", "dev"], cwd=tmp_path, text=True)
    variables = environment(CHAT_VALKEY_DIR=str(tmp_path / "valkey"), CHAT_LIMITS="on", PORT=str(port))
    with subprocess.Popen(
        ["bash", "-c", recipe.strip().splitlines()[-1]], cwd=tmp_path, env=variables, start_new_session=True
    ) as process:
        copy = Copy(tmp_path, f"http://127.0.0.1:{port}", process)
        try:
            copy.wait_until(lambda: copy.get("/chat/"))
            yield copy
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_make_dev_serves_changed_files_and_reloads_open_pages(copy: Copy, chromium: Chromium) -> None:
    window = chromium.open(f"{copy.url}/chat/")
    window.until(lambda: window.run("return document.readyState") == "complete", "has loaded")

    copy.replace("templates/base.html", "</body>", "<p id='new'>from the template</p></body>")
    copy.wait_until(lambda: "from the template" in copy.get("/chat/")[0])
    window.until(lambda: window.run("return document.querySelector('#new') !== null"), "reloads")

    copy.replace(
        "mysite/urls.py", "urlpatterns = [", 'urlpatterns = [\n    path("new/", lambda _: HttpResponse("code")),'
    )
    copy.wait_until(lambda: copy.get("/new/")[0] == "code")

    style = next((copy.place / "static").rglob("*.css"))
    style.write_text(style.read_text() + "\n/* from the style sheet */\n")
    address = f"/static/{style.relative_to(copy.place / 'static')}"
    copy.wait_until(lambda: "from the style sheet" in copy.get(address)[0])

    page, policy = copy.get("/chat/")
    assert re.search(r"<script [^>]*reload-listener\.js", page)
    assert "unsafe" not in policy
    assert [said for said in chromium.complaints() if "Content Security Policy" in said] == []


def test_make_dev_ends_on_sigterm(copy: Copy) -> None:
    copy.process.terminate()

    assert copy.process.wait(15) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    with pytest.raises(urllib.error.URLError):
        copy.get("/chat/")
