"""A browser that posts, waits for the echo, and posts again."""

import asyncio
import re
import time

from benchmarks.client_socket import ClientSocket
from benchmarks.order import Order

OFFSET = re.compile(rb'"offset": ?(\d+)')
TEXT = "x" * 50


class Poster(ClientSocket):
    """Posts until it is told to `stop`, with `pause` seconds between an echo and the next post.

    `samples` has, for each echo, when its message was sent, and how long that took, in nanoseconds of the monotonic
    clock. `stopped` is set with the last echo, or when the socket is gone.
    """

    def __init__(self, name: str, pause: float = 0.0) -> None:
        super().__init__()
        self.order = Order()
        self.samples: list[tuple[int, int]] = []
        self.unanswered = False
        self.errors: list[str] = []
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._pause = pause
        self._number = 0
        self._sent = 0
        self._stopping = False

    def post(self) -> None:
        self._number += 1
        self._waiting_for = f'"{self._name}-{self._number}"'.encode()
        self.unanswered = True
        self._sent = time.monotonic_ns()
        self.say(b'{"message":"%s","client_id":%s}' % (TEXT.encode(), self._waiting_for))

    def stop(self) -> None:
        self._stopping = True
        if not self.unanswered and not self.stopped.done():
            self.stopped.set_result(None)

    def take(self, text: bytes) -> None:
        if offset := OFFSET.search(text):
            self.order.hear(int(offset[1]))
        if self.unanswered and self._waiting_for in text:
            if b'"error"' in text:
                self.errors.append(text[:300].decode(errors="replace"))
            else:
                self.samples.append((self._sent, time.monotonic_ns() - self._sent))
            self.unanswered = False
            self._go_on()

    def _go_on(self) -> None:
        if self._stopping:
            self.stop()
        elif self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._post_again)
        else:
            self.post()

    def _post_again(self) -> None:
        if not self._stopping and not self.closed:
            self.post()

    def lost(self) -> None:
        if not self.stopped.done():
            self.stopped.set_result(None)
