"""Pictures prepared for being shown, each by a process of its own (see `child`)."""

import asyncio
import json
import signal
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.errors import ChatError, Unavailable
from chat.per_loop import PerLoop

PREVIEW_EDGE = 1024  # pixels of the longer side
AT_ONCE = 1  # picture processes of one server process
WAITING_MAX = 50  # pictures that wait for their turn
ENDING = 1.0  # seconds that a process has to end by itself once its time is over
ANSWER_MAX = 16_000_000  # bytes; the preview of the longest animation has a tenth

_REFUSALS = {
    "not_a_picture": _("This is no picture that can be shown: JPEG, PNG, GIF and WebP can."),
    "too_large": _("The picture has too many pixels."),
    "broken": _("The picture is damaged."),
    "too_slow": _("The picture took too long to read."),
}


@dataclass(frozen=True)
class Picture:
    """A picture, and its preview (WebP). Widths and heights are in pixels, as it is seen, so after turning."""

    type: str
    width: int
    height: int
    preview_width: int
    preview_height: int
    animated: bool
    preview: bytes


class InvalidPicture(ChatError):
    """A file is no picture, or none that can be shown. `reason` says which of the reasons it is, in one word."""

    code = "invalid_picture"

    def __init__(self, reason: str) -> None:
        super().__init__(_REFUSALS[reason])
        self.reason = reason


async def prepare(path: Path, *, edge: int = PREVIEW_EDGE, square: bool = False) -> Picture:
    """Measures the picture in the file at `path` (absolute), makes a preview, and removes the file's metadata.

    The preview has at most `edge` pixels on its longer side, or is a square of that side, cut from the middle.
    Animations stay if they aren't long; a square doesn't move. The file is written anew in place, without compressing
    the picture again, so its size may have changed. Pictures that are refused lose their
    metadata, too; files that are no pictures stay as they are.

    Raises InvalidPicture, with the reason in `reason` ("not_a_picture", "too_large", "broken", "too_slow"), and
    Unavailable while too many others wait. See CHAT_PICTURE_PIXELS, CHAT_PICTURE_MEMORY, CHAT_PICTURE_SECONDS.
    """
    return await PictureProcesses.here().prepare(path, edge=edge, square=square)


class PictureProcesses(PerLoop):
    """Gives pictures their turns, so that few are decoded at a time."""

    command = (sys.executable, "-m", "chat.pictures.child")

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def prepare(self, path: Path, *, edge: int, square: bool) -> Picture:
        if self._waiting >= WAITING_MAX:
            raise Unavailable(_("Too many pictures are being prepared. Please try again in a moment."))
        self._waiting += 1
        try:
            async with self._turns:
                picture = await self._ask({"path": str(path), "edge": edge, "square": square})
        except InvalidPicture as refusal:
            metrics.PICTURES.labels(refusal.reason).inc()
            raise
        finally:
            self._waiting -= 1
        metrics.PICTURES.labels("prepared").inc()
        return picture

    async def _ask(self, request: dict[str, Any]) -> Picture:
        limits = {
            "pixels": settings.CHAT_PICTURE_PIXELS,
            "memory": settings.CHAT_PICTURE_MEMORY,
            "seconds": settings.CHAT_PICTURE_SECONDS,
        }
        process = await asyncio.create_subprocess_exec(
            *self.command, stdin=PIPE, stdout=PIPE, cwd=settings.BASE_DIR, env={"LANG": "C.UTF-8"}
        )
        try:
            async with asyncio.timeout(settings.CHAT_PICTURE_SECONDS + ENDING):
                facts, content = await _answer(process, {**request, **limits})
        except TimeoutError:
            raise InvalidPicture("too_slow") from None
        finally:
            await asyncio.shield(_end(process))
        if "refused" in facts:
            raise InvalidPicture(facts["refused"])
        return Picture(**facts, preview=content)


async def _answer(process: Process, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the process answers. Its stdin stays open meanwhile: by the end of that it learns that this one is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has ended, and the answer shows it
    facts, _newline, content = (await _read(process.stdout)).partition(b"\n")
    if not facts:  # ended by the kernel: its time was over, or its decoder crashed
        await process.wait()
        raise InvalidPicture("too_slow" if process.returncode == -signal.SIGALRM else "broken")
    return json.loads(facts), content


async def _read(stream: StreamReader) -> bytes:
    """All that comes; the beginning of what is longer than any answer."""
    parts, size = [], 0
    while size < ANSWER_MAX and (part := await stream.read(1 << 16)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


async def _end(process: Process) -> None:
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            pass  # it ended in between
    await process.wait()
