"""Order lists at the venue: a pair of which one at most is filled, and orders that wait for another one to be filled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.engine.room import BUY, FOK, GTD, IOC, MINUTE, PLAIN, SECOND, SELL, Lines, Room, no_money, status_of

from paperdesk.domain.commands import Intent
from paperdesk.domain.events import FillModel, ListKind, MarketStatus, Side
from paperdesk.venue.places import PENDING

OCO, OTO, OTOCO = ListKind.OCO, ListKind.OTO, ListKind.OTOCO


def pair(lots: int = 5, profit: int = 105, stop: int = 95, limit: int | None = None, **terms: Any) -> list[Intent]:
    """A sale at a profit or at a stop."""
    return [Intent(SELL, lots, profit, post_only=True, **terms), Intent(SELL, lots, limit, stop, **terms)]


def bracket(lots: int = 5, entry: int = 99, force: Any = None, **more: Any) -> list[Intent]:
    """A buy, and the pair that sells what it brought."""
    return [Intent(BUY, lots, entry, time_in_force=force), *pair(lots, **more)]


def quoted(**changes: Any) -> Room:
    """A book of 100 lots a side, and a last price of 100."""
    room = Room([PLAIN._replace(**changes)])
    room.quote(99, 100, 101, 100)
    room.trade(100, 1)
    return room


# ---- pairs -----------------------------------------------------------------------------------------------------------


def test_the_profit_cancels_the_stop_and_takes_its_funds() -> None:
    room = quoted()
    said = room.send(OCO, *pair(5))
    assert said == ["submitted #1", "reserve 5 B", "submitted #2", "accepted #1", "accepted #2"]
    assert room.money("B") == (995, 5), "one reserve for both"
    said = room.trade(106, 2)
    assert said[:2] == ["canceled #2 list_ended", "fill #1 2 @ 105 maker trade_through"], "a part of it is enough"
    assert status_of(room, 1) == "partially_filled" and room.money("B") == (995, 3)
    assert room.trade(90, 1) == [], "its stop is gone"


def test_the_stop_cancels_the_profit() -> None:
    room = quoted()
    room.send(OCO, *pair(5))
    assert room.trade(95, 1)[:5] == [
        "triggered #2",
        "canceled #1 list_ended",
        "release 5 B",
        "reserve 5 B",
        "fill #2 5 @ 99 taker book_walk",
    ]
    assert room.money("B") == (995, 0) and not room.fold.faults()


def test_a_pair_of_buys_reserves_the_larger_need() -> None:
    room = quoted()
    legs = [Intent(BUY, 5, 95, post_only=True), Intent(BUY, 5, 107, 106)]
    assert room.send(OCO, *legs)[:3] == ["submitted #1", "submitted #2", "reserve 535 Q"]
    assert room.money("Q") == (100_000 - 535, 535)
    assert room.trade(94, 9)[:4] == [
        "canceled #2 list_ended",
        "release 535 Q",
        "reserve 475 Q",
        "fill #1 5 @ 95 maker trade_through",
    ]
    assert room.money("Q") == (100_000 - 475, 0)


def test_two_triggers_make_a_pair_too() -> None:
    room = quoted()
    legs = [Intent(SELL, 5, None, 105, take_profit=True), Intent(SELL, 5, 93, 95)]
    room.send(OCO, *legs)
    assert no_money(room.trade(105, 1)) == [
        "triggered #1",
        "canceled #2 list_ended",
        "fill #1 5 @ 99 taker book_walk",
    ]


def test_open_lots_of_a_pair_count_once() -> None:
    room = quoted()
    room.send(OCO, *pair(5), bot=1)
    position = room.state["bot_positions"][1, 0]
    assert int(position["open_sell_lots"]) == 5
    room.cancel(1, bot=1)
    room.timer()
    assert int(position["open_sell_lots"]) == 0


@pytest.mark.parametrize("leg", [1, 2])
def test_canceling_one_cancels_the_list(leg: int) -> None:
    room = quoted()
    room.send(OCO, *pair(5))
    said = room.cancel(leg) + room.cancel(3 - leg)
    assert no_money(said + room.timer()) == [
        f"cancel requested #{leg}",
        f"canceled #{leg} user_canceled",
        f"canceled #{3 - leg} list_ended",
        f"cancel rejected #{3 - leg} order_done",
    ]
    assert room.money("B") == (1_000, 0)


def test_a_cancel_under_way_is_one_of_the_list() -> None:
    room = Room(latency_ns=SECOND)
    room.quote(99, 100, 101, 100)
    room.trade(100, 1)
    room.send(OCO, *pair(5))
    room.timer(SECOND)
    room.cancel(1)
    assert room.cancel(2) == ["cancel rejected #2 cancel_pending"]
    from paperdesk.domain.commands import cancel_all

    assert room.put(cancel_all(0, 0)) == []
    assert no_money(room.timer(SECOND)) == ["canceled #1 user_canceled", "canceled #2 list_ended"]


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        (pair(5, profit=100), "list_prices"),
        (pair(5, profit=99), "post_only_would_take"),
        (pair(5, stop=100), "stop_would_trigger"),
        (pair(5, stop=103), "stop_would_trigger"),
    ],
)
def test_the_last_price_lies_between_them(legs: list[Intent], reason: str) -> None:
    room = quoted()
    said = no_money(room.send(OCO, *legs))
    first = reason != "stop_would_trigger"
    assert said[2:] == [
        f"rejected #1 {reason if first else 'list_refused'}",
        f"rejected #2 {'list_refused' if first else reason}",
    ]
    assert room.money("B") == (1_000, 0)


def test_each_leg_counts_towards_the_most_orders() -> None:
    room = quoted(max_orders=2)
    room.buy(1, 90)
    assert no_money(room.send(OCO, *pair(5)))[2:] == ["rejected #2 max_num_orders", "rejected #3 list_refused"]
    room.cancel(1)
    assert no_money(room.send(OCO, *pair(5)))[-1] == "accepted #5"


def test_what_ends_orders_at_once_ends_lists_with_one_reason() -> None:
    from paperdesk.domain.commands import kill, reset_account

    room = quoted()
    room.send(OTOCO, *bracket(entry=90))
    room.buy(1, 80)
    assert no_money(room.put(kill(0)))[1:] == [
        "canceled #1 kill_switch",
        "canceled #2 list_ended",
        "canceled #3 list_ended",
        "canceled #4 kill_switch",
    ]
    other = quoted()
    other.send(OCO, *pair(5))
    other.buy(1, 80)
    assert no_money(other.put(reset_account(0, 1)))[:3] == [
        "canceled #1 epoch_ended",
        "canceled #2 list_ended",
        "canceled #3 epoch_ended",
    ]


def test_a_leg_that_no_longer_fits_ends_its_list() -> None:
    room = quoted()
    room.send(OCO, *pair(5))
    room.buy(1, 98)
    said = no_money(room.redefine(max_price=Decimal(104)))
    assert said[1:] == ["canceled #1 instrument_changed", "canceled #2 list_ended"]
    assert status_of(room, 3) == "accepted"


# ---- pending legs ----------------------------------------------------------------------------------------------------


def test_pending_legs_wait_without_funds_and_are_placed_when_the_entry_is_filled() -> None:
    room = quoted()
    said = room.send(OTOCO, *bracket(5, 98))
    assert said == ["submitted #1", "reserve 490 Q", "submitted #2", "submitted #3", "accepted #1"]
    assert room.order(2)["place"] == room.order(3)["place"] == PENDING
    assert no_money(room.trade(97, 3)) == ["fill #1 3 @ 98 maker trade_through"], "a part is not the whole"
    said = room.trade(97, 9)
    assert [line for line in said if "B" not in line and "Q" not in line] == [
        "fill #1 2 @ 98 maker trade_through",
        "activated #2",
        "activated #3",
        "accepted #2",
        "accepted #3",
    ]
    assert "reserve 5 B" in said and room.money("B") == (1_000, 5)
    assert no_money(room.trade(106, 9))[:2] == ["canceled #3 list_ended", "fill #2 5 @ 105 maker trade_through"]
    assert not room.fold.faults()


def test_the_same_trade_that_fills_the_entry_fires_the_stop() -> None:
    room = quoted()
    room.send(OTOCO, *bracket(5, 98))
    assert no_money(room.trade(94, 9)) == [
        "fill #1 5 @ 98 maker trade_through",
        "activated #2",
        "activated #3",
        "accepted #2",
        "accepted #3",
        "triggered #3",
        "canceled #2 list_ended",
        "fill #3 5 @ 99 taker book_walk",
    ]


def test_an_entry_filled_on_arrival_places_them_at_once() -> None:
    room = quoted()
    assert no_money(room.send(OTOCO, *bracket(5, 101)))[3:] == [
        "accepted #1",
        "fill #1 5 @ 101 taker book_walk",
        "activated #2",
        "activated #3",
        "accepted #2",
        "accepted #3",
    ]


def test_a_sale_is_cut_to_what_the_buy_brought_after_its_fee() -> None:
    room = quoted(taker_fee=Decimal("0.1"))
    room.send(OTOCO, *bracket(25, 101))
    assert room.order(2)["qty_lots"] == room.order(3)["qty_lots"] == 22, "25 less a fee of 3"
    assert room.money("B") == (1_000, 22), "and those are what it reserves"
    room.send(OTO, Intent(BUY, 1, 101), Intent(SELL, 1, 110))
    assert no_money(room.lines)[-1] == "rejected #5 insufficient_balance", "nothing is left of one lot"
    room.send(OTO, Intent(BUY, 10, 101), Intent(SELL, 4, 110))
    assert room.order(7)["qty_lots"] == 4, "it is never grown"


def test_without_funds_the_pending_leg_is_rejected() -> None:
    room = Room(deposits={"B": 5, "Q": 400})
    room.quote(99, 100, 101, 100)
    room.trade(100, 1)
    said = room.send(OTO, Intent(SELL, 2, 99), Intent(BUY, 9, 95))
    assert no_money(said)[-2:] == ["activated #2", "rejected #2 insufficient_balance"]
    assert room.money("Q") == (598, 0) and not room.fold.faults()


@pytest.mark.parametrize("force", [IOC, FOK])
def test_an_entry_that_ends_takes_them_along(force: Any) -> None:
    room = quoted()
    said = no_money(room.send(OTOCO, *bracket(500, 101, force)))
    assert said[-3].startswith("expired #1") and said[-2:] == ["canceled #2 list_ended", "canceled #3 list_ended"]
    assert not room.fold.faults() and room.money("B")[1] == 0


def test_a_deadline_that_passes_while_it_is_pending_ends_the_list() -> None:
    room = quoted()
    leg = Intent(SELL, 5, 110, time_in_force=GTD, expire_ns=room.now + SECOND)
    room.send(OTO, Intent(BUY, 5, 90), leg)
    assert no_money(room.timer(SECOND)) == ["expired #2 deadline_passed", "canceled #1 list_ended"]
    assert room.money("Q") == (100_000, 0)


def test_canceling_a_pending_leg_cancels_its_entry() -> None:
    room = quoted()
    room.send(OTOCO, *bracket(5, 90))
    assert no_money(room.cancel(3))[1:] == [
        "canceled #3 user_canceled",
        "canceled #1 list_ended",
        "canceled #2 list_ended",
    ]


def test_a_pending_order_may_be_any() -> None:
    room = quoted()
    said = no_money(room.send(OTO, Intent(BUY, 5, 101), Intent(SELL, 5)))
    assert said[-2:] == ["accepted #2", "fill #2 5 @ 99 taker book_walk"]
    assert no_money(room.send(OTO, Intent(BUY, 5, 101), Intent(BUY, 5, None, 110)))[-1] == "accepted #4"
    assert status_of(room, 4) == "accepted"


def test_an_order_that_joins_the_queue_where_the_entry_was_filled_is_not_met_by_the_same_trade() -> None:
    room = quoted()
    room.send(OTO, Intent(BUY, 5, 98), Intent(BUY, 3, 97))
    said = no_money(room.trade(96, 50))
    assert said == ["fill #1 5 @ 98 maker trade_through", "activated #2", "accepted #2"], "the trade was before it"
    assert status_of(room, 2) == "accepted"


def test_they_wait_while_the_data_is_not_trusted() -> None:
    room = quoted()
    room.send(OTOCO, *bracket(5, 98))
    room.status(MarketStatus.STALE)
    assert room.trade(90, 9) == [] and status_of(room, 2) == "submitted"
    room.status(MarketStatus.LIVE)
    room.quote(97, 1, 98, 9)
    assert "activated #2" in room.lines


# ---- tape and bars ---------------------------------------------------------------------------------------------------


def test_on_the_tape() -> None:
    room = Room()
    room.trade(100, 1)
    room.send(OTOCO, *bracket(5, 99))
    assert no_money(room.trade(98, 9, Side.SELL))[:3] == [
        "fill #1 5 @ 99 maker trade_through",
        "activated #2",
        "activated #3",
    ]
    assert no_money(room.trade(106, 2, Side.SELL)) == [], "who rests post-only does not take"
    assert no_money(room.trade(106, 2))[:2] == ["canceled #3 list_ended", "fill #2 2 @ 105 maker trade_through"]


def barred(entry: int = 98, **more: Any) -> Room:
    """Bars of a minute; a bracket sent after the first."""
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.bar((100, 100, 100, 100), 50)
    room.send(OTOCO, *bracket(5, entry, **more))
    assert bar(room, 100, 100, 100, 100) == [], "from then on the entry rests"
    return room


def bar(room: Room, *prices: int) -> Lines:
    """The next but one bar, so that all was sent before it opened."""
    return no_money(room.bar(prices, 1_000, after_ns=2 * MINUTE))  # type: ignore[arg-type]


def test_a_bar_that_goes_on_through_the_stop_fires_it() -> None:
    said = bar(barred(), 99, 101, 94, 96)
    assert said[-3:] == ["triggered #3", "canceled #2 list_ended", "fill #3 5 @ 95 taker bar_stop"]
    said = bar(barred(limit=90), 99, 101, 94, 96)
    assert said[-2:] == ["triggered #3", "canceled #2 list_ended"], "its limit price waits for the next bar"


def test_a_bar_that_reached_the_profit_does_not_give_it() -> None:
    room = barred()
    assert bar(room, 99, 120, 97, 118)[-1] == "accepted #3", "who knows whether that was before"
    assert bar(room, 104, 106, 103, 104)[:2] == ["canceled #3 list_ended", "fill #2 5 @ 105 maker bar_through"]


def test_a_bar_that_reaches_both_fires_the_stop_alone() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.bar((100, 100, 100, 100), 50)
    room.send(OCO, *pair(5))
    assert bar(room, 100, 110, 90, 100) == [
        "triggered #2",
        "canceled #1 list_ended",
        "fill #2 5 @ 95 taker bar_stop",
    ]


@pytest.mark.parametrize("company", [False, True], ids=["alone", "in company"])
def test_a_second_bar_of_the_same_time_meets_the_stop_whatever_it_places_for_others(company: bool) -> None:
    room = barred()
    if company:
        room.open(1, {"B": 1_000, "Q": 100_000}, fill_model=FillModel.OPTIMISTIC)
        room.send(OTOCO, *bracket(5, 96), account=1)
    assert bar(room, 99, 101, 97, 98)[-1] == "accepted #3", "placed in this bar, which did not reach the stop"
    said = no_money(room.bar((97, 97, 94, 95), 1_000))
    own = [line for line in said if line in ("triggered #3", "canceled #2 list_ended", "fill #3 5 @ 95 taker bar_stop")]
    assert own[:3] == ["triggered #3", "canceled #2 list_ended", "fill #3 5 @ 95 taker bar_stop"]
