"""What an account is worth: conversions, their direction and rounding, and prices that are missing or stale."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.engine.figures import (
    BOT_EXPOSURE,
    EQUITY,
    EXPOSURE,
    PNL,
    POSITION_VALUE,
    QUOTE_VALUE,
    REPORTING_VALUE,
    figure,
)
from tests.engine.room import BUY, MINUTE, NOON, PLAIN, B, C, Q, Room

from paperdesk.domain import commands
from paperdesk.domain.events import MarketStatus

UNKNOWN = (False, 0)

CQ = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
BC = PLAIN._replace(number=2, symbol="B/C", base=B, quote=C)


def of(room: Room, which: int, first: int = 0, second: int = 0, units: int = 0) -> tuple[bool, int]:
    """The figure as (computable, value)."""
    return figure(room.fold.state, which, first, second, units)


def test_an_account_is_worth_its_assets_at_the_marks() -> None:
    room = Room([PLAIN, CQ], {"B": 3, "Q": 50, "C": 4})
    assert of(room, EQUITY) == UNKNOWN, "nobody knows what B and C are worth"
    room.trade(100, 1)
    assert of(room, EQUITY) == UNKNOWN
    room.trade(7, 1, number=1)
    assert of(room, EQUITY) == (True, 3 * 100 + 50 + 4 * 7)
    room.submit(BUY, 1, 20)  # what is reserved is still the account's
    assert of(room, EQUITY) == (True, 378)


def test_what_is_not_held_needs_no_price() -> None:
    room = Room([PLAIN, CQ], {"Q": 50})
    assert of(room, EQUITY) == (True, 50)
    assert of(room, REPORTING_VALUE, 0, 2, 0) == (True, 0)


def test_an_asset_without_a_declared_conversion_has_no_value() -> None:
    room = Room([PLAIN, BC], {"Q": 50, "C": 1})
    room.trade(100, 1)
    room.trade(20, 1, number=2)
    assert of(room, EQUITY) == UNKNOWN
    assert of(room, REPORTING_VALUE, 0, 2, 1) == UNKNOWN


def test_a_conversion_against_the_grain() -> None:
    # Reported in B: 1,000 Q at 30 Q a B are ⌊1000/30⌋ = 33 B; the negative is the negative of that.
    room = Room(deposits={"Q": 1_000, "B": 2}, reporting=B)
    room.put(commands.declare_conversion(0, Q, PLAIN, inverse=True))
    room.trade(30, 1)
    assert of(room, EQUITY) == (True, 35)
    assert of(room, REPORTING_VALUE, 0, 1, 1_000) == (True, 33)
    assert of(room, REPORTING_VALUE, 0, 1, -1_000) == (True, -33)


@pytest.mark.parametrize(("units", "value"), [(0, 0), (1, 0), (2, 1), (3, 2), (-1, 0), (-3, -2)])
def test_values_are_rounded_towards_zero(units: int, value: int) -> None:
    room = Room([PLAIN._replace(tick=Decimal("0.1"))])
    room.trade(7, 1)  # 0.7 Q
    assert of(room, QUOTE_VALUE, 0, 0, units) == (True, value)
    assert of(room, REPORTING_VALUE, 0, 0, units) == (True, value)
    assert of(room, POSITION_VALUE, 0, 0, units) == (True, abs(value))


def test_lots_and_scales_enter_the_value() -> None:
    # A lot is 3 B, a tick 0.5 Q: at 11 ticks 6 B are 2 lots, 2 · 11 · 1.5 = 33 Q.
    room = Room([PLAIN._replace(tick=Decimal("0.5"), lot=Decimal(3))])
    room.trade(11, 1)
    assert of(room, QUOTE_VALUE, 0, 0, 6) == (True, 33)
    assert of(room, QUOTE_VALUE, 0, 0, 1) == (True, 5)


def test_a_mark_older_than_allowed_is_as_good_as_none() -> None:
    room = Room([PLAIN._replace(stale_after_ns=MINUTE)])
    room.trade(100, 1)
    assert of(room, EQUITY) == (True, 200_000)
    room.timer(MINUTE)
    assert of(room, EQUITY) == (True, 200_000), "exactly as old as allowed"
    room.timer(1)
    assert of(room, EQUITY) == UNKNOWN
    room.trade(90, 1)
    assert of(room, EQUITY) == (True, 190_000)
    room.status(MarketStatus.GAP)
    assert of(room, EQUITY) == (True, 190_000), "a lost book keeps its mark until that is stale"


def test_a_bots_pnl_is_realized_and_unrealized() -> None:
    room = Room()
    assert of(room, PNL, 1) == (True, 0)
    room.quote(99, 100, 101, 100)
    room.buy(10, bot=1)
    assert of(room, PNL, 1) == (True, 10 * 100 - 1010)
    room.sell(4, bot=1)
    assert room.position(1) == (6, 606, -8)
    assert of(room, PNL, 1) == (True, 600 - 606 - 8)
    room.sell(6, bot=1)
    assert of(room, PNL, 1) == (True, -20)


def test_a_flat_bot_needs_no_mark_of_the_instrument() -> None:
    room = Room([PLAIN._replace(stale_after_ns=MINUTE)])
    room.quote(99, 100, 101, 100)
    room.buy(10, bot=1)
    room.sell(10, bot=1)
    room.buy(1, bot=2)
    room.timer(2 * MINUTE)
    assert of(room, PNL, 1) == (True, -20)
    assert of(room, PNL, 2) == UNKNOWN


def test_a_result_in_an_asset_without_conversion_is_not_computable() -> None:
    bc = BC._replace(number=0)
    room = Room([bc, CQ._replace(number=1)], {"B": 100, "C": 1_000, "Q": 1}, reporting=Q)
    room.put(commands.declare_conversion(0, C, CQ))
    room.quote(9, 100, 11, 100)
    room.buy(10, bot=1)
    assert of(room, PNL, 1) == UNKNOWN
    room.trade(5, 1, number=1)
    assert of(room, PNL, 1) == (True, -50)


def test_exposure_counts_what_live_orders_could_add() -> None:
    room = Room()
    assert of(room, EXPOSURE) == of(room, BOT_EXPOSURE, 1) == (True, 0)
    room.quote(99, 100, 101, 100)
    room.buy(10, bot=1)
    assert of(room, BOT_EXPOSURE, 1) == (True, 1_000)
    room.buy(5, 90, bot=1)
    room.sell(30, 110, bot=1)
    # Up to 15 long or 20 short: the larger counts.
    assert of(room, BOT_EXPOSURE, 1) == (True, 2_000)
    room.sell(1, 110)
    assert of(room, EXPOSURE) == (True, 2_100)
    assert of(room, BOT_EXPOSURE, 1) == (True, 2_000)


def test_exposure_without_a_price_is_not_computable() -> None:
    room = Room()
    room.buy(5, 90, bot=1)
    assert of(room, EXPOSURE) == of(room, BOT_EXPOSURE, 1) == UNKNOWN


def test_values_beyond_what_can_be_counted_are_not_computable() -> None:
    room = Room(deposits={"B": 2**60})
    room.trade(1, 1)
    assert of(room, EQUITY) == (True, 2**60)
    room.trade(2, 1)
    assert of(room, EQUITY) == UNKNOWN
    room.trade(2**50, 1)
    assert of(room, QUOTE_VALUE, 0, 0, 2**13) == UNKNOWN
    assert of(room, QUOTE_VALUE, 0, 0, 2**9) == (True, 2**59)


def test_a_price_scale_beyond_what_can_be_counted_is_not_computable() -> None:
    room = Room([PLAIN._replace(tick=Decimal(2**40))])
    room.trade(2**23, 1)
    assert of(room, QUOTE_VALUE, 0, 0, 1) == UNKNOWN
    assert of(room, REPORTING_VALUE, 0, 0, 1) == UNKNOWN
    assert of(room, EQUITY) == UNKNOWN


def test_partial_equity_states_the_last_known_value() -> None:
    room = Room([PLAIN._replace(stale_after_ns=MINUTE)], equity_every_ns=MINUTE, start_ns=NOON)
    assert room.timer(MINUTE) == ["equity 0 partial"]
    room.trade(100, 1)
    assert room.timer(MINUTE) == ["equity 200000"]
    assert room.timer(MINUTE) == ["equity 200000 partial"]
    assert int(room.state["accounts"][0]["valued"]) == 1
