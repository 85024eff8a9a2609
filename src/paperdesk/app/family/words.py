"""What door and engine say to each other, as msgpack.

The door offers what it found at the venue (`Offer`), then sends blocks of INPUT rows as they come, in order. An engine that was started
again asks (`Ask`): the door offers anew, calls every market gapped, and shows it whole again, because what was under way to the
engine that died is lost.
"""

from typing import Any, Final

import msgspec

from paperdesk.app.family.tasks import Gone, NoOffer, Word
from paperdesk.domain.assets import Asset
from paperdesk.domain.events import INPUT_BYTES
from paperdesk.domain.instruments import Instrument
from paperdesk.safety.link import MOST_BYTES


class Offer(Word):
    """What the door has: the markets as the venue defines them now."""

    instruments: list[Instrument]
    assets: list[Asset]
    label: str
    source: int
    notes: list[str]
    answers: bool
    """Whether this answers an `Ask`; a door that was started again offers unasked."""


class Rows(Word):
    """Market inputs in order: rows of INPUT, end to end."""

    data: bytes


class Beat(Word):
    """Twice a second, whatever happens at the venue: the door lives. `told` is for people and metrics, see `api.messages.Pulse.feed`."""

    told: dict[str, Any]


class Past(Word):
    """Before the answer to an `Ask`: closed one-minute bars, for charts and for indicators to warm up: rows of INPUT."""

    data: bytes


FromDoor = Offer | NoOffer | Rows | Beat | Past | Gone


class Ask(Word):
    """An engine that begins: offer, and call every market gapped until it is whole again."""


DECODE: Final = msgspec.msgpack.Decoder(FromDoor)
DECODE_ASK: Final = msgspec.msgpack.Decoder(Ask)
ENCODE: Final = msgspec.msgpack.Encoder().encode
MOST_ROWS: Final = (MOST_BYTES - 64) // INPUT_BYTES
