"""Large numbers: what cannot be counted exactly is denied or cut, never wrapped (interpreted, an overflow raises)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.engine.room import BUY, FOK, IOC, PLAIN, SELL, B, C, Q, Room, fills, no_money

from paperdesk.domain import commands
from paperdesk.domain.events import TimeInForce
from paperdesk.domain.units import MAX_ORDER_UNITS, MAX_UNITS
from paperdesk.ledger.journal import FEES

RICH = {"B": MAX_ORDER_UNITS, "Q": MAX_ORDER_UNITS}


def denied(room: Room, *order: int, **terms: object) -> bool:
    """Whether an order is too large to count."""
    said = room.submit(BUY, *order, **terms)  # type: ignore[arg-type]
    assert said[0].startswith("submitted") or said[0].endswith("notional_too_large"), said
    return said[0].endswith("notional_too_large")


def test_a_limit_order_is_worth_at_most_two_to_the_sixty() -> None:
    assert not denied(Room(deposits=RICH), 2**50, 2**10)
    assert denied(Room(deposits=RICH), 2**50 + 1, 2**10)
    assert not denied(Room(deposits=RICH), 2**60, 1)
    assert denied(Room(deposits=RICH), 2**60 + 1, 1)
    assert not denied(Room(deposits=RICH), 1, 2**50)
    assert denied(Room(deposits=RICH), 1, 2**50 + 1)


def test_the_price_scale_and_the_lot_count_too() -> None:
    assert not denied(Room([PLAIN._replace(tick=Decimal(4))], RICH), 2**48, 2**10)
    assert denied(Room([PLAIN._replace(tick=Decimal(4))], RICH), 2**48 + 1, 2**10)
    # Sixteen B a lot: 2^60 B are 2^56 lots. (The price is a sixteenth, so that it is not the value that bites.)
    coarse = PLAIN._replace(lot=Decimal(16), tick=Decimal("0.0625"))
    assert not denied(Room([coarse], RICH), 2**56, 1)
    assert denied(Room([coarse], RICH), 2**56 + 1, 1)


def test_a_market_buy_is_counted_at_its_collar() -> None:
    room = Room(deposits=RICH)
    room.quote(999, 2**59, 1000, 2**59)
    assert denied(room, MAX_ORDER_UNITS // 1050 + 1)
    assert not denied(room, MAX_ORDER_UNITS // 1050)


def test_a_sale_is_counted_at_the_higher_of_limit_and_mark() -> None:
    room = Room(deposits=RICH)
    room.trade(2**20, 1)
    assert room.submit(SELL, 2**40 + 1, 1) == ["denied #1 notional_too_large"]
    assert room.submit(SELL, 2**40, 1)[0] == "submitted #2"
    assert room.submit(SELL, 2**10, 2**50)[1] == f"reserve {2**10} B"
    assert room.submit(SELL, 2**10 + 1, 2**50)[-1] == "denied #4 notional_too_large"
    assert room.submit(SELL, 1, 2**50 + 1)[-1] == "denied #5 notional_too_large"


@pytest.mark.parametrize("trigger", [2**50 + 1, 2**62])
def test_a_trigger_is_bounded_like_a_price(trigger: int) -> None:
    room = Room(deposits=RICH)
    assert room.submit(BUY, 1, trigger=trigger) == ["denied #1 notional_too_large"]
    assert room.submit(SELL, 1, trigger=trigger) == ["denied #2 notional_too_large"]


def test_a_fill_is_cut_where_the_balance_would_be_out_of_bounds() -> None:
    room = Room(deposits={"Q": 2**60, "B": 2**60})
    for asset in (B, B, Q):
        room.put(commands.deposit(0, asset, 2**60))
    room.quote(0, 0, 1, 2**60)
    assert fills(room.buy(2**59)) == [f"#1 {2**59} @ 1 taker book_walk"]
    assert room.money("B")[0] == 3 * 2**60 + 2**59
    room.quote(0, 0, 1, 2**60 - 1)
    assert fills(room.buy(2**59 - 5, 1)) == [f"#2 {2**59 - 5} @ 1 taker book_walk"]
    assert no_money(room.buy(9, 1, tif=IOC))[-2:] == ["fill #3 5 @ 1 taker book_walk", "expired #3 ioc_remainder"]
    assert room.money("B")[0] == MAX_UNITS
    assert no_money(room.buy(1, 1))[-1] == "expired #4 notional_too_large", "not even one more can be held"


def test_a_sale_whose_proceeds_cannot_be_held_expires() -> None:
    room = Room(deposits={"B": 2**60, "Q": 2**60})
    for _ in range(3):
        room.put(commands.deposit(0, Q, 2**60 - 1))
    room.quote(10, 2**20, 11, 1)
    room.trade(1, 1)
    assert no_money(room.sell(5))[-1] == "expired #1 notional_too_large"
    room.quote(3, 2**20, 11, 1)
    assert fills(room.sell(1)) == ["#2 1 @ 3 taker book_walk"]


def test_a_resting_order_that_meets_a_far_better_price_counts_exactly() -> None:
    room = Room(deposits={"Q": 2**60, "B": 2**60})
    room.quote(1, 5, 3, 5)
    room.sell(2**30, 2)
    room.quote(2**29, 2**40, 2**29 + 1, 5)
    # It is a maker: at its own price.
    assert fills(room.lines)[-1] == f"#1 {2**30} @ 2 maker book_cross"


def test_a_fok_beyond_what_can_be_added_up_is_not_filled() -> None:
    room = Room(deposits={"B": 2**60, "Q": 2**60}, latency_ns=10)
    room.quote(1, 1, 2**30, 1)
    room.submit(SELL, 2**23, 1, tif=FOK)
    # By the time it arrives 2^40 are bid: 2^23 of them are worth 2^63, and the desk does not count that far.
    room.quote(2**40, 2**60, 2**41, 1, 5)
    assert no_money(room.timer(5)) == ["accepted #1", "expired #1 fok_not_filled"]


def test_a_fok_whose_whole_value_cannot_be_counted_is_not_filled() -> None:
    room = Room([PLAIN._replace(tick=Decimal(4))], {"B": 2**60, "Q": 2**60}, latency_ns=10)
    room.quote(1, 1, 2**30, 1)
    room.submit(SELL, 2**22, 1, tif=FOK)
    # 2^22 at 2^39 are 2^61 ticks times lots, and four times that in Q.
    room.quote(2**39, 2**60, 2**41, 1, 5)
    assert no_money(room.timer(5)) == ["accepted #1", "expired #1 fok_not_filled"]


@pytest.mark.parametrize("tick", [1, 2**14])
def test_a_market_order_worth_more_than_can_be_counted_passes_the_minimum_value(tick: int) -> None:
    room = Room([PLAIN._replace(tick=Decimal(tick), min_notional=Decimal(2**20))], {"B": 2**60}, latency_ns=10)
    room.trade(1, 1)
    room.submit(SELL, 2**40 // tick, None)
    room.trade(2**50 if tick == 1 else 2**30, 1, after_ns=5)
    assert no_money(room.timer(5)) == ["accepted #1"]


def test_fees_of_huge_fills_are_exact() -> None:
    room = Room([PLAIN._replace(taker_fee=Decimal("0.00000001"))], RICH)
    room.quote(1, 1, 2, 2**60)
    assert room.buy(2**58 + 1, 2)[-1] == f"fee {-(-(2**58 + 1) // 10**8)} B"


def brimful(spare: int = 0) -> Room:
    """Fees of 100 % have taken all B that can be counted, but for some: 2^60 were sold before, so that the venue has more to give."""
    dear = PLAIN._replace(tick=Decimal("0.25"), taker_fee=Decimal(1))
    room = Room([dear], RICH)
    room.put(commands.deposit(0, Q, MAX_ORDER_UNITS))
    room.quote(1, 2**60, 2, 1)
    assert fills(room.sell(2**60)) == [f"#1 {2**60} @ 1 taker book_walk"]
    for number in range(2, 6):
        lots = 2**60 - (spare if number == 5 else 0)
        room.quote(0, 0, 2, 1)  # gone, and then shown anew
        room.quote(0, 0, 1, 2**60)
        assert fills(room.buy(lots, 1)) == [f"#{number} {lots} @ 1 taker book_walk"]
    assert int(room.state["balances"][0, B.number, FEES]) == MAX_UNITS - spare
    room.quote(0, 0, 2, 1)
    room.quote(0, 0, 1, 2**60)
    return room


def test_a_fill_whose_fee_cannot_be_counted_expires() -> None:
    room = brimful(spare=100)
    assert no_money(room.buy(101, 1))[-1] == "expired #6 notional_too_large"
    assert fills(room.buy(100, 1)) == ["#7 100 @ 1 taker book_walk"]
    assert no_money(room.buy(1, 1))[-1] == "expired #8 notional_too_large"


def test_a_fok_needs_room_for_the_fee_of_the_whole() -> None:
    room = brimful(spare=100)
    assert no_money(room.buy(82, 1, tif=FOK))[-1] == "expired #6 fok_not_filled", "up to twenty fills may each round up"
    assert fills(room.buy(81, 1, tif=FOK)) == ["#7 81 @ 1 taker book_walk"]


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_on_a_tape_too(tif: TimeInForce) -> None:
    dear = PLAIN._replace(tick=Decimal("0.25"), taker_fee=Decimal(1))
    room = Room([dear], RICH)
    room.put(commands.deposit(0, Q, MAX_ORDER_UNITS))
    room.trade(1, 1)
    room.submit(SELL, 2**60, 1)
    room.trade(1, 2**60, SELL)
    for _ in range(4):
        room.submit(BUY, 2**60, 1)
        room.trade(1, 2**60, BUY)
    assert int(room.state["balances"][0, B.number, FEES]) == MAX_UNITS
    room.submit(BUY, 1, 1, tif=tif)
    reason = "fok_not_filled" if tif == FOK else "notional_too_large"
    assert no_money(room.trade(1, 5, BUY))[-1] == f"expired #6 {reason}"


def test_two_instruments_never_mix() -> None:
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
    room = Room([PLAIN, cq], {"Q": 1000, "B": 10, "C": 10})
    room.quote(99, 5, 101, 5)
    room.quote(9, 5, 11, 5, number=1)
    room.buy(2, 100)
    room.buy(2, 10, number=1)
    assert fills(room.trade(9, 5, number=1)) == ["#2 2 @ 10 maker trade_through"]
    assert fills(room.trade(9, 5)) == ["#1 2 @ 100 maker trade_through"]
    assert room.money("C") == (12, 0) and room.money("B") == (12, 0)
