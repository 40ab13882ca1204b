"""The picture process: `python -m chat.pictures.child`, with one request on stdin and one answer on stdout.

It is alone with its picture, since a decoder that a hostile file takes over, or that hangs, is ended with its process.
It has no Django, no settings and none of the site's environment. The kernel limits its memory and ends it when its
time is over; it ends itself when its parent is gone.

Request: a line of JSON with `path`, `edge`, `square`, and the limits `pixels`, `memory` (bytes), `seconds`; and
`stripped`, a path beside that of the picture, for the picture without metadata until it takes the picture's place.
Answer: the line STRIPPED once the file at `path` has no metadata; then a line of JSON, `{"refused": reason}` or the
fields of a preview, whose content follows.
"""

import json
import os
import resource
import signal
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

from PIL import Image

from chat.pictures.metadata import STRIPPED, stripped
from chat.pictures.previews import preview

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request["memory"], request["seconds"])
    Thread(target=_end_with_parent, daemon=True).start()
    facts, content = answer(request)
    _say(json.dumps(facts).encode() + b"\n" + content)
    os._exit(0)  # without waiting for the thread, which reads


def answer(request: dict[str, Any]) -> Answer:
    path = Path(request["path"])
    warnings.simplefilter("ignore")  # Pillow's, about files that are odd
    try:
        if not _strip(path, Path(request["stripped"])):
            return {"refused": "not_a_picture"}, b""
    except OSError:
        return {"refused": "unwritable"}, b""
    except MemoryError:
        return {"refused": "too_large"}, b""
    except Exception:  # files that mean it ill find what `stripped` hasn't thought of
        return {"refused": "broken"}, b""
    _say(STRIPPED)
    try:
        made = preview(path, edge=request["edge"], square=request["square"], pixels=request["pixels"])
    except Image.DecompressionBombError:
        return {"refused": "too_large"}, b""
    except MemoryError:
        return {"refused": "too_large"}, b""
    except Exception:  # decoders raise all kinds for broken files: OSError, SyntaxError, struct.error, ValueError, …
        return {"refused": "broken"}, b""
    facts = asdict(made)
    return facts, facts.pop("content")


def _say(part: bytes) -> None:
    sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _strip(path: Path, written: Path) -> bool:
    """Removes the metadata of the picture at `path`, by way of a new file; False if it is no picture."""
    content = path.read_bytes()
    without = stripped(content)
    if without is None:
        return False
    if without != content:
        # A process that is ended here leaves the old file or the new one, never half of it.
        written.touch(mode=0o600)
        written.write_bytes(without)
        written.chmod(path.stat().st_mode)
        written.replace(path)
    return True


def _limit(memory: int, seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # No handler: the kernel ends the process, whatever it does at the time.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _end_with_parent() -> None:
    """The parent holds stdin open for as long as it lives and waits."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
