"""What the supervisor hands the door's process for its senders: the token that they show, and the receivers that there are.

It goes through an inherited pipe, one for each start of the door, since a pipe is read once. Arguments and environment will not do: other users
of this machine can read the former, and who knows a receiver's address can write to it.
"""

import os
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

TOKEN_BYTES: Final = 32


class Handed(msgspec.Struct, frozen=True):
    """`receivers`: (url, purpose) of each, in the order of the settings."""

    token: str
    receivers: list[tuple[str, str]]


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_hex(TOKEN_BYTES)


def hand_over(token: str, receivers: Sequence[tuple[str, str]] = ()) -> int:
    """The read end of a pipe that holds all this, for one process to inherit; the caller closes its own."""
    data = msgspec.json.encode(Handed(token, list(receivers)))
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        os.set_blocking(writing, False)  # nobody reads yet: what has no room must not wait for any
        if pipe.write(data) != len(data):
            os.close(reading)
            raise OSError("a pipe has no room for the receivers of the settings")
    return reading


def taken(descriptor: int) -> Handed:
    """What an inherited pipe holds, which is closed; ValueError where it holds nothing."""
    with os.fdopen(descriptor, "rb") as pipe:
        data = pipe.read()
    if not data:
        raise ValueError("the pipe holds no token: it was read before, or nobody wrote one")
    return msgspec.json.decode(data, type=Handed)
