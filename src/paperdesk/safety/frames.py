"""What a client may say over a stream: subscribe, unsubscribe, list. Nothing else can be put into words here.

A frame is decoded strictly, and what leaves is encoded anew from what was understood: no byte of the caller's own
spelling goes out, so nothing hides in repeated keys, escapes or white space. Pongs (and the pings that look whether the
other end is still there) are the protocol's own and carry no text of a caller's.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from paperdesk.safety.allowlist import STREAM, Entry

LONGEST_FRAME_BYTES: Final = 16_384
MOST_STREAMS: Final = 1_024
"""What one connection may subscribe to (Binance)."""


class Control(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}; listing has no params."""

    method: Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"]
    id: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    params: Annotated[
        list[Annotated[str, msgspec.Meta(pattern=rf"^(?:{STREAM})\Z", max_length=60)]],
        msgspec.Meta(max_length=MOST_STREAMS),
    ] = []


_DECODE = msgspec.json.Decoder(Control, strict=True).decode
_KEYS = re.compile(rb'"(?:[^"\\]|\\.)*"\s*:')


def frame_to_send(entry: Entry, frame: object) -> bytes | None:
    """The frame as it may leave over this entry's stream, or None where it may not. `frame`: text or bytes of JSON."""
    if isinstance(frame, str):
        frame = frame.encode("utf-8", "replace")
    if not isinstance(frame, bytes) or len(frame) > LONGEST_FRAME_BYTES:
        return None
    try:
        control = _DECODE(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    keys = _KEYS.findall(frame)
    if len(keys) != len(set(keys)) or control.method not in entry.frames:
        return None
    if (control.method == "LIST_SUBSCRIPTIONS") != (not control.params):
        return None
    return msgspec.json.encode(control)
