"""What the journeys' desks are started with: a venue on this machine whose line can be cut, and a strategy that fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.family.test_live import venue

FAILING = """from paperdesk.strategies.api import Strategy


class Doomed(Strategy):
    name = "doomed"

    def on_quote(self, ctx, quote):
        ctx.memory["n"] = ctx.memory.get("n", 0) + 1
        if ctx.memory["n"] > 20:
            raise ZeroDivisionError("the plan ran out")
"""


class Line:
    """A port that passes bytes on to another one until it is cut, and again once it is mended."""

    def __init__(self, behind: str) -> None:
        host, _, port = behind.partition(":")
        self.behind = (host, int(port))
        self.whole = True
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(self.behind)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=pump, args=(source, target)))
                self._threads[-1].start()

    def cut(self) -> None:
        """Every connection ends, and a new one ends at once."""
        self.whole = False
        while self._open:
            hang_up(self._open.pop())

    def mend(self) -> None:
        """New connections are passed on."""
        self.whole = True

    def close(self) -> None:
        """For good."""
        hang_up(self._listening)
        self.cut()
        for thread in self._threads:
            thread.join()


def hang_up(one: socket.socket) -> None:
    """Wake whoever waits for it, and close it."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes from one to the other, until either ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to_venue(*arguments: str) -> Iterator[Line]:
    """A venue that plays, and the line to it."""
    with venue(*arguments) as behind:
        line = Line(behind)
        try:
            yield line
        finally:
            line.close()
