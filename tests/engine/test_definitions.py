"""Definitions change while orders live: what still fits takes the new version, the rest is canceled with the reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.engine.room import BUY, PLAIN, SELL, B, C, Q, Room, no_money, status_of

from paperdesk.domain import commands
from paperdesk.domain.events import Side, TradingStatus
from paperdesk.domain.instruments import DEFINITION_FIELDS
from paperdesk.engine.state import MAX_INSTRUMENTS

D = Decimal


def room_with_orders() -> Room:
    """Orders 1 to 3 live: a resting buy at 90, a sale waiting for its trigger at 80, a buy in flight."""
    room = Room(latency_ns=100)
    room.quote(99, 1000, 101, 1000)
    room.submit(BUY, 5, 90)
    room.submit(SELL, 5, trigger=80)
    room.timer(100)
    room.submit(BUY, 5, 95)
    return room


@pytest.mark.parametrize(
    "change", [{"tick": D("0.5")}, {"lot": D(2)}, {"tick": D("1.0")}, {"tick": D(2), "lot": D("2")}]
)
def test_a_new_grid_ends_all_orders_and_the_market_starts_anew(change: dict[str, Any]) -> None:
    room = room_with_orders()
    said = no_money(room.redefine(**change))
    assert said == ["instrument changed"] + [f"canceled #{n} instrument_changed" for n in (1, 2, 3)]
    assert room.money("Q") == (100_000, 0) and room.money("B") == (1_000, 0)
    market = room.state["markets"][0]
    names = ("evidence", "has_view", "last_ticks", "mark_ticks", "mark_ns", "trade_seen")
    assert [int(market[name]) for name in names] == [0] * 6
    assert room.submit(BUY, 1) == ["denied #4 no_market_data"]
    assert room.timer(200) == []


def test_the_same_grid_keeps_orders_that_still_fit() -> None:
    room = room_with_orders()
    assert room.redefine(maker_fee=D("0.5"), min_quantity=D(5)) == ["instrument changed"]
    assert [room.order(n)["version"] for n in (1, 2, 3)] == [2, 2, 2]
    room.timer(100)
    assert [status_of(room, n) for n in (1, 2, 3)] == ["accepted"] * 3
    assert room.trade(89, 9, Side.SELL)[-1].startswith(("fee", "release")), "filled at the new fee"
    assert [int(row["fee_rate_e8"]) for row in room.rows[-1] if int(row["kind"]) == 11] == [50_000_000] * 2


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"min_price": D(91)}, [1, 2]),
        ({"min_price": D(85)}, [2]),
        ({"max_price": D(92)}, [3]),
        ({"min_quantity": D(6)}, [1, 2, 3]),
        ({"max_quantity": D(4)}, [1, 2, 3]),
        ({"market_min_quantity": D(6)}, [2]),
        ({"min_notional": D(10_000)}, []),
    ],
)
def test_orders_that_no_longer_pass_price_and_size_filters_are_canceled(
    change: dict[str, Any], gone: list[int]
) -> None:
    room = room_with_orders()
    said = no_money(room.redefine(**change))
    assert said == ["instrument changed"] + [f"canceled #{n} instrument_changed" for n in gone]


def test_a_delisted_instrument_ends_all_orders() -> None:
    room = room_with_orders()
    said = no_money(room.redefine(trading_status=TradingStatus.DELISTED))
    assert said == ["instrument changed"] + [f"canceled #{n} delisted" for n in (1, 2, 3)]
    assert room.submit(BUY, 1, 90) == ["denied #4 instrument_halted"]


def test_a_halt_keeps_resting_orders() -> None:
    room = room_with_orders()
    assert room.redefine(trading_status=TradingStatus.HALTED) == ["instrument changed"]
    assert [status_of(room, n) for n in (1, 2, 3)] == ["accepted", "accepted", "submitted"]
    assert no_money(room.timer(100)) == ["rejected #3 instrument_halted"]


def test_orders_of_other_instruments_are_left_alone() -> None:
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
    room = Room([PLAIN, cq])
    room.buy(1, 90)
    room.buy(1, 9, number=1)
    room.open(3)
    room.buy(1, 90, account=3)
    said = room.redefine(trading_status=TradingStatus.DELISTED)
    assert [line for line in said if line.startswith("canceled")] == ["canceled #1 delisted"] * 2
    assert status_of(room, 2) == "accepted"


def test_an_order_of_an_old_version_is_denied() -> None:
    room = room_with_orders()
    room.redefine(maker_fee=D("0.5"))
    room.instruments[0] = room.instruments[0]._replace(version=1)
    assert room.submit(BUY, 1, 90)[-1] == "denied #4 instrument_changed"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": 3},
        {"base": Q, "quote": B},
        {"base": C},
        {"quote": C},
        {"number": MAX_INSTRUMENTS},
        {"number": -1},
        {"number": 5},  # of version 2, the first one must be 1
    ],
)
def test_impossible_definitions_are_refused_and_change_nothing(change: dict[str, Any]) -> None:
    room = room_with_orders()
    room.put(commands.define_asset(C))
    before = room.fold.parts()
    changed = PLAIN._replace(**{"version": 2, **change})
    assert room.put(commands.define_instrument(changed)) == ["event refused bad_event"]
    assert room.fold.parts()["account/0"] == before["account/0"]
    assert int(room.state["instruments"][0]["version"]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num", 0),
        ("den", 0),
        ("den", -1),
        ("base_units_per_lot", 0),
        ("maker_fee_e8", -1),
        ("taker_fee_e8", 100_000_001),
        ("base_asset", 40),
        ("quote_asset", -1),
    ],
)
def test_impossible_numbers_in_a_definition_are_refused(name: str, value: int) -> None:
    room = room_with_orders()
    row = commands.define_instrument(PLAIN._replace(version=2))
    row[name] = value
    assert room.put(row) == ["event refused bad_event"]


def test_a_cancel_on_its_way_outlives_the_definition() -> None:
    room = room_with_orders()
    room.cancel(1)
    assert "canceled #1 instrument_changed" in room.redefine(tick=D("0.5"))
    assert room.timer(100)[-1] == "cancel rejected #1 order_done"


def test_the_fold_keeps_every_field_of_a_definition() -> None:
    room, row = Room(), commands.define_instrument(PLAIN._replace(version=2))
    names = [name for name in DEFINITION_FIELDS if not name.endswith("_asset")]
    for value, name in enumerate(names, start=2):
        row[name] = value
    room.put(row)
    kept = room.state["instruments"][0]
    assert [int(kept[name]) for name in names] == list(range(2, len(names) + 2))
