"""A client that hears messages and counts them: a browser, or one with GraphQL subscriptions."""

import re
import time
from array import array
from collections.abc import Sequence

from benchmarks.client_socket import ClientSocket

STAMP = re.compile(rb"@(\d+)@")  # the clock when a message was sent; the first one in a frame counts


class Tally:
    """The messages sent since `start` that the subscribers of a run have heard."""

    def __init__(self) -> None:
        self.closed = 0
        self.disordered = 0  # those that came after a later one of the same room
        self.errors: list[str] = []
        self.start()

    def start(self) -> None:
        self.since = time.monotonic_ns()
        self.latencies = array("q")  # nanoseconds
        self.last = time.monotonic()

    def hear(self, sent: int) -> bool:
        """Counts a message. False for one from an earlier phase that comes late."""
        if sent < self.since:
            return False
        self.latencies.append(time.monotonic_ns() - sent)
        self.last = time.monotonic()
        return True


class Subscriber(ClientSocket):
    """Counts what it hears; `operations` are GraphQL's first frames after the connection's, none for a browser.

    `ordered` is whether it hears one room once, so that each message has to be younger than the one before.
    """

    def __init__(self, tally: Tally, operations: Sequence[bytes] = (), *, ordered: bool = False) -> None:
        super().__init__()
        self.tally = tally
        self.operations = operations
        self.ordered = ordered
        self.heard = 0
        self.latest = 0
        self.due: dict[str, int] = {}  # how many copies of a message, by room

    def opened(self) -> None:
        if self.operations:
            self.say(b'{"type":"connection_init"}')
        else:
            super().opened()

    def lost(self) -> None:
        self.tally.closed += 1

    def take(self, text: bytes) -> None:
        if stamp := STAMP.search(text):
            self.hear(int(stamp[1]))
        elif b'"connection_ack"' in text:
            for operation in self.operations:
                self.say(operation)
            self.ready.set_result(None)  # what the server makes of the operations is not known yet
        elif b'"type"' in text and b'"ping"' in text:
            self.say(b'{"type":"pong"}')
        elif b'"error' in text:
            self.tally.errors.append(text[:300].decode(errors="replace"))

    def hear(self, sent: int) -> None:
        if self.ordered and sent < self.latest:
            self.tally.disordered += 1
        self.latest = sent
        self.heard += self.tally.hear(sent)
