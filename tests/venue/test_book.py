"""The visible book: how pictures merge, what counts as shown anew, and what an account has used up of it."""

from __future__ import annotations

import pytest
from tests.engine.room import BUY, DAY, IOC, PLAIN, Room, fills

from paperdesk.domain.events import DEPTH, MarketStatus


def side(room: Room, which: int) -> list[tuple[int, int]]:
    """Levels of one side (0 bids, 1 asks) as (ticks, lots)."""
    market = room.state["markets"][0]
    count = int(market["count"][which])
    return list(zip(market["ticks"][which, :count].tolist(), market["lots"][which, :count].tolist(), strict=True))


Levels = list[tuple[int, int]]
BIDS, ASKS = [(99, 1), (98, 2), (96, 3)], [(101, 1), (102, 2), (104, 3)]


def room_with_book() -> Room:
    """A book of three levels a side."""
    room = Room()
    assert room.book(BIDS, ASKS) == []
    return room


def test_a_book_replaces_all_levels() -> None:
    room = room_with_book()
    assert (side(room, 0), side(room, 1)) == (BIDS, ASKS)
    room.book([(98, 2)], [])
    assert (side(room, 0), side(room, 1)) == ([(98, 2)], [])


@pytest.mark.parametrize(
    ("quote", "bids", "asks"),
    [
        ((99, 5, 101, 6), [(99, 5), (98, 2), (96, 3)], [(101, 6), (102, 2), (104, 3)]),  # same prices, new sizes
        ((98, 5, 102, 6), [(98, 5), (96, 3)], [(102, 6), (104, 3)]),  # better levels are gone
        ((97, 5, 103, 6), [(97, 5), (96, 3)], [(103, 6), (104, 3)]),  # gone and inserted
        ((100, 5, 101, 1), [(100, 5), *BIDS], ASKS),  # a new best level
        ((90, 5, 110, 6), [(90, 5)], [(110, 6)]),  # beyond all that was shown
        ((0, 0, 101, 1), [], ASKS),  # a side is empty
        ((99, 1, 0, 0), BIDS, []),
    ],
)
def test_a_quote_merges_into_what_was_shown(quote: tuple[int, int, int, int], bids: Levels, asks: Levels) -> None:
    room = room_with_book()
    assert room.quote(*quote) == []
    assert (side(room, 0), side(room, 1)) == (bids, asks)


def test_beyond_the_depth_the_worst_level_falls_off() -> None:
    room = Room()
    bids = [(1000 - i, 1) for i in range(DEPTH)]
    asks = [(1100 + i, 1) for i in range(DEPTH)]
    room.book(bids, asks)
    room.quote(1001, 7, 1099, 8)
    assert side(room, 0) == [(1001, 7), *bids[:-1]]
    assert side(room, 1) == [(1099, 8), *asks[:-1]]


def test_what_an_account_takes_is_used_up_for_it_until_the_level_is_shown_anew() -> None:
    room = Room()
    room.book([(99, 5)], [(101, 5), (102, 5)])
    assert fills(room.buy(3)) == ["#1 3 @ 101 taker book_walk"]
    assert fills(room.buy(3)) == ["#2 2 @ 101 taker book_walk", "#2 1 @ 102 taker book_walk"]
    # The same picture again shows nothing anew.
    room.book([(99, 5)], [(101, 5), (102, 5)])
    assert fills(room.buy(1)) == ["#3 1 @ 102 taker book_walk"]
    # A picture with another size does, for this level alone.
    room.book([(99, 5)], [(101, 4), (102, 5)])
    assert fills(room.buy(6)) == ["#4 4 @ 101 taker book_walk", "#4 2 @ 102 taker book_walk"]
    # A level that disappears and comes back is a new one.
    room.book([(99, 5)], [(102, 5)])
    room.book([(99, 5)], [(101, 4), (102, 5)])
    assert fills(room.buy(5)) == ["#5 4 @ 101 taker book_walk", "#5 1 @ 102 taker book_walk"]
    # A quote that says the same size keeps the use, another one forgets it.
    room.quote(99, 5, 101, 4)
    assert fills(room.buy(1, 101, tif=IOC)) == []
    room.quote(99, 5, 101, 9)
    assert fills(room.buy(9)) == ["#7 9 @ 101 taker book_walk"]


def test_a_smaller_size_shown_anew_is_what_there_is() -> None:
    room = Room()
    room.quote(99, 5, 101, 10)
    room.buy(8)
    room.quote(99, 5, 101, 3)
    assert fills(room.buy(8)) == ["#2 3 @ 101 taker book_walk"]


def test_use_is_counted_for_each_account_alone() -> None:
    room = Room()
    room.open(7, {"Q": 10_000})
    room.quote(99, 5, 101, 5)
    assert fills(room.buy(5)) == ["#1 5 @ 101 taker book_walk"]
    assert fills(room.buy(5, account=7)) == ["#1 5 @ 101 taker book_walk"]
    assert fills(room.buy(5)) == []


def test_a_lost_book_is_shown_anew_when_it_comes_back() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    room.buy(5)
    room.status(MarketStatus.GAP)
    assert side(room, 0) == side(room, 1) == []
    assert room.submit(BUY, 1) == ["denied #2 stale_data"]
    room.quote(99, 5, 101, 5)
    assert side(room, 1) == [], "pictures from before the data is live again change nothing"
    room.status(MarketStatus.LIVE)
    room.quote(99, 5, 101, 5)
    assert fills(room.buy(5)) == ["#3 5 @ 101 taker book_walk"]


def test_places_for_used_liquidity_are_reused_over_a_wandering_market() -> None:
    room = Room()
    for step in range(3 * DEPTH):
        room.quote(99 + step, 5, 101 + step, 5)
        assert fills(room.buy(2)) == [f"#{step + 1} 2 @ {101 + step} taker book_walk"]
    used = room.state["used"][0]
    assert int((used["lots"][1] > 0).sum()) <= DEPTH


def test_a_whole_book_can_be_used_up() -> None:
    room = Room(deposits={"Q": 10**9, "B": 10**6})
    asks = [(10_000 + i, 2) for i in range(DEPTH)]
    room.book([(9_999, 1)], asks)
    assert len(fills(room.buy(DEPTH * 2))) == DEPTH
    assert room.buy(1)[-2:] == ["expired #2 no_liquidity", "release 10500 Q"]


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([(99, 1)], [(99, 1)]),
        ([(99, 1)], [(98, 1)]),
        ([(98, 1), (99, 1)], []),
        ([(99, 1), (99, 1)], []),
        ([], [(102, 1), (101, 1)]),
        ([(99, 0)], []),
        ([(0, 1)], []),
        ([], [(-5, 1)]),
        ([], [(101, -1)]),
        ([], [(2**50 + 1, 1)]),
        ([], [(101, 2**60 + 1)]),
        ([(100 - i, 1) for i in range(DEPTH + 1)], []),
    ],
)
def test_an_impossible_book_is_refused_and_changes_nothing(bids: Levels, asks: Levels) -> None:
    room = room_with_book()
    before = room.fold.parts()["account/0"]
    assert room.book(bids, asks) == ["event refused bad_event"]
    assert (side(room, 0), side(room, 1)) == (BIDS, ASKS)
    assert room.fold.parts()["account/0"] == before


@pytest.mark.parametrize(
    "quote",
    [
        (100, 1, 100, 1),
        (101, 1, 100, 1),
        (0, 1, 100, 1),
        (-1, 1, 100, 1),
        (99, -1, 100, 1),
        (99, 1, 100, -1),
        (99, 1, 0, 1),
        (99, 1, 2**50 + 1, 1),
        (2**50 + 1, 1, 2**50 + 2, 1),
        (99, 2**60 + 1, 100, 1),
        (99, 1, 100, 2**60 + 1),
    ],
)
def test_an_impossible_quote_is_refused(quote: tuple[int, int, int, int]) -> None:
    room = room_with_book()
    assert room.quote(*quote) == ["event refused bad_event"]
    assert (side(room, 0), side(room, 1)) == (BIDS, ASKS)


@pytest.mark.parametrize(("price", "lots"), [(0, 1), (-1, 1), (100, 0), (100, -3), (2**50 + 1, 1), (1, 2**60 + 1)])
def test_an_impossible_trade_is_refused(price: int, lots: int) -> None:
    room = room_with_book()
    assert room.trade(price, lots) == ["event refused bad_event"]


@pytest.mark.parametrize(
    ("prices", "volume", "interval"),
    [
        ((100, 99, 98, 99), 1, 1),  # high below the open
        ((100, 105, 101, 102), 1, 1),  # low above the open
        ((100, 101, 99, 102), 1, 1),  # close above the high
        ((100, 105, 99, 98), 1, 1),
        ((100, 105, 0, 100), 1, 1),
        ((100, 105, 99, 100), -1, 1),
        ((100, 105, 99, 100), 1, 0),
        ((100, 2**50 + 1, 99, 100), 1, 1),
        ((100, 105, 99, 100), 2**60 + 1, 1),
    ],
)
def test_an_impossible_bar_is_refused(prices: tuple[int, int, int, int], volume: int, interval: int) -> None:
    room = Room()
    assert room.bar(prices, volume, interval) == ["event refused bad_event"]


def test_data_of_an_undefined_instrument_is_refused_by_name() -> None:
    room = Room()
    assert room.trade(100, 1, number=3) == ["event refused unknown_instrument"]
    assert room.quote(99, 1, 101, 1, number=-1) == ["event refused unknown_instrument"]


def test_the_mark_is_the_middle_else_the_last_trade_else_the_last_close() -> None:
    room = Room()
    market = room.state["markets"][0]
    room.bar((100, 105, 95, 103), 10)
    assert int(market["mark_ticks"]) == 103
    room.trade(107, 1)
    assert int(market["mark_ticks"]) == 107
    room.bar((100, 105, 95, 104), 10)
    assert int(market["mark_ticks"]) == 107, "bars say nothing where trades are seen"
    room.quote(100, 1, 103, 1)
    assert int(market["mark_ticks"]) == 101
    room.trade(110, 1)
    assert int(market["mark_ticks"]) == 101, "the middle holds while both sides are shown"
    room.quote(100, 1, 0, 0)
    assert int(market["mark_ticks"]) == 101
    room.trade(111, 1)
    assert int(market["mark_ticks"]) == 111


def test_the_mark_grows_old_but_stays() -> None:
    room = Room([PLAIN._replace(stale_after_ns=DAY)])
    room.quote(99, 1, 101, 1)
    room.status(MarketStatus.STALE)
    room.timer(DAY)
    assert int(room.state["markets"][0]["mark_ticks"]) == 100
