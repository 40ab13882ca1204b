"""Deliveries: requests whose receiver takes what it is sent by its status, whatever becomes of the body after that."""

import asyncio
from collections.abc import Mapping

from aiohttp import ClientError, ClientResponse, ClientTimeout

from chat.outgoing.addresses import RECEIVERS_PORTS
from chat.outgoing.client import CHUNK, CONNECT_TIMEOUT, Answer, Client, checked, failures

BODY_TIMEOUT = 5.0  # seconds for the body of an answer, once its head is there


class DeliveryClient(Client):
    """A way out of its own, so that slow receivers hold up no previews of links and no notifications."""

    connections = 400  # more than there are attempts: a delivery that waited for another's would look slow itself
    connections_per_host = 0  # no limit: many webhooks may have one receiver
    ports = RECEIVERS_PORTS
    name_threads = 32  # receivers' names are asked for again and again, those too whose servers don't answer
    keepalive = 2.0  # a POST isn't repeated by itself where the receiver has hung up meanwhile

    async def deliver(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        limit: int,
        timeout: float,  # noqa: ASYNC109  # until the head of the answer is there
    ) -> Answer:
        """The answer to a POST, whatever its status; redirects aren't followed. Raises an OutgoingError.

        At most `limit` bytes of the answer's body are kept. It is incomplete if it was longer, broke off, came too
        slowly, or wasn't what its head says.
        """
        address, session = checked(url), self._open()
        async with failures(address, session, timeout + 2 * BODY_TIMEOUT):
            async with asyncio.timeout(timeout):
                response = await session.post(
                    address,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
                )
            try:
                came, complete = await _read(response, limit)
            finally:
                response.close()  # the connection is kept, if all was read before
            too_long = len(came) > limit
            complete = complete and not too_long
            return Answer(str(response.url), response.status, response.headers, came[:limit], complete, too_long)


async def _read(response: ClientResponse, limit: int) -> tuple[bytes, bool]:
    """The body, or what came of it, and whether nothing failed. More than `limit` bytes, if it is longer."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for chunk in response.content.iter_chunked(CHUNK):
                body += chunk
                if len(body) > limit:
                    break
    except (ClientError, OSError, ValueError):  # a TimeoutError is an OSError
        return bytes(body), False
    return bytes(body), True
