"""What a live feed needs of the way out: answers and streams. `safety.door.Door` is one such; tests bring others.

Whatever comes instead of an answer is `safety.outside.NoAnswer`, with a reason.
"""

from typing import Protocol


class Tap(Protocol):
    """An open stream of messages."""

    async def receive(self) -> bytes:
        """The next message; NoAnswer when the stream is over."""

    async def close(self) -> None:
        """Ends it."""


class Wire(Protocol):
    """Requests and streams."""

    async def get(self, address: str) -> bytes:
        """The body of a JSON answer; NoAnswer."""

    async def connect(self, address: str) -> Tap:
        """An open stream; NoAnswer."""
