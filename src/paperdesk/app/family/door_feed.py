"""The live market as the engine sees it: what the door sends over its link, numbered by the engine's own clock.

Time: the engine numbers what came when it came, never backwards, and moves time itself while the market says nothing, so that orders
arrive and deadlines fire (TIMER inputs, logged like all others). A door that is silent shows as markets that are stale; when it speaks
again, they are what it last said of them. Nothing of this can be read a second time: a run goes on with what comes next.
"""

import select
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.app.family.tasks import Gone, NoOffer
from paperdesk.app.family.words import DECODE, ENCODE, Ask, Beat, Offer, Past, Rows
from paperdesk.domain.commands import command, define_instrument
from paperdesk.domain.events import INPUT, InputKind, MarketStatus
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.live.clock import Clock
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import BLOCK_ROWS, Label, Refusals
from paperdesk.safety.link import Link

OFFER_S: Final = 12.0
"""A door needs a second to start, and eight at most to open the venue."""
SILENT_NS: Final = 2_000_000_000
"""A door that said nothing for so long is taken for gone; it beats twice a second."""
QUIET_NS: Final = 250_000_000
IN_FLIGHT_NS: Final = 10_000_000
"""How often time moves by itself: when nothing is under way, and when orders are."""
WAIT_MS: Final = 10
STATUS, TIMER = InputKind.MARKET_STATUS, InputKind.TIMER


class DoorFeed:
    """See `feeds.port.Feed`; `blocks` does not end, and cannot be read twice."""

    expected: int | None = None
    label: Label

    def __init__(self, link: Link, wake: Link) -> None:
        """Asks the door for its offer; DeskError where there is none. `wake`: another link whose messages end a wait."""
        self.link, self.wake = link, wake
        self.refusals = Refusals()
        self.told: dict[str, object] = {}
        self._past: list[np.ndarray] = []
        self._first: list[np.ndarray] = []
        self.in_flight: Callable[[], bool] = lambda: False
        self._poll = select.poll()
        for one in (link, wake):
            self._poll.register(one.fileno(), select.POLLIN)
        offer = self._wait_for_offer()
        self.instruments, self.assets, self.source = offer.instruments, offer.assets, offer.source
        self.label, self.notes = offer.label, offer.notes  # type: ignore[assignment]
        self._stated: dict[int, tuple[int, int]] = {}
        self._clock = Clock()
        self._last_ns = self._heard_ns = 0
        self._is_silent = self._gone = False

    def _wait_for_offer(self) -> Offer:
        self.link.send(ENCODE(Ask()))
        waiting = select.poll()
        waiting.register(self.link.fileno(), select.POLLIN)
        until, why = time.monotonic() + OFFER_S, f"the door offered nothing in {OFFER_S:g} s"
        while (left_s := until - time.monotonic()) > 0 and waiting.poll(left_s * 1000):
            data = self.link.receive()
            said = DECODE.decode(data) if data is not None else None
            if isinstance(said, Offer) and said.answers:
                return said
            if isinstance(said, NoOffer):
                why = said.text  # of a door that was away; the next one may have an offer
            if isinstance(said, Past):
                self._past.append(np.frombuffer(said.data, INPUT))
        raise DeskError(f"The engine cannot begin without its market: {why}", EXIT_IO)

    def begin(self, last_ns: int, known: list[Instrument], in_flight: Callable[[], bool]) -> list[Instrument]:
        """Go on after a record that ends at `last_ns`; the markets that the venue changed since, which the first block defines anew.

        `known` are the definitions in force in the record; `in_flight` says whether orders are under way.
        """
        self._clock = Clock(start_ns=last_ns)
        self._last_ns, self.in_flight = last_ns, in_flight
        self._heard_ns = self._clock.now_ns()
        changed = []
        for place, (old, new) in enumerate(zip(known, self.instruments, strict=True)):
            if old.fields() != new.fields():
                self.instruments[place] = new._replace(version=old.version + 1)
                changed.append(self.instruments[place])
            else:
                self.instruments[place] = new._replace(version=old.version)
        self._first = [define_instrument(one) for one in changed]
        return changed

    def past(self) -> list[tuple[int, np.ndarray]]:
        """Bars from before this desk began that came with the offer: (instrument, BAR inputs)."""
        return [(int(bars["instrument"][0]), bars) for bars in self._past if len(bars)]

    def blocks(self, skip: int = 0) -> Iterator[np.ndarray]:
        """Blocks as they come; empty ones where something else waits to be done. `skip` says nothing here: it cannot be read twice."""
        for row in self._first:
            row["ts_event_ns"] = self._clock.now_ns()
            yield self._stamped(row)
        while True:
            rows = self._receive()
            now_ns = self._clock.now_ns()
            rows += self._silence(now_ns)
            if rows:
                yield self._stamped(joined(rows) if len(rows) > 1 else rows[0])
            elif now_ns - self._last_ns >= (IN_FLIGHT_NS if self.in_flight() else QUIET_NS):
                yield self._stamped(command(TIMER, ts_event_ns=now_ns))
            else:
                self._poll.poll(WAIT_MS)
                yield np.zeros(0, INPUT)

    def _receive(self) -> list[np.ndarray]:
        """What is there now, at most about one block."""
        found: list[np.ndarray] = []
        size = 0
        while size < BLOCK_ROWS and not self._gone and (data := self.link.receive()) is not None:
            self._heard_ns = self._clock.now_ns()
            said = DECODE.decode(data)
            if isinstance(said, Rows):
                found.append(np.frombuffer(bytearray(said.data), INPUT))
                size += len(found[-1])
            elif isinstance(said, Beat):
                self.told = said.told
            elif isinstance(said, Past):
                self._past.append(np.frombuffer(said.data, INPUT))
            elif isinstance(said, Offer):
                self._defined_anew(said)
            elif isinstance(said, Gone):
                self._heard_ns = 0
                self._gone = True
        if self._gone:  # what the dead door stated holds no more; the next one states its own
            self._gone = False
            self._stated.clear()
            return found
        for block in found:
            for row in block[block["kind"] == STATUS]:
                self._stated[int(row["instrument"])] = int(row["status"]), int(row["status_reason"])
        return found

    def _defined_anew(self, offer: Offer) -> None:
        """A door that was started again while we went on: its blocks mean the same, or they may not be used."""
        if not offer.answers:
            self.link.send(ENCODE(Ask()))
        same = [old.fields() == new.fields() for old, new in zip(self.instruments, offer.instruments, strict=False)]
        if len(offer.instruments) != len(self.instruments) or not all(same) or offer.source != self.source:
            raise DeskError(
                "The venue has changed the definition of a market; the engine begins again with the new one.", EXIT_IO
            )

    def _silence(self, now_ns: int) -> list[np.ndarray]:
        """The markets' status where the door fell silent, or speaks again."""
        silent = now_ns - self._heard_ns > SILENT_NS
        if silent == self._is_silent:
            return []
        self._is_silent = silent
        rows = []
        for number in range(len(self.instruments)):
            lost = int(MarketStatus.STALE), int(Reason.CONNECTION_LOST)
            status, reason = lost if silent else self._stated.get(number, lost)
            rows.append(command(STATUS, instrument=number, ts_event_ns=now_ns, status=status, status_reason=reason))
        return rows

    def _stamped(self, block: np.ndarray) -> np.ndarray:
        """Rows with the engine's time: when they came here by the door's clock, within what this clock has reached."""
        now_ns = max(self._last_ns, self._clock.now_ns())
        came_ns = np.maximum.accumulate(block["ts_seq_ns"] - self._clock.offset_ns)
        block["ts_seq_ns"] = np.where(block["ts_seq_ns"] == 0, now_ns, np.clip(came_ns, self._last_ns, now_ns))
        np.maximum.accumulate(block["ts_seq_ns"], out=block["ts_seq_ns"])
        self._last_ns = int(block["ts_seq_ns"][-1])
        return block
