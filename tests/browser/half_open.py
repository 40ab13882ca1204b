"""A proxy whose connections can be made half-open: nobody hears from the other side any more, nor that it is gone."""

import contextlib
import socket
import threading
from types import TracebackType


class HalfOpenProxy:
    """Forwards connections on a port of its own to the server at `port` of this machine, until it falls silent."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1:{1}".format(*self._listening.getsockname())
        self._sockets: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "HalfOpenProxy":
        self._threads[0].start()
        return self

    def fall_silent(self) -> None:
        """From now on nothing passes through the connections that are open, not even their end. Later ones work."""
        self._silent |= self._sockets

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return  # closed
            far = socket.create_connection(self._target)
            self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pipe, args=(source, sink))
                self._threads.append(thread)
                thread.start()

    def _pipe(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if source not in self._silent:
                    sink.sendall(data)
            if source not in self._silent:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of them was closed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listening, *self._sockets):
            with contextlib.suppress(OSError):  # it is closed at the other end, too
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in (self._listening, *self._sockets):
            each.close()
