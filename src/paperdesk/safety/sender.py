"""A sender inside the desk: notes for one receiver, asked of the door through its loopback proxy, and nobody waits for them.

`tell` puts a note into a bounded queue, and a thread asks for one after the other. What has no room is dropped. A note is asked for once,
and once more where the door went away in the middle; a receiver that is slow, refuses or wants a pause loses it. All of this is counted,
and said where it begins and where it ends.
"""

import threading
import time
from collections import deque
from queue import Empty, Full, Queue
from typing import Any, Final, NamedTuple

import msgspec

from paperdesk.safety import link

MOST_WAITING: Final = 32
PATIENCE_S: Final = 30.0
"""For an answer of the door. It waits 20 seconds for a receiver; one that begins again needs a few before."""
AGAIN_S: Final = 1.0
TRIES: Final = 2


class Counts(NamedTuple):
    """Notes by what became of them: taken by the receiver, not taken, never asked for."""

    sent: int
    failed: int
    dropped: int


class Sender:
    """Notes for one receiver. Its thread ends with the process, if `close` does not end it."""

    def __init__(
        self, url: str, purpose: str, port: int, token: str, patience_s: float = PATIENCE_S, again_s: float = AGAIN_S
    ) -> None:
        """`port` and `token` are the proxy's. For people the receiver is called by its host: who knows its path can write to it."""
        self.url, self.purpose, self.port, self.token = url, purpose, port, token
        self.host = url.split("/")[2]
        self.patience_s, self.again_s = patience_s, again_s
        self._sent = self._failed = self._dropped = 0
        self._is_full = self._fails = False
        self._notes: Queue[bytes | None] = Queue(MOST_WAITING)
        self._said: deque[str] = deque()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def tell(self, body: Any) -> None:
        """Send a JSON object, some time; never waits."""
        wish = {"purpose": self.purpose, "method": "POST", "url": self.url, "body": body}
        try:
            self._notes.put_nowait(msgspec.json.encode(wish))
            self._is_full = False
        except Full:
            self._dropped += 1
            if not self._is_full:
                self._said.append(f"{MOST_WAITING} notes wait for {self.host}; more of them are dropped.")
            self._is_full = True

    def said(self) -> list[str]:
        """What people should know of it, since they were told last."""
        return [self._said.popleft() for _ in range(len(self._said))]

    def counts(self) -> Counts:
        """What became of the notes that are not waiting."""
        return Counts(self._sent, self._failed, self._dropped)

    def close(self, until_s: float) -> None:
        """Wait until all notes were asked for, at most until a time of the monotonic clock; what is left is dropped."""
        try:
            self._notes.put(None, timeout=max(0.0, until_s - time.monotonic()))
            self._thread.join(max(0.0, until_s - time.monotonic()))
        except Full:
            pass  # its thread is held up, and the notes are dropped below
        under_way = self._thread.is_alive()
        while True:
            try:
                self._dropped += self._notes.get_nowait() is not None
            except Empty:
                break
        self._dropped += under_way

    def _work(self) -> None:
        while (wish := self._notes.get()) is not None:
            trouble = self._asked(wish)
            if not trouble:
                self._sent += 1
                if self._fails:
                    self._said.append(f"Notes reach {self.host} again.")
            else:
                self._failed += 1
                if not self._fails:
                    self._said.append(f"A note to {self.host} did not arrive: {trouble}")
            self._fails = bool(trouble)

    def _asked(self, wish: bytes) -> str:
        """Why a note did not arrive; empty where it did."""
        head = f"POST /send HTTP/1.1\r\nAuthorization: Bearer {self.token}\r\nContent-Length: {len(wish)}\r\n\r\n"
        trouble = ""
        for one in range(TRIES):
            if one:
                time.sleep(self.again_s)
            try:
                return _trouble(link.asked(self.port, head.encode() + wish, self.patience_s))
            except TimeoutError:
                return f"the door did not answer in {self.patience_s:g} s"
            except OSError as error:
                trouble = f"the door went away in the middle ({error})"
        return trouble


def _trouble(answer: bytes) -> str:
    """What an answer of the proxy says is wrong; ConnectionError where it is none."""
    try:
        told = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=dict[str, Any])
    except msgspec.DecodeError:
        raise ConnectionError("it ended without an answer") from None
    if "refused" in told:
        return str(told.get("message", told["refused"]))
    if isinstance(told.get("status"), int) and 200 <= told["status"] < 300:
        return ""
    return f"the receiver answered {told.get('status')}, {told.get('text')!r}"
