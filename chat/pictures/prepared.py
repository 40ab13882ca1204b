"""Pictures prepared for being shown, each by a process of its own (see `child`)."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.errors import ChatError, Unavailable
from chat.per_loop import PerLoop
from chat.pictures.metadata import STRIPPED

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
    """A file is no picture, or none that can be shown. `reason` says which of the reasons it is, in one word.

    `keeps_metadata` says that the file may still have the metadata that it came with.
    """

    code = "invalid_picture"

    def __init__(self, reason: str, *, keeps_metadata: bool = False) -> None:
        super().__init__(_REFUSALS[reason])
        self.reason = reason
        self.keeps_metadata = keeps_metadata


async def prepare(path: Path, *, edge: int = PREVIEW_EDGE, square: bool = False) -> Picture:
    """Measures the picture in the file at `path` (absolute), makes a preview, and removes the file's metadata.

    The preview has at most `edge` pixels on its longer side, or is a square of that side, cut from the middle.
    Animations stay if they aren't long; a square doesn't move. The file is written anew in place, without compressing
    the picture again, so its size may have changed. Pictures that are refused lose their metadata, too, unless the
    process ends before (`keeps_metadata`); files that are no pictures stay as they are.

    Raises InvalidPicture, with the reason in `reason` ("not_a_picture", "too_large", "broken", "too_slow"), and
    Unavailable while too many others wait or the file can't be written. See CHAT_PICTURE_PIXELS, CHAT_PICTURE_MEMORY,
    CHAT_PICTURE_SECONDS.
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
        stripped = Path(f"{request['path']}.stripped")
        limits = {
            "pixels": settings.CHAT_PICTURE_PIXELS,
            "memory": settings.CHAT_PICTURE_MEMORY,
            "seconds": settings.CHAT_PICTURE_SECONDS,
        }
        process = await asyncio.create_subprocess_exec(
            *self.command, stdin=PIPE, stdout=PIPE, cwd=settings.BASE_DIR, env={"LANG": "C.UTF-8"}
        )
        said = bytearray()
        try:
            async with asyncio.timeout(settings.CHAT_PICTURE_SECONDS + ENDING):
                await _talk(process, {**request, "stripped": str(stripped), **limits}, said)
        except TimeoutError:
            raise InvalidPicture("too_slow", keeps_metadata=not said.startswith(STRIPPED)) from None
        finally:
            await asyncio.shield(_end(process, stripped))
        return _answer(bytes(said), process.returncode)


async def _talk(process: Process, request: dict[str, Any], said: bytearray) -> None:
    """Adds to `said` what the process says. Its stdin stays open: by its end it learns that this process is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has ended, and the answer shows it
    while len(said) < ANSWER_MAX:
        part = await process.stdout.read(1 << 16)
        if not part:
            # Its status says why it has no answer. And asyncio warns where a process is killed that has just ended.
            await process.wait()
            return
        said += part


def _answer(said: bytes, status: int | None) -> Picture:
    """Reads what the process said. Raises InvalidPicture or Unavailable."""
    keeps_metadata = not said.startswith(STRIPPED)
    facts, _newline, content = said.removeprefix(STRIPPED).partition(b"\n")
    if not facts:  # ended by the kernel: its time was over, or its decoder crashed
        raise InvalidPicture("too_slow" if status == -signal.SIGALRM else "broken", keeps_metadata=keeps_metadata)
    answer = json.loads(facts)
    refused = answer.get("refused")
    if refused == "unwritable":
        raise Unavailable(_("Files can’t be stored at the moment. Please try again later."))
    if refused:
        raise InvalidPicture(refused, keeps_metadata=keeps_metadata and refused != "not_a_picture")
    return Picture(**answer, preview=content)


async def _end(process: Process, stripped: Path) -> None:
    """Ends the process, and deletes the file that it may have left at `stripped`."""
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            pass  # it ended in between
    await process.wait()
    await asyncio.to_thread(stripped.unlink, missing_ok=True)
