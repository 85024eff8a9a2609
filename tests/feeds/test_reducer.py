"""A book, and what is shown of it, against the plainest possible way to keep them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.feeds.build import book_of

from paperdesk.domain.events import DEPTH
from paperdesk.feeds.book import ASK, BID, CHANGED, TO, Book
from paperdesk.feeds.grid import UNUSUAL, read_number
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.sequenced import Diff, SequencedMarket
from paperdesk.feeds.simulated import simulated
from paperdesk.feeds.writer import Writer

CHANGES = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 3)), max_size=60)
TEXTS = st.one_of(
    st.text("0123456789.", max_size=24),
    st.text("0123456789.eE+-_ \u0663", max_size=12),
    st.from_regex(r"\A[0-9]{1,9}(\.[0-9]{0,9})?\Z"),
)


def plain(levels: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """Ticks and lots as a venue writes them, on the grid of `market`."""
    return [(f"{ticks // 10}.{ticks % 10}", f"{lots * 1e-5:.8f}") for ticks, lots in levels]


@given(
    st.sampled_from([BID, ASK]),
    st.dictionaries(st.integers(1, 900), st.integers(1, 5), max_size=700),
    st.lists(st.one_of(CHANGES, st.tuples(st.integers(1, 900), st.integers(0, 3))), max_size=40),
)
def test_a_book_knows_its_levels(side: int, start: dict[int, int], updates: list[Any]) -> None:
    book = Book(market()[0].grid)

    def both(levels: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        return (levels, []) if side == BID else ([], levels)

    def best_first(levels: dict[int, int]) -> list[tuple[int, int]]:
        return sorted(levels.items(), reverse=side == BID)

    levels = dict(start)
    book.load(*both(plain(list(start.items()))))
    for update in updates:
        before = best_first(levels)[:DEPTH]
        changes = [update] if isinstance(update, tuple) else update
        for ticks, lots in changes:
            levels[ticks] = lots
            if not lots:
                del levels[ticks]
        if isinstance(update, tuple):
            told = book.change_one(TO, side, *update, 0)
        else:
            told = bool(book.change(*both(plain(update)), 0) & CHANGED)
        assert book.side(side)[:, :2].tolist() == [list(level) for level in best_first(levels)]
        assert not book.crossed() and len(book.side(1 - side)) == 0
        assert told or before == best_first(levels)[:DEPTH]


@given(TEXTS, TEXTS)
def test_compiled_numbers_are_those_of_the_grid(price: str, size: str) -> None:
    grid = market()[0].grid
    for which, (text, steps) in enumerate(((price, grid.ticks), (size, grid.lots))):
        value, end = read_number(text.encode(), 0, grid.rules, which)
        if value == UNUSUAL:
            assert not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,8})?", text, re.ASCII), text
        else:
            assert (value, end) == (steps.code(text), len(text)), text
    book, expected = Book(grid), {}
    ticks, lots = grid.ticks.code(price), grid.lots.code(size)
    book.change([(price, size)], [], 0)
    if ticks > 0 and lots > 0:
        expected[ticks] = lots
    assert dict(book.side(BID)[:, :2].tolist()) == expected
    assert sum(count for _, count in book.unusable()) == (1 if ticks <= 0 or lots < 0 else 0)


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


def test_a_snapshot_takes_older_best_prices_away() -> None:
    subject, writer = market()
    subject.snapshot(10, ladder(100, 3, -1), ladder(101, 3, 1), 1, 1)
    subject.quote(20, "100", "1", "101", "1", 2, 2)
    subject.diff(Diff(30, 31, -1, [], []), 3, 3)
    subject.snapshot(40, ladder(90, 3, -1), ladder(91, 3, 1), 4, 4)
    (block,) = writer.finish()
    bids, asks = book_of(block[-1])
    assert (bids[0], asks[0]) == ((900, 100_000), (910, 100_000))
