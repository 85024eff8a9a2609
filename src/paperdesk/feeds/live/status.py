"""Whether a live market can be trusted, from all that may speak against it; told once, whenever the sum changes.

The book says of itself whether its numbers have a hole (`sequenced`); the supervisor knows of lost connections, of
trades that were missed, of streams that fell silent. The market is LIVE when nothing speaks against it.
"""

from enum import IntFlag

from paperdesk.domain.events import MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.writer import Writer


class Cause(IntFlag):
    """What speaks against a market's data."""

    LINK = 1
    """Not connected, or not yet put together again since."""
    BOOK = 2
    """The book's numbers have a hole."""
    TRADES = 4
    """The trades' numbers have a hole."""
    SILENT = 8
    """A stream fell silent while the venue went on."""


class LiveWriter(Writer):
    """A writer that merges causes into one status a market; the book's own calls of `status` are one of them."""

    __slots__ = ("_causes",)

    def __init__(self, refusals: Refusals, markets: int) -> None:
        super().__init__(refusals)
        self._causes = [Cause(0)] * markets

    def causes(self, number: int) -> Cause:
        """What speaks against a market now."""
        return self._causes[number]

    def status(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, status: MarketStatus, reason: Reason
    ) -> None:
        """What the book says of itself."""
        self._set(number, symbol, event_ns, seq_ns, Cause.BOOK, status is not MarketStatus.LIVE)

    def mark(self, number: int, symbol: str, seq_ns: int, cause: Cause, against: bool) -> bool:
        """Sets or lifts a cause; whether the market became LIVE by it."""
        return self._set(number, symbol, seq_ns, seq_ns, cause, against)

    def _set(self, number: int, symbol: str, event_ns: int, seq_ns: int, cause: Cause, against: bool) -> bool:
        before = self._causes[number]
        after = self._causes[number] = before | cause if against else before & ~cause
        told, now = told_as(before), told_as(after)
        if now != told:
            super().status(number, symbol, event_ns, seq_ns, *now)
        return now != told and now[0] is MarketStatus.LIVE


def told_as(causes: Cause) -> tuple[MarketStatus, Reason]:
    """The status that causes amount to, and the reason that is told."""
    if causes & (Cause.BOOK | Cause.TRADES):
        return MarketStatus.GAP, Reason.SEQUENCE_GAP
    if causes & Cause.LINK:
        return MarketStatus.STALE, Reason.CONNECTION_LOST
    if causes & Cause.SILENT:
        return MarketStatus.STALE, Reason.STALE_DATA
    return MarketStatus.LIVE, Reason.NONE
