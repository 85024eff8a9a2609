"""Books in compiled code against plain dicts: thousands of levels, gaps, mixed spellings, orders and pictures of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.feeds.build import book_of

from paperdesk.domain.events import DEPTH
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.book import (
    ASK,
    ASK_LOTS,
    ASK_TICKS,
    BID,
    BID_LOTS,
    BID_TICKS,
    CHANGED,
    GAPS,
    HELD,
    KEY,
    REFUSED,
    START_LEVELS,
    VALID,
    Book,
)
from paperdesk.feeds.grid import Grid
from paperdesk.feeds.orders import OrderMarket
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.simulated import simulated
from paperdesk.feeds.writer import Writer

INSTRUMENT = simulated(["BTC/USDT"], 1).instruments[0]
"""Ticks of 0.1, lots of 0.00001."""
Sides = tuple[dict[int, int], dict[int, int]]
Pairs = list[tuple[str, str]]
MIDDLE = 50_000


def spelled(levels: list[tuple[int, int]]) -> Pairs:
    """Ticks and lots as text."""
    return [(f"{ticks // 10}.{ticks % 10}0", f"{lots / 100_000:.8f}") for ticks, lots in levels]


def best_first(levels: Sides, side: int) -> list[tuple[int, int]]:
    return sorted(levels[side].items(), reverse=side == BID)


def expected_change(levels: dict[int, int], side: int, update: list[tuple[int, int]]) -> bool:
    """Applies an update to the plain levels; whether one of those changed that were among the best DEPTH, or better."""
    sign = -1 if side == BID else 1
    keys = sorted(ticks * sign for ticks in levels)
    visible = keys[DEPTH - 1] if len(keys) >= DEPTH else None
    changed = False
    for ticks, lots in update:
        if levels.get(ticks, 0) != lots:
            changed = changed or visible is None or ticks * sign <= visible
        levels[ticks] = lots
        if not lots:
            del levels[ticks]
    return changed


def assert_in_order(book: Book) -> None:
    """Keys rise, gaps are counted, the best level is none."""
    for side in (BID, ASK):
        held = int(book.head[side, HELD])
        keys, lots = book.levels[side, KEY, :held].tolist(), book.levels[side, 1, :held].tolist()
        assert keys == sorted(keys) and lots.count(0) == book.head[side, GAPS]
        assert not held or lots[-1] > 0
        there = [key for key, size in zip(keys, lots, strict=True) if size]
        assert len(set(there)) == len(there)


def random_update(dice: random.Random, levels: dict[int, int], side: int) -> list[tuple[int, int]]:
    """Changes near the touch and far away: of levels that are there, were there, or are new; some name a price twice."""
    away = -1 if side == BID else 1
    update = []
    for _ in range(dice.randrange(1, 60)):
        distance = int(dice.expovariate(1 / 30)) if dice.random() < 0.7 else dice.randrange(9_000)
        ticks = dice.choice(list(levels)) if levels and dice.random() < 0.3 else MIDDLE + away * (1 + distance)
        update.append((ticks, dice.choice((0, 0, 1, 2, 300_000))))
    return update


@pytest.mark.parametrize("seed", range(6))
def test_thousands_of_levels_on_both_sides_are_those_of_two_dicts(seed: int) -> None:
    dice = random.Random(seed)
    book, writer = Book(Grid(INSTRUMENT)), Writer(Refusals())
    levels: Sides = ({}, {})
    for turn in range(400):
        if turn % 150 == 0:
            for side, away in ((BID, -1), (ASK, 1)):
                levels[side].clear()
                for distance in dice.sample(range(1, 9_000), dice.choice((0, 5, 3_000))):
                    levels[side][MIDDLE + away * distance] = dice.randrange(1, 9)
            pictures = [
                [level for level in levels[side].items() for _ in range(dice.choice((1, 1, 2)))] for side in (BID, ASK)
            ]
            assert book.load(spelled(pictures[BID]), spelled(pictures[ASK])) & REFUSED == 0
        updates = [random_update(dice, levels[side], side) for side in (BID, ASK)]
        if turn % 7 == 0:  # an almost empty book
            updates[dice.choice((BID, ASK))] += [
                (ticks, 0) for ticks in list(levels[turn % 2])[: dice.randrange(3_000)]
            ]
        told = book.change(spelled(updates[BID]), spelled(updates[ASK]), turn)
        expected = [expected_change(levels[side], side, updates[side]) for side in (BID, ASK)]
        assert told == (CHANGED if any(expected) else 0)
        if turn % 10 == 0:
            assert_in_order(book)
            for side in (BID, ASK):
                assert book.side(side)[:, :2].tolist() == [list(level) for level in best_first(levels, side)]
        assert book.write(writer, 1, 1) == (not book.crossed())
        if not book.crossed():
            shown = book_of(writer.block[writer.index - 1] if writer.index else writer._ready[-1][-1])
            assert shown == (best_first(levels, BID)[:DEPTH], best_first(levels, ASK)[:DEPTH])
    assert book.levels.shape[2] <= 32 * START_LEVELS, "room for the levels there are, not for all that ever were"


@pytest.mark.parametrize("count", [0, 1, DEPTH - 1, DEPTH, DEPTH + 1])
def test_a_change_is_told_where_it_can_be_seen(count: int) -> None:
    for side, away in ((BID, -1), (ASK, 1)):

        def changed(*update: tuple[int, int], side: int = side, away: int = away) -> bool:
            book = Book(Grid(INSTRUMENT))
            levels = spelled([(MIDDLE + away * 2 * place, 1) for place in range(count)])
            book.load(levels, []) if side == BID else book.load([], levels)
            texts = spelled([(MIDDLE + away * distance, lots) for distance, lots in update])
            return bool((book.change(texts, [], 1) if side == BID else book.change([], texts, 1)) & CHANGED)

        assert changed((2 * count, 5)) == (count < DEPTH), "one more, worse than all"
        assert changed((-1, 5)) and not changed((-1, 0)), "one more, better than all; none that was not there"
        for place in range(count):
            assert changed((2 * place, 0)) == changed((2 * place, 7)) == (place < DEPTH)
            assert not changed((2 * place, 1)) and not changed((2 * place + 1, 0))


@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(0, 3), st.integers(0, 3))
def test_newer_best_prices_stand_before_what_is_worse(seed: int, away: int, bid_lots: int, ask_lots: int) -> None:
    dice = random.Random(seed)
    book, writer = Book(Grid(INSTRUMENT)), Writer(Refusals())
    levels: Sides = (
        {MIDDLE - ticks: 5 for ticks in dice.sample(range(1, 500), 100)},
        {MIDDLE + ticks: 5 for ticks in dice.sample(range(1, 500), 100)},
    )
    book.load(*(spelled(list(levels[side].items())) for side in (BID, ASK)))
    bid = MIDDLE + dice.choice((-1, 1)) * away
    ask = bid + 1 + dice.randrange(3)
    book.newer[[VALID, BID_TICKS, BID_LOTS, ASK_TICKS, ASK_LOTS]] = 1, bid, bid_lots, ask, ask_lots
    assert book.write(writer, 1, 1)
    bids = [(bid, bid_lots), *[level for level in best_first(levels, BID) if level[0] < bid]][:DEPTH]
    asks = [(ask, ask_lots), *[level for level in best_first(levels, ASK) if level[0] > ask]][:DEPTH]
    assert book_of(writer.block[0]) == (bids if bid_lots else [], asks if ask_lots else [])


NUMBERS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "1.5",
        "2.50",
        "02.5",
        "1e1",
        "1e-05",
        "0.00001",
        "-1",
        "+1",
        "1,1",
        ",",
        "٣",
        "0.05",
        "1" * 25,
        "x",
        "nan",
    ]
)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12), st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12))
@example([("1,1", "0.05")], [])
@example([], [("1", "2.50,1.5")])
def test_whatever_is_spelled_how_the_same_levels_come_out(bids: Pairs, asks: Pairs) -> None:
    grid = Grid(INSTRUMENT)
    changed, loaded = Book(grid), Book(grid)
    expected: Sides = ({}, {})
    refused: Counter[Reason] = Counter()
    for levels, texts in zip(expected, (bids, asks), strict=True):
        for price, size in texts:
            ticks, lots = grid.ticks.code(price), grid.lots.code(size)
            if ticks <= 0:
                refused[Reason(-ticks) if ticks else Reason.BAD_EVENT] += 1
                continue
            if lots < 0:
                refused[Reason(-lots)] += 1
            levels[ticks] = lots
            if lots <= 0:
                del levels[ticks]
    for book, told in ((changed, changed.change(bids, asks, 1)), (loaded, loaded.load(bids, asks))):
        for side in (BID, ASK):
            assert book.side(side)[:, :2].tolist() == [list(level) for level in best_first(expected, side)]
        assert Counter({reason: count for reason, count in book.unusable() if count}) == refused
        assert bool(told & REFUSED) == bool(refused)


class Plain:
    """One side of a book of orders, kept with dicts: the sums of known orders, and what pictures show beyond them."""

    def __init__(self, sign: int) -> None:
        self.sign, self.sums, self.rest = sign, Counter[int](), dict[int, int]()
        self.covered: int | None = None

    def picture(self, levels: dict[int, int]) -> None:
        worst = max(ticks * self.sign for ticks in levels)
        self.rest = {ticks: lots for ticks, lots in self.rest.items() if ticks * self.sign > worst or ticks in levels}
        for ticks, lots in levels.items():
            beyond = max(0, lots - self.sums[ticks])
            new = self.covered is None or ticks * self.sign > self.covered
            self.rest[ticks] = beyond if new else min(self.rest.get(ticks, 0), beyond)
        self.covered = worst if self.covered is None else max(self.covered, worst)

    def levels(self) -> dict[int, tuple[int, int]]:
        """Lots, and how many of them belong to no known order, by price."""
        both = {
            ticks: (self.sums[ticks] + self.rest.get(ticks, 0), self.rest.get(ticks, 0))
            for ticks in {*self.sums, *self.rest}
        }
        return {ticks: lots for ticks, lots in both.items() if lots[0]}


TICKS, LOTS = st.integers(1, 9), st.integers(0, 4)
PICTURE = st.lists(st.tuples(TICKS, LOTS), max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["created", "changed", "deleted"]), st.integers(1, 8), st.booleans(), TICKS, LOTS),
        st.tuples(st.just("picture"), PICTURE, PICTURE),
    ),
    max_size=40,
)


@given(STEPS)
@example([("picture", [(5, 4), (3, 4), (1, 1)][::step], []) for step in (1, 2, 1)])
@example([("picture", [], [(5, 4)]), ("deleted", 1, False, 5, 1)])
def test_orders_and_pictures_of_them_add_up(steps: list[tuple[object, ...]]) -> None:
    market = OrderMarket(INSTRUMENT, Writer(Refusals()), wait_for_picture=True)
    sides, orders = (Plain(-1), Plain(1)), dict[int, tuple[int, int, int]]()
    for step in steps:
        match step:
            case ("picture", list(bids), list(asks)):
                market.compare(spelled(bids), spelled(asks), 1)
                for plain, picture in zip(sides, (dict(bids), dict(asks)), strict=True):
                    if picture:
                        plain.picture(picture)
            case (str(act), int(order_id), bool(bid), int(ticks), int(lots)):
                getattr(market, act)(order_id, bid, ticks, lots, 1)
                side = BID if bid else ASK
                if act == "created" and order_id in orders:
                    continue
                old = orders.pop(order_id, None)
                if old is not None:
                    sides[old[0]].sums[old[1]] -= old[2]
                elif act != "created" and ticks in sides[side].rest:
                    sides[side].rest[ticks] = max(0, sides[side].rest[ticks] - lots)
                if act != "deleted" and lots:
                    orders[order_id] = (side, ticks, lots)
                    sides[side].sums[ticks] += lots
        for side, plain in zip((BID, ASK), sides, strict=True):
            assert {ticks: (lots, rest) for ticks, lots, rest, _ in market.book.side(side).tolist()} == plain.levels()
