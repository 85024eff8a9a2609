"""One side of a book, and what is shown of it, against the plainest possible way to keep them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.feeds.build import book_of

from paperdesk.domain.events import DEPTH
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.reducer import ORDERED, Half
from paperdesk.feeds.sequenced import Diff, SequencedMarket
from paperdesk.feeds.simulated import simulated
from paperdesk.feeds.writer import Writer

CHANGES = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 3)), max_size=1200)


@given(st.sampled_from([-1, 1]), st.dictionaries(st.integers(1, 900), st.integers(1, 5), max_size=700), CHANGES)
def test_a_half_knows_its_best_levels(sign: int, start: dict[int, int], changes: list[tuple[int, int]]) -> None:
    half = Half(sign)
    levels = {price * sign: size for price, size in start.items()}
    half.load(dict(levels))
    for price, size in changes:
        key = price * sign
        before = sorted(levels)[:DEPTH]
        if size:
            levels[key] = size
        else:
            levels.pop(key, None)
        told = half.put(key, size)
        assert half.keys[:DEPTH] == sorted(levels)[:DEPTH] and half.sizes == levels
        assert len(half.keys) <= 2 * ORDERED + 1
        assert told or before == sorted(levels)[:DEPTH]


def market() -> tuple[SequencedMarket, Writer]:
    """A market on a grid of 0.1 and 0.00001, and its writer."""
    writer = Writer(Refusals())
    return SequencedMarket(simulated(["BTC/USDT"], 1).instruments[0], writer), writer


def ladder(first: int, count: int, step: int) -> list[tuple[str, str]]:
    """Levels of one coin each, from a price on."""
    return [(str(first + step * index), "1") for index in range(count)]


def test_best_prices_far_from_an_older_book_cut_it_down_to_what_can_still_be_there() -> None:
    for away in (1, 30, 199, 200, 201, 350, 900, 999, 1000):
        subject, writer = market()
        subject.snapshot(10, ladder(2000, 1000, -1), ladder(2001, 1000, 1), 1, 1)
        bid, ask = 2000 - away, 2001 - away
        subject.quote(20, str(bid), "2", str(ask), "3", 2, 2)
        subject.diff(Diff(11, 12, -1, [("1500", "5")], []), 3, 3)
        (block,) = writer.finish()
        bids, asks = book_of(block[-1])
        unit = 100_000
        below = [
            (price * 10, (5 if price == 1500 else 1) * unit)
            for price in range(bid - 1, bid - DEPTH, -1)
            if price > 1000
        ]
        assert bids == [(bid * 10, 2 * unit), *below], away
        assert asks == [(ask * 10, 3 * unit), *[(price * 10, unit) for price in range(2001, 2001 + DEPTH - 1)]], away


def test_a_quote_that_empties_a_side_empties_it_in_the_picture_too() -> None:
    subject, writer = market()
    subject.snapshot(10, ladder(100, 3, -1), ladder(101, 3, 1), 1, 1)
    subject.quote(20, "100", "1", "0", "0", 2, 2)
    subject.diff(Diff(11, 12, -1, [("99", "5")], []), 3, 3)
    (block,) = writer.finish()
    bids, asks = book_of(block[-1])
    assert asks == [] and bids[0] == (1000, 100_000)
