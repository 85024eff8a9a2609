"""Closed bars alone: nothing fills at touch, stops fill at the worst price, nothing sent during a bar is met by it."""

from __future__ import annotations

import pytest
from tests.engine.room import FOK, IOC, MINUTE, SECOND, Room, fills, no_money, status_of

from paperdesk.domain.events import FillModel, Side


def room_with_bars(model: FillModel = FillModel.OPTIMISTIC) -> Room:
    """One bar has closed at 100."""
    room = Room(fill_model=model)
    room.bar((98, 103, 97, 100), 50)
    return room


def test_a_market_order_is_filled_at_the_next_open() -> None:
    room = room_with_bars()
    room.buy(5)
    room.sell(4)
    assert fills(room.bar((110, 120, 90, 95), 50, after_ns=MINUTE)) == [
        "#1 5 @ 110 taker bar_open",
        "#2 4 @ 110 taker bar_open",
    ]


def test_an_order_sent_during_a_bar_waits_for_the_next() -> None:
    room = room_with_bars()
    room.timer(SECOND)
    room.buy(5)
    assert room.bar((110, 120, 90, 95), 50, after_ns=MINUTE - SECOND) == []
    assert fills(room.bar((94, 120, 90, 95), 50, after_ns=MINUTE)) == ["#1 5 @ 94 taker bar_open"]


def test_nothing_is_filled_beyond_the_volume() -> None:
    room = room_with_bars()
    room.buy(5)
    room.buy(5)
    assert fills(room.bar((100, 100, 100, 100), 7, after_ns=MINUTE)) == [
        "#1 5 @ 100 taker bar_open",
        "#2 2 @ 100 taker bar_open",
    ]
    assert fills(room.bar((101, 101, 101, 101), 0, after_ns=MINUTE)) == []
    assert fills(room.bar((102, 102, 102, 102), 9, after_ns=MINUTE)) == ["#2 3 @ 102 taker bar_open"]


def test_each_account_is_offered_the_whole_volume() -> None:
    room = room_with_bars()
    room.open(4, {"Q": 10_000}, fill_model=FillModel.OPTIMISTIC)
    room.buy(5)
    room.buy(5, account=4)
    assert len(fills(room.bar((100, 100, 100, 100), 5, after_ns=MINUTE))) == 2


def test_a_limit_that_the_open_satisfies_takes_there() -> None:
    room = room_with_bars()
    room.buy(5, 100)
    assert fills(room.bar((99, 100, 98, 99), 3, after_ns=MINUTE)) == ["#1 3 @ 99 taker bar_open"]
    # It rests now. Having begun to rest with this bar, it was not filled by its low.
    assert fills(room.bar((101, 102, 99, 101), 9, after_ns=MINUTE)) == ["#1 2 @ 100 maker bar_through"]


@pytest.mark.parametrize("model", FillModel)
@pytest.mark.parametrize(("low", "through"), [(101, False), (100, None), (99, True)])
def test_a_resting_buy_is_filled_at_touch_for_optimists_alone(low: int, through: bool | None, model: FillModel) -> None:
    room = room_with_bars(model)
    room.buy(5, 100)
    room.bar((105, 110, 104, 105), 99, after_ns=MINUTE)
    filled = through if through is not None else model == FillModel.OPTIMISTIC
    assert bool(fills(room.bar((105, 110, low, 105), 99, after_ns=MINUTE))) == filled


@pytest.mark.parametrize("model", FillModel)
@pytest.mark.parametrize(("high", "through"), [(119, False), (120, None), (121, True)])
def test_a_resting_sale_is_filled_at_touch_for_optimists_alone(
    high: int, through: bool | None, model: FillModel
) -> None:
    room = room_with_bars(model)
    room.sell(5, 120)
    room.bar((105, 110, 104, 105), 99, after_ns=MINUTE)
    filled = through if through is not None else model == FillModel.OPTIMISTIC
    assert bool(fills(room.bar((105, high, 104, 105), 99, after_ns=MINUTE))) == filled


def test_an_order_meets_only_the_open_of_its_first_bar() -> None:
    room = room_with_bars()
    room.buy(5, 100)
    assert fills(room.bar((105, 110, 90, 105), 9, after_ns=MINUTE)) == [], "the way down may have come before it rested"


def test_post_only_rests_at_once_and_meets_the_range() -> None:
    room = room_with_bars()
    assert no_money(room.buy(5, 100, post_only=True))[-1] == "rejected #1 post_only_would_take"
    assert no_money(room.buy(5, 99, post_only=True))[-1] == "accepted #2"
    assert no_money(room.sell(5, 101, post_only=True))[-1] == "accepted #3"
    assert fills(room.bar((90, 95, 85, 90), 9, after_ns=MINUTE)) == ["#2 5 @ 99 maker bar_through"]


def test_ioc_and_fok_meet_one_open() -> None:
    room = room_with_bars()
    room.buy(5, 100, tif=IOC)
    room.buy(5, 100, tif=FOK)
    room.buy(5, tif=FOK)
    room.buy(2, 99, tif=IOC)
    assert no_money(room.bar((100, 100, 100, 100), 8, after_ns=MINUTE)) == [
        "fill #1 5 @ 100 taker bar_open",
        "expired #2 fok_not_filled",
        "expired #3 fok_not_filled",
        "expired #4 ioc_remainder",
    ]


@pytest.mark.parametrize(
    ("model", "volume", "bought", "sold"),
    [
        (FillModel.OPTIMISTIC, 9, "5 @ 105", "4 @ 95"),
        (FillModel.EXPECTED, 100, "5 @ 107", "4 @ 93"),  # ⌈2/3 · 0.6 · 21 · √(5/100)⌉ = 2 ticks beyond the trigger
        (FillModel.PESSIMISTIC, 181, "5 @ 112", "4 @ 91"),
    ],
)
def test_a_stop_fills_at_its_trigger_beyond_it_or_at_the_worst_price(
    model: FillModel, volume: int, bought: str, sold: str
) -> None:
    room = room_with_bars(model)
    room.buy(5, trigger=105)
    room.sell(5, trigger=95)
    assert no_money(room.bar((100, 112, 91, 100), volume, after_ns=MINUTE)) == [
        "triggered #1",
        f"fill #1 {bought} taker bar_stop",
        "triggered #2",
        f"fill #2 {sold} taker bar_stop",
    ]
    assert len(fills(room.bar((97, 97, 97, 97), volume, after_ns=MINUTE))) == 1, "the rest takes at the next open"


@pytest.mark.parametrize("model", FillModel)
def test_a_stop_that_the_open_has_passed_fills_no_better_than_the_open(model: FillModel) -> None:
    room = room_with_bars(model)
    room.sell(1, trigger=95)
    (line,) = fills(room.bar((90, 100, 80, 99), 100, after_ns=MINUTE))
    assert int(line.split()[3]) == {1: 90, 2: 89, 3: 80}[model]


@pytest.mark.parametrize(("high", "low", "fired"), [(104, 96, 0), (105, 96, 1), (104, 95, 1), (105, 95, 2)])
def test_stops_are_reached_at_touch(high: int, low: int, fired: int) -> None:
    room = room_with_bars()
    room.buy(5, trigger=105)
    room.sell(5, trigger=95)
    said = room.bar((100, high, low, 100), 99, after_ns=MINUTE)
    assert sum(line.startswith("triggered") for line in said) == fired


def test_stops_come_in_the_order_of_their_ids_whatever_their_side() -> None:
    room = room_with_bars()
    room.sell(1, trigger=90)
    room.buy(1, trigger=110)
    room.sell(1, trigger=95)
    room.buy(1, trigger=105)
    said = room.bar((100, 115, 85, 100), 3, after_ns=MINUTE)
    assert [line for line in said if line.startswith("triggered")] == [f"triggered #{n}" for n in (1, 2, 3, 4)]
    assert status_of(room, 4) == "accepted", "the volume was used by those before"


def test_a_stop_sent_during_the_bar_waits() -> None:
    room = room_with_bars()
    room.timer(1)
    room.buy(5, trigger=105)
    assert room.bar((100, 112, 91, 104), 9, after_ns=MINUTE - 1) == []
    assert no_money(room.bar((100, 112, 91, 104), 9, after_ns=MINUTE))[0] == "triggered #1"


def test_a_stop_limit_rests_from_the_next_bar_on() -> None:
    room = room_with_bars()
    room.buy(5, 103, trigger=105)
    room.buy(5, 103, trigger=105, tif=IOC)
    room.buy(5, 103, trigger=105, tif=FOK)
    assert no_money(room.bar((100, 112, 91, 104), 99, after_ns=MINUTE)) == [
        "triggered #1",
        "triggered #2",
        "triggered #3",
    ]
    assert no_money(room.bar((103, 103, 102, 103), 9, after_ns=MINUTE)) == [
        "fill #2 5 @ 103 taker bar_open",
        "expired #3 fok_not_filled",
        "fill #1 4 @ 103 maker bar_through",
    ]


def test_a_stop_fok_on_bars() -> None:
    room = room_with_bars()
    room.buy(10, trigger=105, tif=FOK)
    assert no_money(room.bar((100, 112, 91, 104), 9, after_ns=MINUTE)) == ["triggered #1", "expired #1 fok_not_filled"]


def test_stops_before_the_resting_share_the_volume() -> None:
    room = room_with_bars()
    room.buy(3, 97)
    room.bar((100, 101, 99, 100), 9, after_ns=MINUTE)
    room.sell(3, trigger=98)
    assert no_money(room.bar((100, 100, 90, 95), 4, after_ns=MINUTE)) == [
        "triggered #2",
        "fill #2 3 @ 98 taker bar_stop",
        "fill #1 1 @ 97 maker bar_through",
    ]


def test_a_stop_is_measured_by_the_last_close_on_arrival() -> None:
    room = room_with_bars()
    assert no_money(room.buy(1, trigger=100))[-1] == "rejected #1 stop_would_trigger"
    assert no_money(room.sell(1, trigger=100))[-1] == "rejected #2 stop_would_trigger"


def test_bars_give_way_to_trades() -> None:
    room = room_with_bars()
    room.buy(5, 100)
    room.sell(5)
    assert fills(room.trade(99, 9, Side.SELL)) == ["#1 5 @ 100 maker trade_through", "#2 4 @ 99 taker tape_take"]
    assert room.bar((50, 150, 50, 100), 99, after_ns=MINUTE) == []
    assert fills(room.trade(99, 9)) == ["#2 1 @ 99 taker tape_take"]


def test_orders_wait_for_the_first_evidence_of_any_kind() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.buy(5, 100)
    room.buy(5, 99, post_only=True)
    assert fills(room.bar((100, 101, 90, 95), 9, after_ns=MINUTE)) == [
        "#1 5 @ 100 taker bar_open",
        "#2 4 @ 99 maker bar_through",
    ]


def test_a_take_profit_takes_at_its_trigger_or_at_an_open_that_reached_it() -> None:
    room = room_with_bars()
    room.sell(5, trigger=110, take_profit=True)
    room.buy(5, trigger=90, take_profit=True)
    room.bar((100, 109, 91, 100), 99, after_ns=2 * MINUTE)
    assert fills(room.bar((100, 112, 95, 100), 99, after_ns=MINUTE)) == ["#1 5 @ 110 taker bar_stop"]
    assert fills(room.bar((88, 92, 85, 90), 99, after_ns=MINUTE)) == ["#2 5 @ 88 taker bar_stop"]
    worst = room_with_bars(FillModel.PESSIMISTIC)
    worst.sell(1, trigger=110, take_profit=True)
    assert fills(worst.bar((100, 112, 95, 100), 99, after_ns=2 * MINUTE)) == ["#1 1 @ 95 taker bar_stop"]


def test_what_began_to_rest_first_in_a_bar_stands_first_in_the_queue_of_the_first_picture() -> None:
    room = room_with_bars()
    room.sell(3, 97, trigger=95)
    room.sell(1, 97)
    room.bar((96, 96, 94, 95), 0, after_ns=2 * MINUTE)
    assert (room.order(2)["rank"], room.order(1)["rank"]) == (1, 2), "the stop came later in the bar"
    assert fills(room.quote(98, 13, 99, 1)) == ["#2 1 @ 97 maker book_cross", "#1 3 @ 97 maker book_cross"]
