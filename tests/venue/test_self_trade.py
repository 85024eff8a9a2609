"""Self-trade prevention: orders of one account never trade with each other; who gives way is the taker's mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import BUY, FOK, IOC, MINUTE, SECOND, SELL, Lines, Room, fills, no_money, status_of

from paperdesk.domain import commands
from paperdesk.domain.commands import command
from paperdesk.domain.events import FLAG_SELF_TRADE, FillModel, InputKind, OutputKind, SelfTrade

MODES = ("expire_maker", "expire_taker", "expire_both", "decrement", "none")


def quoted(**terms: Any) -> Room:
    """99 bid, 105 asked, 50 lots each; the spread is wide enough for own orders within it."""
    room = Room(**terms)
    room.quote(99, 50, 105, 50)
    return room


def met(lines: Lines) -> Lines:
    """What orders of one account did to each other."""
    return [line for line in lines if line.endswith(" expired_in_match")]


@pytest.mark.parametrize(
    ("mode", "said", "states"),
    [
        ("expire_maker", ["expired #1 expired_in_match"], ("gone", "accepted")),
        ("expire_taker", ["expired #2 expired_in_match"], ("accepted", "gone")),
        ("expire_both", ["expired #1 expired_in_match", "expired #2 expired_in_match"], ("gone", "gone")),
        ("decrement", ["expired #1 expired_in_match", "decreased #2 expired_in_match"], ("gone", "accepted")),
        ("none", [], ("accepted", "accepted")),
    ],
)
def test_the_mode_says_who_gives_way(mode: Any, said: Lines, states: tuple[str, str]) -> None:
    room = quoted()
    room.sell(3, 102)
    lines = room.buy(5, 102, self_trade=mode)
    assert met(lines) == said and fills(lines) == []
    assert tuple(status_of(room, number) for number in (1, 2)) == states
    if mode == "decrement":
        assert room.order(2)["qty_lots"] == 2 and room.money("Q")[1] == 204
    assert room.money("B") == ((1_000, 0) if states[0] == "gone" else (997, 3))
    assert not room.fold.faults()


@pytest.mark.parametrize(("maker", "taker", "states"), [(5, 3, ("accepted", "gone")), (3, 3, ("gone", "gone"))])
def test_a_decrement_takes_the_smaller_from_both(maker: int, taker: int, states: tuple[str, str]) -> None:
    room = quoted()
    room.sell(maker, 102)
    room.buy(taker, 103, self_trade="decrement")
    assert tuple(status_of(room, number) for number in (1, 2)) == states
    assert room.money("B")[1] == maker - taker and room.money("Q") == (100_000, 0)


def test_the_outputs_name_each_other() -> None:
    room = quoted()
    room.sell(5, 102)
    room.buy(3, 102, self_trade="decrement")
    rows = [row for rows in room.rows for row in rows if int(row["reason"]) and int(row["order_id"])]
    assert [(int(row["order_id"]), int(row["cause"])) for row in rows] == [(1, 2), (2, 1)]


def test_the_mode_of_the_one_that_waits_does_not_matter() -> None:
    for mode in MODES:
        room = quoted()
        room.sell(3, 102, self_trade=mode)  # type: ignore[arg-type]
        assert met(room.buy(3, 102, self_trade="expire_taker")) == ["expired #2 expired_in_match"]


def test_the_account_says_what_an_order_does_not() -> None:
    room = quoted()
    assert room.put(commands.set_self_trade(0, SelfTrade.EXPIRE_BOTH)) == ["self trade set"]
    room.sell(3, 102)
    assert len(met(room.buy(3, 102))) == 2
    room.put(commands.set_self_trade(0, SelfTrade.NONE))
    room.sell(3, 102)
    assert met(room.buy(3, 102)) == []
    for flags in (0, 48, 56):
        row = command(InputKind.SET_SELF_TRADE, flags=flags)
        assert room.put(row) == ["command refused invalid_amount"]
    assert room.put(command(InputKind.SET_SELF_TRADE, account=7, flags=8)) == ["command refused unknown_account"]


def test_an_order_is_sent_with_its_mode_and_states_it() -> None:
    room = quoted()
    room.buy(1, 98)
    room.buy(1, 98, self_trade="none")
    sent = [
        int(row["flags"]) & FLAG_SELF_TRADE
        for rows in room.rows
        for row in rows
        if row["kind"] == OutputKind.ORDER_SUBMITTED
    ]
    assert sent == [SelfTrade.EXPIRE_MAKER << 3, SelfTrade.NONE << 3]


def test_a_mode_that_does_not_exist_is_refused_and_a_quote_quantity_is_not_decremented() -> None:
    room = quoted()
    assert room.buy(0, quote_quantity=500, self_trade="decrement") == ["denied #1 unsupported_combination"]
    with pytest.raises(ValueError, match="self_trade is one of none, expire_maker"):
        room.buy(1, 98, self_trade="cancel_oldest")
    room.put(commands.set_self_trade(0, SelfTrade.DECREMENT))
    room.sell(3, 102)
    assert met(room.buy(0, quote_quantity=500)) == ["expired #2 expired_in_match"], "as expire_maker"


def test_a_market_order_meets_what_stands_before_the_book() -> None:
    room = quoted()
    room.sell(3, 102)
    assert no_money(room.buy(4))[2:] == ["expired #1 expired_in_match", "fill #2 4 @ 105 taker book_walk"]


def test_the_lots_ahead_of_an_own_order_are_taken_first() -> None:
    room = Room(fill_model=FillModel.PESSIMISTIC)
    room.quote(99, 50, 105, 10)
    room.sell(3, 105)
    room.quote(99, 50, 105, 30)
    assert fills(room.buy(10, self_trade="expire_taker")) == ["#2 10 @ 105 taker book_walk"], "the ten before it"
    assert no_money(room.buy(1, self_trade="expire_taker"))[2:] == ["expired #3 expired_in_match"], (
        "used up: it is next"
    )
    assert no_money(room.buy(7))[2:] == ["expired #1 expired_in_match", "fill #4 7 @ 105 taker book_walk"]


def test_own_orders_are_met_by_price_then_rank() -> None:
    room = quoted(latency_ns=SECOND)
    room.trade(100, 1)
    room.sell(1, 104)
    room.sell(1, 102, trigger=98)
    room.sell(1, 102)
    room.timer(2 * SECOND)
    room.trade(98, 1)
    assert room.order(2)["rank"] > room.order(3)["rank"]
    room.submit(BUY, 5, 104)
    assert [line.split()[1] for line in met(room.timer(SECOND))] == ["#3", "#2", "#1"]


def test_a_triggered_stop_meets_own_orders() -> None:
    room = quoted()
    room.trade(100, 1)
    room.sell(3, 104)
    room.buy(5, 104, trigger=103)
    lines = no_money(room.trade(103, 1))
    assert lines == ["triggered #2", "expired #1 expired_in_match"] and status_of(room, 2) == "accepted"


def test_fill_or_kill_ends_nobody_when_it_is_not_filled() -> None:
    for mode in MODES[:4]:
        room = quoted()
        room.sell(3, 104)
        lines = room.buy(60, 105, tif=FOK, self_trade=mode)  # type: ignore[arg-type]
        assert no_money(lines)[2:] == ["expired #2 fok_not_filled"] and status_of(room, 1) == "accepted", mode
        lines = room.buy(50, 105, tif=FOK, self_trade=mode)  # type: ignore[arg-type]
        if mode == "expire_maker":
            assert met(lines) == ["expired #1 expired_in_match"] and fills(lines) == ["#3 50 @ 105 taker book_walk"]
        else:
            assert no_money(lines)[2:] == ["expired #3 fok_not_filled"] and status_of(room, 1) == "accepted", mode


def test_fill_or_kill_is_filled_by_what_stands_ahead() -> None:
    for mode in MODES:
        room = quoted()
        room.sell(3, 105)
        assert fills(room.buy(50, 105, tif=FOK, self_trade=mode)) == ["#2 50 @ 105 taker book_walk"]  # type: ignore[arg-type]
        assert status_of(room, 1) == "accepted"


def test_post_only_is_rejected_at_own_orders_in_every_mode() -> None:
    for mode in MODES:
        room = quoted()
        room.sell(3, 102)
        assert room.buy(1, 102, post_only=True, self_trade=mode)[-2:] == [
            "rejected #2 post_only_would_take",
            "release 102 Q",
        ]  # type: ignore[arg-type]
        assert room.buy(1, 101, post_only=True)[-1] == "accepted #3"


@pytest.mark.parametrize("evidence", ["none", "bars", "tape", "gap"])
def test_without_a_book_a_limit_order_meets_own_orders_when_it_arrives(evidence: str) -> None:
    room = Room()
    room.bar((100, 100, 100, 100), 50)
    if evidence == "tape":
        room.trade(100, 5)
    if evidence == "gap":
        room.quote(99, 50, 105, 50)
    room.sell(3, 102)
    if evidence == "gap":
        room.submit(BUY, 5, 102, self_trade="expire_taker")
        assert status_of(room, 2) == "gone"
        return
    assert met(room.buy(5, 102)) == ["expired #1 expired_in_match"]
    assert met(room.sell(2, 101, self_trade="expire_taker")) == ["expired #3 expired_in_match"]
    assert no_money(room.sell(2, 101, tif=FOK, self_trade="expire_both"))[2:] == ["expired #4 fok_not_filled"]
    assert met(room.sell(2, 101, tif=FOK)) == [] and status_of(room, 2) == "accepted", "it may yet be filled, or not"
    assert met(room.sell(2, tif=IOC)) == [], "a market order has no price yet"


def test_a_stop_that_a_bar_triggers_meets_own_orders() -> None:
    room = Room()
    room.bar((100, 100, 100, 100), 50)
    room.sell(3, 104)
    room.buy(5, 104, trigger=103)
    room.bar((100, 100, 100, 100), 50, after_ns=2 * MINUTE)
    lines = no_money(room.bar((103, 103, 103, 103), 0, after_ns=MINUTE))
    assert lines == ["triggered #2", "expired #1 expired_in_match"] and status_of(room, 2) == "accepted"


def test_own_orders_of_other_bots_count_and_other_accounts_do_not() -> None:
    room = quoted()
    room.open(1, bots=(5,))
    room.sell(3, 102, bot=1)
    assert met(room.buy(3, 102, account=1)) == []
    assert met(room.buy(3, 102, bot=2)) == ["expired #1 expired_in_match"]


def test_a_cancel_on_its_way_to_an_own_order_is_told() -> None:
    room = quoted(latency_ns=SECOND)
    room.sell(3, 102)
    room.timer(SECOND)
    room.submit(BUY, 5, 102)
    room.timer(SECOND // 2)
    room.cancel(1)
    assert met(room.timer(SECOND // 2)) == ["expired #1 expired_in_match"]
    assert room.timer(SECOND) == ["cancel rejected #1 order_done"]


def test_none_lets_both_wait_and_neither_trades_with_the_other() -> None:
    room = quoted()
    room.sell(3, 102)
    room.buy(3, 103, self_trade="none")
    assert fills(room.quote(99, 50, 105, 50) + room.quote(99, 40, 105, 40)) == []
    assert fills(room.trade(101, 9, SELL)) == ["#2 3 @ 103 maker trade_through"]
    assert status_of(room, 1) == "accepted"


ORDERS = st.tuples(
    st.sampled_from((BUY, SELL)),
    st.integers(1, 9),
    st.integers(97, 107),
    st.sampled_from(MODES[:4]),
    st.sampled_from((None, IOC, FOK)),
)


@given(orders=st.lists(ORDERS, min_size=2, max_size=25), books=st.lists(st.integers(1, 12), min_size=1, max_size=25))
@settings(max_examples=60, deadline=None)
def test_no_account_ever_waits_across_itself(orders: list[Any], books: list[int]) -> None:
    """With any mode but NONE: own buys stay below own sales, books and reserves agree, and no fill is with oneself."""
    room = Room((Room().instruments[0],), {"B": 10_000, "Q": 1_000_000}, fill_model=FillModel.EXPECTED)
    for place, (side, lots, price, mode, tif) in enumerate(orders):
        size = books[place % len(books)]
        room.quote(100, size, 104, size + 1)
        room.submit(side, lots, price, tif=tif, self_trade=mode)
        assert not room.fold.faults()
        rows = room.state["orders"][: int(room.state["n_used_rows"])]
        live = rows[rows["status"] > 0]
        buys, sells = live["price_ticks"][live["side"] == BUY], live["price_ticks"][live["side"] == SELL]
        assert not len(buys) or not len(sells) or np.max(buys) < np.min(sells)
