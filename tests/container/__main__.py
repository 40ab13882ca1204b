"""`make container-check`: runs the steps of the Containerfile in a new Debian, and the site in what they have made.

It needs root, debootstrap, and 2 GB in the folder for temporary files. It needs no container engine, and tries none:
what an engine adds (layers, networks, volumes) is not looked at.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.container.image import Image, build
from tests.servers import free_port

UNWANTED = ("gcc", "node", "npm", "git", "make")  # programs that a site doesn't need


def check(image: Image) -> None:
    """Serves the site in the image as its user, on SQLite and the embedded Valkey, and asks it for some pages."""
    port = free_port()
    variables = {"PORT": str(port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "2", "SECRET_KEY": "x" * 50}
    run(image, variables, "python", "manage.py", "migrate", "--no-input", "--verbosity", "0")
    setup = ["--compose", "/tmp/.env", "--no-input", "--domain", "chat.example.org"]
    run(image, {}, "python", "manage.py", "setup", *setup)  # as deploy/up.sh does, before there are settings
    for program in UNWANTED:
        run(image, variables, "sh", "-c", f"! command -v {program}")
    for program in ("pg_dump", "pg_restore"):
        run(image, variables, program, "--version")
    run(image, variables, "sh", "-c", "! touch manage.py 2>/dev/null && test ! -w . && test -w var")
    served = subprocess.Popen(image.as_command(json.loads(image.command), variables))
    try:
        wait_until(lambda: run(image, variables, *json.loads(image.health), check=False) == 0)
        for path in ("/chat/", "/static/chat/room.js", "/readyz"):
            print(f"GET {path}", run(image, variables, "python", "-c", f"{GET}('http://127.0.0.1:{port}{path}')"))
        run(image, variables, "python", "manage.py", "backup", "var/backups")
        began = time.monotonic()
        (first,) = children_of(served.pid)  # number 1 in the image
        subprocess.run(["kill", "-TERM", str(first)], check=True)
        served.wait(15)
        print(f"Ended {time.monotonic() - began:.1f} s after SIGTERM")
    finally:
        served.send_signal(signal.SIGKILL)
        served.wait()


GET = "import urllib.request; urllib.request.urlopen"


def run(image: Image, variables: dict[str, str], *command: str, check: bool = True) -> int:
    return subprocess.run(image.as_command([*command], variables), check=check, capture_output=not check).returncode


def children_of(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("The site doesn't answer its health check")
        time.sleep(0.2)


if __name__ == "__main__":
    if not shutil.which("debootstrap") or not shutil.which("unshare"):
        sys.exit("debootstrap and unshare are needed: apt-get install debootstrap util-linux, as root")
    with tempfile.TemporaryDirectory(prefix="chat-image-") as folder:
        image = build(Path(folder))
        size = subprocess.run(["du", "-sm", image.root], capture_output=True, text=True, check=True).stdout.split()[0]
        print(f"The image has {size} MB")
        check(image)
    print("The steps of the Containerfile make a site that runs")
