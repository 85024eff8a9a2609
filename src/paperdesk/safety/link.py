"""How the processes of a desk speak with each other: pairs of local sockets that the supervisor makes before it starts them.

A link carries whole messages (SEQPACKET), so that a process that dies in the middle of its work leaves no half of one behind. Both
ends are inherited and kept open by the supervisor: a process that is started again goes on with the same end, and what was said
to it meanwhile is still there. Nobody behind a wall but the door needs `socket` or `connect`; the supervisor connects to loopback alone
(`asked`), where the door serves its senders.
"""

import contextlib
import socket
import time
from typing import Final

MOST_BYTES: Final = 128 * 1024
"""The largest message."""
BUFFER_BYTES: Final = 4 * 1024 * 1024
"""Asked of the kernel for what is under way (it gives less where its own bound is lower)."""
LOOPBACK: Final = ("127.0.0.1", "::1")
BACKLOG: Final = 512
MOST_ANSWERED_BYTES: Final = 256 * 1024
"""The largest answer to what was asked on loopback."""


def pair() -> tuple[int, int]:
    """Both ends of a new link, as descriptors that are inherited only where a process is given them."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return ends[0].detach(), ends[1].detach()


class Link:
    """One end of a link; never waits."""

    def __init__(self, descriptor: int) -> None:
        """Takes an inherited descriptor over."""
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, message: bytes) -> bool:
        """Whether a message of at most MOST_BYTES went out; False where there is no room now, or nobody on the other side."""
        assert 0 < len(message) <= MOST_BYTES, "a message has a size, and a bound"
        try:
            self._socket.send(message)
        except (BlockingIOError, BrokenPipeError, ConnectionError):
            return False
        return True

    def receive(self) -> bytes | None:
        """The next message; None where there is none. EOFError where the other side is gone for good."""
        try:
            message = self._socket.recv(MOST_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        if not message:
            raise EOFError("the other side of the link is closed")
        return message

    def close(self) -> None:
        """Let go of this end."""
        self._socket.close()


def listen(host: str, port: int) -> tuple[int, int]:
    """A listening socket on loopback for a process that inherits it: (descriptor, port; 0 is given a free one).

    ValueError where `host` is not loopback, OSError where the port cannot be had.
    """
    if host not in LOOPBACK:
        raise ValueError(f"{host} is not an address of this machine alone")
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    given = int(made.getsockname()[1])
    return made.detach(), given


def inherited(descriptor: int) -> socket.socket:
    """A listening socket that this process was given, for a server that takes one."""
    return socket.socket(fileno=descriptor)


def asked(port: int, request: bytes, within_s: float) -> bytes:
    """All that a server on loopback answers, until it ends the connection.

    TimeoutError where it does not within `within_s`, another OSError where the connection cannot be made, breaks off, or brings too much.
    """
    until = time.monotonic() + within_s
    answer = b""
    with socket.create_connection((LOOPBACK[0], port), within_s) as made:
        made.sendall(request)
        while (left_s := until - time.monotonic()) > 0:
            made.settimeout(left_s)
            piece = made.recv(MOST_BYTES)
            if not piece:
                return answer
            answer += piece
            if len(answer) > MOST_ANSWERED_BYTES:
                raise ConnectionError(f"an answer of over {MOST_ANSWERED_BYTES:,} bytes")
    raise TimeoutError(f"no whole answer in {within_s:g} s")
