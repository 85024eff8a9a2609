"""What waits at the door for an engine that does not read: all trades, the newest book and quote of each market, and a count of what was left out."""

from __future__ import annotations

import numpy as np

from paperdesk.app.family.door import Outgoing
from paperdesk.app.family.words import DECODE, Rows
from paperdesk.domain.events import INPUT, InputKind, inputs
from paperdesk.safety.link import Link, pair

TRADE, QUOTE = int(InputKind.TRADE), int(InputKind.QUOTE)


def block(start: int, count: int, every: int) -> np.ndarray:
    """Quotes of two markets in turn, with a trade at every so many rows; numbered by their time."""
    rows = inputs(count)
    rows["kind"], rows["instrument"] = QUOTE, np.arange(count) % 2
    rows["ts_event_ns"] = np.arange(start, start + count)
    rows["kind"][::every] = TRADE
    return rows


def read(link: Link, outgoing: Outgoing) -> np.ndarray:
    """Everything, by an engine that reads again."""
    found = []
    while True:
        data = link.receive()
        if data is None:
            outgoing.pump()
            data = link.receive()
        if data is None:
            return np.frombuffer(b"".join(found), INPUT)
        said = DECODE.decode(data)
        assert isinstance(said, Rows)
        found.append(said.data)


def through(count: int, every: int) -> tuple[np.ndarray, np.ndarray, Outgoing, list[bool]]:
    """What was put in, what came out, and how."""
    here, there = pair()
    outgoing, link = Outgoing(Link(here)), Link(there)
    try:
        given = [block(start, 4_000, every) for start in range(0, count, 4_000)]
        given += [block(start, 4_000, 1) for start in range(count, count + 40_000, 4_000)]
        whole = [outgoing.put(one) for one in given]
        return np.frombuffer(b"".join(one.tobytes() for one in given), INPUT), read(link, outgoing), outgoing, whole
    finally:
        outgoing.link.close()
        link.close()


def test_an_engine_that_reads_late_gets_every_trade_and_the_newest_quotes() -> None:
    given, came, outgoing, whole = through(120_000, 10)
    assert outgoing.conflated > 0 and outgoing.dropped == 0 and all(whole)
    assert len(came) == len(given) - outgoing.conflated, "what was left out was counted"
    times = came["ts_event_ns"]
    assert (np.diff(times) > 0).all(), "in order, none twice"
    assert came[came["kind"] == TRADE].tobytes() == given[given["kind"] == TRADE].tobytes()
    for market in (0, 1):
        last = given[(given["kind"] == QUOTE) & (given["instrument"] == market)]["ts_event_ns"][-1]
        assert last in times, "the newest quote of each market is there"


def test_more_trades_than_can_be_kept_are_told_as_a_hole() -> None:
    given, came, outgoing, whole = through(160_000, 1)
    assert outgoing.dropped > 0 and not all(whole)
    assert len(came) == len(given) - outgoing.dropped and came["ts_event_ns"][-1] == given["ts_event_ns"][-1]
