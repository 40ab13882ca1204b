"""Processes of examples/: how each is started, and what it has printed so far."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, Signals

from chat import models
from tests import node
from tests.servers import ROOT

EXAMPLES = ROOT / "examples"
TIMEOUT = 60.0  # seconds for whatever a program is waited for: its pauses grow, and the machine may be busy


@dataclass(frozen=True)
class Example:
    """An example that answers `!echo …`: `files` of its folder, run by `command`.

    `kept` is the file with its position; empty where the site keeps that.
    """

    name: str
    files: list[str]
    command: list[str]
    kept: str

    def copy_to(self, folder: Path) -> None:
        """Has in `folder` what somebody has who copies the example, and installs what it needs."""
        for file in self.files:
            source = EXAMPLES / self.name / file
            if source.is_dir():
                shutil.copytree(source, folder / file)
            else:
                shutil.copy(source, folder)
        if self.command[0] == "node":
            (folder / "node_modules").symlink_to(node.installed() / "node_modules")
        if (folder / "tsconfig.json").exists():
            tools = ROOT / "node_modules"
            subprocess.run([tools / ".bin" / "tsc", "--typeRoots", tools / "@types"], cwd=folder, check=True)


PYTHON = Example("python", ["bot.py"], [sys.executable, "bot.py"], "position.json")
NODE = Example("node", ["bot.mjs", "package.json"], ["node", "bot.mjs"], "position.json")
SHELL = Example("shell", ["bot.sh", "say.sh"], ["./bot.sh"], "position")
TYPED_PYTHON = Example("typed-python", ["bot.py", "chat_client"], [sys.executable, "bot.py"], "position.json")
TYPED_TYPESCRIPT = Example(
    "typed-typescript",
    ["bot.ts", "operations.ts", "package.json", "tsconfig.json"],
    ["node", "dist/bot.js"],
    "position.json",
)
WEBHOOKS = Example("webhooks", ["bot.py"], [sys.executable, "bot.py"], "")
BOTS = [PYTHON, NODE, SHELL, TYPED_PYTHON, TYPED_TYPESCRIPT]


class Program:
    """One example in a room of its own name. It can be killed and started again where it was."""

    def __init__(self, example: Example, folder: Path, **variables: str) -> None:
        self.example = example
        self.room = example.name
        self.folder = folder
        self.position = folder / example.kept
        self._output = folder / "output"
        # Anything left in its TMPDIR by one that is killed is removed with the test's.
        self.variables = {**os.environ, **variables, "CHAT_ROOM": self.room, "TMPDIR": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        example.copy_to(folder)

    def start(self) -> None:
        self._process = self.run(*self.example.command, output=self._output)

    def run(self, *command: str, output: Path) -> subprocess.Popen[bytes]:
        """Starts a command of the example, which writes into `output`."""
        with output.open("wb") as file:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    @property
    def output(self) -> str:
        """All that it has printed since it was started."""
        return self._output.read_text()

    async def has_begun(self) -> None:
        """From then on it misses nothing, whatever becomes of it."""
        while not (self.position.exists() and "Listening" in self.output):
            await self._lives()

    async def has_answered(self, *texts: str) -> None:
        """Returns when its answers in the room are these, in this order, each once."""
        while (answers := await self.answers()) != [*texts]:
            assert len(answers) <= len(texts), (self.example.name, answers, self.output)
            await self._lives()

    async def answers(self) -> list[str]:
        replies = models.Message.objects.filter(room__name=self.room, reply_to__isnull=False).order_by("offset")
        return [message.text async for message in replies]

    def position_kept(self) -> bytes:
        return self.position.read_bytes() if self.example.kept else b""

    async def has_moved_on(self, position: bytes) -> None:
        """Returns when it has kept another position than this one, if it keeps any."""
        while self.example.kept and self.position_kept() == position:
            await self._lives()

    def set_back(self, position: bytes) -> None:
        if self.example.kept:
            self.position.write_bytes(position)

    async def _lives(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, (self.example.name, self.output)
        await asyncio.sleep(0.05)

    async def end(self, number: Signals | None = SIGTERM) -> int:
        """Sends it the signal, if any, and returns its exit status."""
        assert self._process is not None
        if number is not None:
            self._process.send_signal(number)
        return await asyncio.to_thread(self._process.wait, TIMEOUT)

    def kill(self) -> None:
        """At once, whatever state it is in."""
        if self._process:
            self._process.kill()
            self._process.wait()
