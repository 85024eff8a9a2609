"""Sending order lists: taken whole or not at all, judged leg by leg; what they hold, and that nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.material import folded, with_timers
from tests.engine.room import BUY, MINUTE, NOON, PLAIN, SELL, B, Q, Room, no_money, status_of

from paperdesk.domain import commands
from paperdesk.domain.commands import Intent, command
from paperdesk.domain.events import FillModel, InputKind, ListKind, Side
from paperdesk.engine.fold import Fold

OCO, OTO, OTOCO = ListKind.OCO, ListKind.OTO, ListKind.OTOCO


def profit(lots: int = 5, price: int = 105, **terms: Any) -> Intent:
    """What sells at a profit."""
    return Intent(SELL, lots, price, post_only=True, **terms)


def stop(lots: int = 5, trigger: int = 95, **terms: Any) -> Intent:
    """What sells before it gets worse."""
    return Intent(SELL, lots, None, trigger, **terms)


def quoted(**more: Any) -> Room:
    """A book, and a last price of 100."""
    room = Room(**more)
    room.quote(99, 100, 101, 100)
    room.trade(100, 1)
    return room


@pytest.mark.parametrize(
    ("kind", "legs", "reason"),
    [
        (OCO, (profit(5), stop(6)), "unsupported_combination"),
        (OCO, (profit(5), Intent(BUY, 5, None, 110)), "unsupported_combination"),
        (OCO, (stop(5), profit(5)), "unsupported_combination"),
        (OCO, (Intent(SELL, 5, 105), stop()), "unsupported_combination"),
        (OCO, (profit(5), Intent(SELL, 5, None, 104, take_profit=True)), "unsupported_combination"),
        (OCO, (profit(5, 105), stop(5, 105)), "list_prices"),
        (OCO, (Intent(BUY, 5, 106, post_only=True), Intent(BUY, 5, None, 105)), "list_prices"),
        (OTO, (Intent(BUY, 5), stop()), "unsupported_combination"),
        (OTO, (Intent(BUY, 5, None, 110), stop()), "unsupported_combination"),
        (OTOCO, (Intent(BUY, 5, 99), profit(5), stop(6)), "unsupported_combination"),
    ],
)
def test_orders_that_make_no_list(kind: ListKind, legs: tuple[Intent, ...], reason: str) -> None:
    room = quoted()
    assert room.send(kind, *legs) == [f"denied #{number} {reason}" for number in range(1, len(legs) + 1)]
    assert room.send(OCO, profit(), stop())[0] == f"submitted #{len(legs) + 1}"


def test_one_leg_that_fails_names_its_reason_and_the_others_fail_with_it() -> None:
    room = quoted()
    assert room.send(OCO, profit(5), stop(5, -3)) == ["denied #1 list_refused", "denied #2 invalid_trigger"]
    assert room.send(OCO, profit("0.5"), stop("0.5"))[0] == "denied #3 quantity_off_grid"  # type: ignore[arg-type]
    assert room.send(OCO, profit(1_001), stop(1_001)) == ["denied #5 insufficient_balance", "denied #6 list_refused"]
    late = stop(5, 95, expire_ns=room.now)
    late.order_type, late.price = Intent(SELL, 5, 94, 95).order_type, 94
    assert room.send(OTOCO, Intent(BUY, 5, 99), profit(), late)[2] == "denied #9 invalid_deadline"
    assert status_of(room, 1) == "gone" and room.money("B") == (1_000, 0)


def test_a_list_of_no_kind_is_refused_before_it_has_numbers() -> None:
    room = quoted()
    row = commands.submit_list(0, 0, PLAIN, OCO, (profit(), stop()))
    for field, value, reason in (
        ("list_kind", 4, "unsupported_combination"),
        ("list_kind", 0, "unsupported_combination"),
        ("account", 9, "unknown_account"),
        ("bot", 99, "unknown_bot"),
        ("instrument", 9, "unknown_instrument"),
    ):
        wrong = row.copy()
        wrong[field] = value
        assert room.put(wrong) == [f"command refused {reason}"]
    assert room.send(OCO, profit(), stop())[0] == "submitted #1"


def test_builders_know_how_many_orders_a_list_has() -> None:
    with pytest.raises(ValueError, match="OTOCO list has 3 orders, not 2"):
        commands.submit_list(0, 0, PLAIN, OTOCO, (profit(), stop()))
    with pytest.raises(ValueError, match="no quote_quantity"):
        commands.submit_list(0, 0, PLAIN, OTO, (Intent(BUY, 5, 99), Intent(SELL, quote_quantity=5)))


def test_a_pair_needs_what_one_of_it_needs() -> None:
    room = quoted(deposits={"B": 5, "Q": 500})
    assert room.send(OCO, profit(5), stop(5))[0] == "submitted #1", "all that there is, once"
    assert room.sell(1, 110) == ["denied #3 insufficient_balance"]


def test_the_gate_counts_a_pair_once_and_the_exit_of_an_entry_as_one() -> None:
    room = quoted()
    room.limits(bot=1, max_position=500, max_exposure=600)
    assert room.send(OTOCO, Intent(BUY, 5, 99), profit(5), stop(5), bot=1)[0] == "submitted #1"
    assert room.send(OTOCO, Intent(BUY, 1, 99), profit(1), stop(1), bot=1)[0] == "denied #4 max_position"
    assert room.send(OTO, Intent(BUY, 1, 90), Intent(BUY, 4, 80), bot=2)[0] == "submitted #7"
    room.limits(bot=2, max_position=1_000)
    assert room.send(OTO, Intent(BUY, 2, 90), Intent(BUY, 8, 80), bot=2)[:2] == [
        "denied #9 list_refused",
        "denied #10 max_position",
    ], "what follows on the same side counts on top of the entry"
    room.limits(bot=2, max_order=400)
    assert room.send(OTO, Intent(BUY, 4, 90), profit(4, 105), bot=2) == [
        "denied #11 list_refused",
        "denied #12 max_order",
    ]


def test_exits_may_only_reduce() -> None:
    room = quoted()
    room.buy(3, bot=1)
    assert room.send(OCO, profit(9, reduce_only=True), stop(9, reduce_only=True), bot=1)[0] == "submitted #2"
    assert no_money(room.trade(95, 1))[-2:] == ["fill #3 3 @ 99 taker book_walk", "expired #3 position_closed"]
    said = no_money(room.send(OTO, Intent(BUY, 2, 101), profit(2, reduce_only=True), bot=1))
    assert said[-1] == "accepted #5", "while it is pending there is nothing to reduce yet"


def test_legs_arrive_together_with_drawn_latencies() -> None:
    room = quoted()
    room.put(commands.set_latencies(0, 7, range(0, 33_000_000, 1_000_000)))
    room.put(commands.submit_list(0, 0, PLAIN, OTOCO, (Intent(BUY, 5, 90), profit(), stop())))
    assert len({room.order(number)["arrive_ns"] for number in (1, 2, 3)}) == 1


def test_after_a_restart_everything_hangs_together_as_before() -> None:
    room = quoted()
    room.send(OTOCO, Intent(BUY, 5, 98), profit(), stop())
    room.send(OCO, profit(2, 110), stop(2, 92))
    again = Room(fold=Fold.from_parts(room.fold.parts()))
    assert again.fold.hash() == room.fold.hash()
    again.now, again.instruments, again.assets = room.now, room.instruments, room.assets
    for price in (97, 104, 91):
        assert again.trade(price, 50) == room.trade(price, 50)
    assert again.fold.hash() == room.fold.hash() and not room.fold.faults()


def test_facts_alone_rebuild_a_list_in_every_state() -> None:
    room = quoted()
    room.send(OTOCO, Intent(BUY, 5, 98), profit(), stop())
    room.send(OTOCO, Intent(BUY, 4, 90), profit(4), stop(4))
    room.send(OCO, profit(2, 110), stop(2, 92))
    room.trade(97, 50)
    fold = Fold()
    for row, said in zip(room.inputs, room.rows, strict=True):
        fold.take_facts(row, 0, said)
    fold.settle()
    again = Room(fold=fold)
    again.now, again.instruments, again.assets = room.now, room.instruments, room.assets
    assert not fold.faults()
    for number in range(1, 9):
        ours, theirs = room.order(number), again.order(number)
        for name in ("status", "place", "reserved_units", "list_id", "list_leg", "activated_ns", "brought_units"):
            assert ours.get(name) == theirs.get(name), (number, name)
    assert again.trade(91, 1) == room.trade(91, 1)


# ---- laws ------------------------------------------------------------------------------------------------------------


def listed(dice_seed: int, accounts: int) -> list[Any]:
    """Lists of several accounts at the same few prices, with trades and pictures between."""
    import random

    dice = random.Random(dice_seed)
    rows = [commands.define_asset(B), commands.define_asset(Q), commands.define_instrument(PLAIN)]
    rows.append(commands.bind_source(1))
    for account in range(accounts):
        rows.append(commands.open_account(account, Q, 1, account % 3, 10**15, FillModel(account % 3 + 1)))
        rows += [commands.deposit(account, B, 500), commands.deposit(account, Q, 50_000)]
    for _ in range(300):
        drawn, account = dice.random(), dice.randrange(accounts)
        if drawn < 0.3:
            price = 100 + dice.randint(-5, 5)
            fields = {"trade_price_ticks": price, "trade_qty_lots": dice.choice((1, 9, 60))}
            rows.append(command(InputKind.TRADE, side=dice.choice((Side.BUY, Side.SELL)), **fields))
        elif drawn < 0.5:
            middle = 100 + dice.randint(-2, 2)
            fields = {"bid_ticks": middle - 1, "ask_ticks": middle + 1}
            rows.append(command(InputKind.QUOTE, bid_lots=dice.randint(1, 30), ask_lots=20, **fields))
        elif drawn < 0.9:
            lots, away = dice.randint(1, 20), dice.randint(1, 4)
            exits = profit(lots, 100 + away), stop(lots, 100 - away)
            entry = Intent(BUY, lots, 100 + dice.randint(-3, 2))
            kind = dice.choice((OCO, OTOCO))
            legs = exits if kind == OCO else (entry, *exits)
            rows.append(commands.submit_list(account, 0, PLAIN, kind, legs))
        else:
            rows.append(commands.cancel_order(account, 0, dice.randint(1, 30)))
    now = NOON
    for row in rows:
        now += dice.choice((0, 1, 2, MINUTE))
        row["ts_seq_ns"] = now
    return with_timers(tuple(rows))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lists_of_an_account_do_not_depend_on_company(seed: int) -> None:
    rows = listed(seed, 6)
    company, _ = folded(rows)
    assert int(company.state["accounts"]["next_fill"][0, :6].sum()) > 30
    for account in (0, 3, 5):
        own = [row for row in rows if row["kind"][0] < InputKind.OPEN_ACCOUNT or row["account"][0] == account]
        alone = Fold()
        for row in own:
            copy = row.copy()
            copy["seq"] = alone.seq + 1
            alone.take(copy)
        assert alone.account_hash(account) == company.account_hash(account), account


STEP = st.tuples(st.sampled_from(["trade", "quote", "cancel", "list"]), st.integers(-5, 5), st.integers(1, 30))


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(STEP, min_size=5, max_size=25), fee=st.sampled_from(["0", "0.001", "0.4"]))
def test_a_pair_is_never_filled_twice_and_the_books_agree(steps: list[tuple[str, int, int]], fee: str) -> None:
    from decimal import Decimal

    rate = Decimal(fee)
    room = Room([PLAIN._replace(maker_fee=rate, taker_fee=rate)], deposits={"B": 60, "Q": 5_000})
    room.quote(99, 20, 101, 20)
    for what, away, lots in steps:
        if what == "trade":
            room.trade(100 + away, lots, after_ns=1)
        elif what == "quote":
            room.quote(99 + away, lots, 101 + away, lots, after_ns=1)
        elif what == "cancel":
            room.cancel(lots)
        elif away > 0:
            room.send(OCO, profit(lots, 100 + away), stop(lots, 100 - away))
        else:
            room.send(OTOCO, Intent(BUY, lots, 101 + away), profit(lots, 103), stop(lots, 97 + away // 2))
        assert room.fold.faults() == []
    sold: dict[int, int] = {}
    asked: dict[int, int] = {}
    for rows in room.rows:
        for row in rows:
            leg = int(row["list_leg"])
            if row["kind"] == 6 and leg in (8, 9, 25, 26):
                first = int(row["list_id"]) + (0 if leg < 16 else 1)
                asked[int(row["order_id"])] = first
                sold.setdefault(first, 0)
            if row["kind"] == 11 and int(row["order_id"]) in asked:
                sold[asked[int(row["order_id"])]] += int(row["fill_lots"])
    for first, lots in sold.items():
        sent = next(row for rows in room.rows for row in rows if row["kind"] == 6 and row["order_id"] == first)
        assert lots <= int(sent["qty_lots"])
