"""The port of market data: what a feed gives to the desk, and nothing that it could take.

A feed is a list of instruments and a stream of blocks of INPUT records (`domain.events`): trades, quotes, books,
bars and market status, in order of `ts_seq_ns`, which never decreases. `seq` is 0: the sequencer numbers them. A
feed read twice gives the same bytes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol

import numpy as np

from paperdesk.domain.assets import Asset
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason

Label = Literal["REPLAY", "SIMULATED", "LIVE MAINNET DATA"]


class Refusals(Counter[tuple[str, Reason]]):
    """How often market data of a symbol could not be used, by reason; ("", reason) stands for lines that name no symbol.

    `read` is how many lines of recordings were read, used or not (0 where there are no lines).
    """

    read: int = 0


BLOCK_ROWS: Final = 4096
"""The most rows of one block."""


class Feed(Protocol):
    """A source of market data."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The instruments that the blocks speak of; `number` is the place in this sequence."""

    @property
    def assets(self) -> Sequence[Asset]:
        """The assets of the instruments; `number` is the place in this sequence."""

    @property
    def label(self) -> Label:
        """Where the prices come from, for every surface that shows one."""

    @property
    def source(self) -> int:
        """Identity of the data: 62 bits of a hash over its content, the symbols and the options. Accounts are bound to
        it.
        """

    @property
    def refusals(self) -> Refusals:
        """What was not used, so far, in the current pass over the blocks; starts anew with each pass."""

    @property
    def notes(self) -> list[str]:
        """What a person should know about the data: grids that were inferred, fees that were assumed, parts that are
        missing.
        """

    @property
    def expected(self) -> int | None:
        """Roughly how many inputs the blocks hold, for a progress bar; None where the stream does not end."""

    def blocks(self, skip: int = 0) -> Iterator[np.ndarray]:
        """The stream from its start, without its first `skip` inputs: INPUT arrays of 1 to BLOCK_ROWS rows."""


class RecordingRefused(ValueError):  # noqa: N818  a refusal is the word used everywhere
    """Recordings that cannot be replayed; the message says what, why, and what to do."""


def without_first(blocks: Iterator[np.ndarray], skip: int) -> Iterator[np.ndarray]:
    """The blocks without their first `skip` rows."""
    for block in blocks:
        if skip >= len(block):
            skip -= len(block)
            continue
        yield block[skip:] if skip else block
        skip = 0
