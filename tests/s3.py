"""A real server that speaks S3, for tests."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import free_port

BUCKET, KEY, SECRET = "files", "the-key", "the-secret-of-that-key"


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The URL of a server that keeps the bucket BUCKET in `folder`, and checks signatures."""
    (folder / BUCKET).mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    command = ["rclone", "serve", "s3", "--addr", url.removeprefix("http://"), "--auth-key", f"{KEY},{SECRET}"]
    process = subprocess.Popen([*command, "--vfs-cache-mode", "off", str(folder)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not answers(url):
            assert process.poll() is None, "the S3 server ended at once"
            assert time.monotonic() < deadline, "the S3 server doesn't answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True  # it wants a signature
    except OSError:
        return False
    return True


def variables(url: str) -> dict[str, Any]:
    """The environment of a site that keeps its files there."""
    return {
        "CHAT_FILES_S3_BUCKET": BUCKET,
        "CHAT_FILES_S3_ENDPOINT": url,
        "CHAT_FILES_S3_REGION": "us-east-1",
        "CHAT_FILES_S3_KEY": KEY,
        "CHAT_FILES_S3_SECRET": SECRET,
    }
