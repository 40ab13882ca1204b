"""HTTP to hosts that strangers name, without harm to this site or to what is near it.

A connection is let through or refused where its socket is made, by the address that it is made to. So it doesn't
matter how an address is written in a URL, what a name resolved to a moment ago, or where a redirect leads. What comes
back is limited in time and bytes, and nothing that belongs to the site or a person goes along: no cookies, no
credentials, no referrer. No proxy is used, whatever the machine names: through one, addresses couldn't be checked.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import (
    AddrInfoType,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from multidict import CIMultiDictProxy
from yarl import URL

from chat.outgoing.addresses import WEB_PORTS, objection
from chat.outgoing.problems import Problem, problem_of
from chat.outgoing.resolver import Resolver
from chat.per_loop import PerLoop

TOTAL_TIMEOUT = 15.0  # seconds for a request with all its redirects, and with waiting for a connection
CONNECT_TIMEOUT = 5.0  # seconds, of each connection
READ_TIMEOUT = 5.0  # seconds without a byte
NAMES_KEPT = 10  # seconds for which the addresses of a name are kept
MAX_REDIRECTS = 5
MAX_URL = 2000  # characters
CHUNK = 64 * 1024  # bytes
REDIRECTS = {301, 302, 303, 307, 308}
USER_AGENT = "Mozilla/5.0 (compatible; chat server)"


class OutgoingError(Exception):
    """A request that brought no answer. Its text is for logs; it names no more of a URL than the host."""

    def __init__(self, text: str, problem: Problem = Problem.OTHER) -> None:
        super().__init__(text)
        self.problem = problem


class Refused(OutgoingError):
    """The URL, or the address it leads to, isn't one that this site sends requests to."""


class Unreachable(OutgoingError):
    """The host couldn't be reached, broke off, took too long, or doesn't speak HTTP."""


class TooLarge(OutgoingError):
    """The body is longer than the caller takes."""


class Stopped(OutgoingError):
    """The client was closed meanwhile: nothing is known of the host."""


class AddressRefused(OSError):
    """Raised where a socket is about to be made."""

    def __init__(self, problem: Problem) -> None:
        super().__init__("not an address to ask")  # aiohttp raises the first of several errors that read alike
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Answer:
    url: str  # that it came from in the end, after redirects
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    complete: bool  # false where the rest was left out, or never came
    too_long: bool = False  # the rest was left out, as the body had more bytes than the caller takes


class Client(PerLoop):
    """The way out of one event loop: `Client.here()`."""

    connections = 50
    connections_per_host = 10
    ports: Container[int] = WEB_PORTS  # at public addresses
    name_threads = 4  # that look up names
    keepalive = 15.0  # seconds for which a connection is kept for the next request

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def fetch(
        self,
        url: str,
        *,
        limit: int,
        cut: bool = False,
        accept: str = "*/*",
        timeout: float = TOTAL_TIMEOUT,  # noqa: ASYNC109  # of all its parts together
    ) -> Answer:
        """The answer to a GET, after at most MAX_REDIRECTS redirects. Any status is an answer.

        The body has at most `limit` bytes, counted after decompression. A longer one is an error, or with `cut`, its
        beginning is returned. Raises an OutgoingError.
        """
        address, session = checked(url), self._open()
        async with failures(address, session, timeout):
            for _ in range(MAX_REDIRECTS + 1):
                async with session.get(address, headers={"Accept": accept}, allow_redirects=False) as response:
                    target = response.headers.get("Location")
                    if response.status not in REDIRECTS or target is None:
                        return await _answer(response, limit, cut)
                address = _redirected(address, target)
            raise Refused(f"{address.host} redirects too often", Problem.REDIRECTS)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        limit: int = CHUNK,
        timeout: float = TOTAL_TIMEOUT,  # noqa: ASYNC109  # of all its parts together
    ) -> Answer:
        """The answer to a POST, whatever its status; redirects aren't followed. Raises an OutgoingError.

        Of the answer's body, at most `limit` bytes are kept.
        """
        address, session = checked(url), self._open()
        async with (
            failures(address, session, timeout),
            session.post(address, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return await _answer(response, limit, cut=True)

    async def close(self) -> None:
        """Ends what is under way. A later request begins anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=self.connections,
                    limit_per_host=self.connections_per_host,
                    keepalive_timeout=self.keepalive,
                    resolver=Resolver(self.name_threads),
                    use_dns_cache=NAMES_KEPT > 0,
                    ttl_dns_cache=NAMES_KEPT,
                    socket_factory=self._make_socket,
                ),
                cookie_jar=DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
                timeout=ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
                trust_env=False,
            )
        return self._session

    def _make_socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for a connection to that address, if it may be opened."""
        family, kind, protocol, _, address = info
        if problem := objection(str(address[0]), int(address[1]), self.ports):
            raise AddressRefused(problem)
        return socket.socket(family, kind, protocol)


def checked(url: str) -> URL:
    """The URL, if it is one that requests may be sent to as far as its text tells. Raises Refused."""
    if len(url) > MAX_URL:
        raise Refused("the URL is too long", Problem.URL_TOO_LONG)
    try:
        address = URL(url)
    except ValueError:
        raise Refused("the URL is malformed", _flaw(url)) from None
    if address.scheme not in {"http", "https"}:
        raise Refused("not a URL of the web", Problem.NO_WEB_URL)
    if not address.host:
        raise Refused("a URL without a host", Problem.NO_HOST)
    if address.user is not None or address.password is not None:
        raise Refused(f"{address.host} with credentials", Problem.CREDENTIALS)
    if not address.port:
        raise Refused(f"{address.host} at port 0", Problem.PORT_OUT_OF_RANGE)
    if not _may_be_host(address):
        raise Refused("a host that can't be", Problem.BAD_HOST)
    return address


def _flaw(url: str) -> Problem:
    """The reason for which a URL is malformed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Problem.MALFORMED_URL
    if parts.scheme not in {"http", "https"}:
        return Problem.NO_WEB_URL
    if not parts.hostname:
        return Problem.NO_HOST
    try:
        _ = parts.port
    except ValueError:
        return Problem.PORT_OUT_OF_RANGE
    return Problem.BAD_HOST


def _may_be_host(address: URL) -> bool:
    """Whether names can be looked up that are like the host's: none of their parts is empty, or too long."""
    try:
        (address.raw_host or "").encode("idna")
    except UnicodeError:
        return False
    return True


def _redirected(address: URL, target: str) -> URL:
    try:
        return checked(str(address.join(URL(target))))
    except ValueError:
        raise Refused(f"{address.host} redirects to a malformed URL", Problem.REDIRECTS) from None


async def _answer(response: ClientResponse, limit: int, cut: bool) -> Answer:
    if not cut and (response.content_length or 0) > limit:
        raise TooLarge(f"{response.url.host}: {response.content_length} bytes", Problem.TOO_LARGE)
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > limit:
            break
    complete = len(body) <= limit
    if not (complete or cut):
        raise TooLarge(f"{response.url.host}: more than {limit} bytes", Problem.TOO_LARGE)
    return Answer(str(response.url), response.status, response.headers, bytes(body[:limit]), complete, not complete)


@asynccontextmanager
async def failures(address: URL, session: ClientSession, timeout: float) -> AsyncIterator[None]:  # noqa: ASYNC109
    """Makes an OutgoingError of whatever aiohttp, a socket or the clock raises."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except OutgoingError:
        raise
    # A TimeoutError is an OSError; odd headers are ValueErrors; a session that is closed raises RuntimeErrors.
    except (ClientError, OSError, RuntimeError, ValueError) as error:
        if session.closed:
            raise Stopped(f"{address.host}: stopped") from None
        refused = getattr(error, "os_error", error)
        if isinstance(refused, AddressRefused):
            raise Refused(f"{address.host}: {refused.problem}", refused.problem) from None
        raise Unreachable(f"{address.host}: {type(error).__name__}", problem_of(error)) from error
