"""The risk gate: each limit of bots and accounts, at the number where it begins to bite, and its order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.engine.room import BUY, DAY, HOUR, MINUTE, NOON, PLAIN, SECOND, SELL, C, Q, Room, no_money

from paperdesk.domain.events import Side
from paperdesk.engine.fold import Fold


def room_with_quote(**changes: object) -> Room:
    """99 bid, 101 asked, mark 100; 1,000 B and 100,000 Q, so the account is worth 200,000."""
    room = Room(**changes)  # type: ignore[arg-type]
    room.quote(99, 1000, 101, 1000)
    room.timer()
    return room


def verdict(room: Room, side: Side, lots: int, price: int | None = None, bot: int = 1, **terms: object) -> str:
    """ "passes", or why an order is denied."""
    said = room.submit(side, lots, price, bot=bot, **terms)  # type: ignore[arg-type]
    line = next(line for line in said if line.startswith(("submitted", "denied")))
    return "passes" if line.startswith("submitted") else line.split()[-1]


@pytest.mark.parametrize("scope", [0, 1])
def test_max_order(scope: int) -> None:
    room = room_with_quote()
    room.limits(bot=scope, max_order=1_000)
    assert verdict(room, BUY, 10, 100) == "passes"
    assert verdict(room, BUY, 10, 101) == "max_order"
    assert verdict(room, BUY, 10) == "max_order", "a market buy is judged by the best ask, 1,010"
    assert verdict(room, SELL, 10) == "passes", "a market sale by the best bid, 990"
    assert verdict(room, SELL, 11, 100) == "max_order"
    assert verdict(room, BUY, 10, trigger=105) == "max_order", "a stop by its trigger"
    assert verdict(room, BUY, 10, 100, trigger=105) == "passes", "a stop-limit by its limit"
    assert verdict(room, BUY, 10, 101, bot=2) == ("max_order" if scope == 0 else "passes")
    assert verdict(room, BUY, 10, 101, bot=0) == ("max_order" if scope == 0 else "passes")


def test_max_order_holds_for_orders_that_reduce_too() -> None:
    room = room_with_quote()
    room.buy(50, bot=1)
    room.limits(bot=1, max_order=1_000)
    assert verdict(room, SELL, 50) == "max_order"


def test_the_worth_of_an_order_is_rounded_up_and_then_converted() -> None:
    room = Room([PLAIN._replace(tick=Decimal("0.5"))])
    room.quote(9, 1000, 11, 1000)
    room.limits(bot=1, max_order=5)
    assert verdict(room, BUY, 1, 10) == "passes"
    assert verdict(room, BUY, 1, 11) == "max_order"  # ⌈5.5⌉ = 6


@pytest.mark.parametrize("scope", [0, 1])
def test_max_position_counts_live_orders_of_the_same_side(scope: int) -> None:
    room = room_with_quote()
    room.limits(bot=scope, max_position=2_000)
    assert verdict(room, BUY, 10, 95) == "passes"
    assert verdict(room, BUY, 11, 95) == "max_position"
    assert verdict(room, BUY, 10, 95) == "passes"
    assert verdict(room, BUY, 1, 1) == "max_position"
    assert verdict(room, SELL, 20, 105) == "passes", "sales are the other direction"
    assert verdict(room, SELL, 1, 105) == "max_position"


def test_a_position_may_always_shrink() -> None:
    room = room_with_quote()
    room.buy(50, bot=1)
    room.limits(bot=1, max_position=1_000, max_exposure=1_000, max_daily_loss=1, max_drawdown=1, cooldown_ns=DAY)
    assert verdict(room, BUY, 1, 90) == "daily_loss"
    assert verdict(room, SELL, 50, 105) == "passes"
    # 50 to sell are live: one more could make it short, but no further from flat than it is.
    assert verdict(room, SELL, 50, 105) == "passes"
    assert verdict(room, SELL, 1, 105) == "daily_loss"


@pytest.mark.parametrize("scope", [0, 1])
def test_max_exposure(scope: int) -> None:
    room = room_with_quote()
    room.limits(bot=scope, max_exposure=2_000)
    assert verdict(room, BUY, 15, 95) == "passes"
    assert verdict(room, SELL, 15, 105) == "passes", "the worse of both directions counts"
    assert verdict(room, SELL, 6, 105) == "max_exposure"
    assert verdict(room, BUY, 5, 95) == "passes"
    assert verdict(room, BUY, 1, 95) == "max_exposure"
    assert [int(room.state["bot_positions"][1, 0][name]) for name in ("open_buy_lots", "open_sell_lots")] == [20, 15]


def test_exposure_is_summed_over_instruments() -> None:
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
    room = Room([PLAIN, cq], {"Q": 100_000})
    room.quote(99, 1000, 101, 1000)
    room.quote(9, 1000, 11, 1000, number=1)
    room.limits(bot=1, max_exposure=2_000)
    assert verdict(room, BUY, 15, 95) == "passes"
    assert verdict(room, BUY, 51, 9, number=1) == "max_exposure"
    assert verdict(room, BUY, 50, 9, number=1) == "passes"


def test_a_loss_starts_the_cooldown_of_bot_and_account() -> None:
    room = room_with_quote()
    room.limits(bot=1, cooldown_ns=MINUTE)
    room.limits(bot=0, cooldown_ns=10 * SECOND)
    room.buy(1, bot=1)
    assert verdict(room, BUY, 1, 90) == "passes", "a buy realizes nothing"
    room.sell(1, bot=1)
    assert verdict(room, BUY, 1, 90) == "cooldown"
    assert verdict(room, BUY, 1, 90, bot=2) == "cooldown", "the account's"
    room.timer(10 * SECOND)
    assert verdict(room, BUY, 1, 90, bot=2) == "passes"
    room.timer(50 * SECOND - 1)
    assert verdict(room, BUY, 1, 90) == "cooldown"
    room.timer(1)
    assert verdict(room, BUY, 1, 90) == "passes"


def test_a_gain_starts_no_cooldown_and_the_owners_loss_is_the_accounts() -> None:
    room = room_with_quote()
    room.limits(bot=0, cooldown_ns=MINUTE)
    room.limits(bot=1, cooldown_ns=MINUTE)
    room.buy(1, bot=1)
    room.quote(110, 10, 112, 10)
    room.sell(1, bot=1)
    assert verdict(room, BUY, 1, 90) == "passes"
    room.buy(1)
    room.sell(1)
    assert verdict(room, BUY, 1, 90, bot=1) == "cooldown"
    assert int(room.state["bots"][1]["cooldown_until_ns"]) == 0


def test_the_daily_loss_of_an_account_is_measured_from_midnight() -> None:
    room = room_with_quote(equity_every_ns=HOUR)
    room.timer(HOUR)
    room.limits(bot=0, max_daily_loss=10_000)
    room.quote(90, 10, 91, 10)  # mark 90: 10,000 of the 1,000 B are lost
    assert verdict(room, BUY, 1, 80, bot=0) == "daily_loss"
    room.quote(90, 10, 92, 10)  # mark 91: 9,000
    assert verdict(room, BUY, 1, 80, bot=0) == "passes"
    room.timer(NOON + 12 * HOUR - room.now - 1)
    room.quote(80, 10, 82, 10)
    assert verdict(room, BUY, 1, 70, bot=0) == "daily_loss"
    assert verdict(room, SELL, 1, 110, bot=1) == "daily_loss", "the account's limit holds for its bots"
    # Midnight: the day begins with what there is before the first input of the day.
    assert room.quote(79, 10, 81, 10, 1) == ["equity 181000"]
    assert verdict(room, BUY, 1, 70, bot=0) == "passes"


def test_the_daily_loss_of_a_bot_is_measured_in_its_pnl() -> None:
    room = room_with_quote()
    room.buy(10, bot=1)  # pnl −10 at the mark of 100
    room.limits(bot=1, max_daily_loss=50)
    assert verdict(room, BUY, 1, 90) == "passes"
    room.quote(95, 10, 97, 10)  # mark 96: −50
    assert verdict(room, BUY, 1, 90) == "daily_loss"
    assert verdict(room, BUY, 1, 90, bot=2) == "passes"
    room.timer(DAY)
    assert verdict(room, BUY, 1, 90) == "passes"
    room.quote(91, 10, 93, 10)
    assert verdict(room, BUY, 1, 80) == "passes"  # mark 92: −90, of which −40 today
    room.quote(90, 10, 92, 10)
    assert verdict(room, BUY, 1, 80) == "daily_loss"


def test_drawdown_is_measured_from_the_peak_and_survives_midnight() -> None:
    room = room_with_quote(equity_every_ns=HOUR)
    room.timer(HOUR)
    room.quote(109, 10, 111, 10)
    room.timer(HOUR)  # measured at 110: the peak is 210,000
    room.limits(bot=0, max_drawdown=20_000)
    room.quote(90, 10, 92, 10)
    assert verdict(room, BUY, 1, 80) == "passes"
    room.quote(89, 10, 91, 10)
    assert verdict(room, BUY, 1, 80) == "drawdown"
    room.timer(DAY)
    assert verdict(room, BUY, 1, 80) == "drawdown"


def test_a_bots_peak_is_raised_by_its_fills() -> None:
    room = room_with_quote()
    room.buy(10, bot=1)
    room.quote(119, 10, 121, 10)
    room.sell(1, bot=1)  # pnl 119 − 101 + 9 · (120 − 101) = 18 + 171
    assert int(room.state["bots"][1]["peak_units"]) == 189
    room.limits(bot=1, max_drawdown=90)
    room.quote(110, 10, 112, 10)  # mark 111: 18 + 90 = 108, 81 below
    assert verdict(room, BUY, 1, 80) == "passes"
    room.quote(109, 10, 111, 10)  # 110: 99, 90 below
    assert verdict(room, BUY, 1, 80) == "drawdown"


def test_unknown_figures_block_where_a_limit_is_set() -> None:
    room = Room([PLAIN._replace(stale_after_ns=MINUTE)])
    assert verdict(room, BUY, 1, 90) == "passes", "no limit, no question"
    room.limits(bot=0, max_drawdown=1)
    assert verdict(room, BUY, 1, 90) == "equity_partial"
    room.quote(99, 10, 101, 10)
    assert verdict(room, BUY, 1, 90) == "passes", "an account that was never measured has no peak yet"
    room.timer(MINUTE + 1)
    assert verdict(room, BUY, 1, 90) == "equity_partial"
    room.limits(bot=0)
    room.limits(bot=1, max_position=10**6)
    assert verdict(room, BUY, 1, 90) == "equity_partial"
    room.limits(bot=1, max_exposure=10**6)
    assert verdict(room, BUY, 1, 90) == "equity_partial"
    room.limits(bot=1, max_order=10**6)
    assert verdict(room, BUY, 1, 90) == "passes", (
        "the size of an order is in the reporting asset, a flat bot needs no mark"
    )


def test_an_order_in_an_asset_without_conversion_cannot_be_measured() -> None:
    bc = PLAIN._replace(symbol="B/C", quote=C)
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
    room = Room([bc, cq], {"C": 1000}, reporting=Q)
    room.quote(99, 10, 101, 10)
    room.limits(bot=1, max_order=100)
    assert verdict(room, BUY, 1, 90) == "equity_partial"
    room.trade(2, 1, number=1)
    assert verdict(room, BUY, 1, 50) == "passes"
    assert verdict(room, BUY, 1, 51) == "max_order"  # 51 C are 102 Q


def test_the_checks_come_in_their_order_bot_before_account() -> None:
    room = room_with_quote(equity_every_ns=HOUR)
    room.timer(HOUR)
    room.buy(1, bot=1)
    room.sell(1, bot=1)
    room.quote(50, 10, 52, 10)
    everything = {"max_order": 100, "max_position": 1, "max_exposure": 1, "max_daily_loss": 1, "max_drawdown": 1}
    room.limits(bot=1, **everything, cooldown_ns=DAY)
    room.limits(bot=0, max_order=1)
    steps = [("max_order", "max_order"), ("cooldown_ns", "cooldown"), ("max_daily_loss", "daily_loss")]
    steps += [("max_drawdown", "drawdown"), ("max_position", "max_position"), ("max_exposure", "max_exposure")]
    left = {**everything, "cooldown_ns": 0}
    # The cooldown was not set when the loss was made: make another one.
    room.limits(bot=0)
    room.limits(bot=1, cooldown_ns=DAY)
    room.buy(1, bot=1)
    room.sell(1, bot=1)
    left["cooldown_ns"] = DAY
    for name, reason in steps:
        room.limits(bot=1, **left)
        assert verdict(room, BUY, 3, 45) == reason
        left[name] = 0
    room.limits(bot=1)
    room.limits(bot=0, max_order=1)
    assert verdict(room, BUY, 3, 45) == "max_order"


def test_a_denied_order_takes_a_number_and_nothing_else() -> None:
    room = room_with_quote()
    room.limits(bot=1, max_order=1)
    before = room.fold.parts()
    assert room.submit(BUY, 1, 90, bot=1) == ["denied #1 max_order"]
    after = room.fold.parts()
    assert int(room.state["accounts"][0]["next_order"]) == 2
    room.state["accounts"][0]["next_order"] = 1
    assert room.fold.parts()["account/0"] == before["account/0"] and after.keys() == before.keys()
    assert no_money(room.submit(BUY, 1, 90, bot=2)) == ["submitted #1", "accepted #1"]


def test_limits_are_checked_and_refused_when_negative() -> None:
    room = room_with_quote()
    for name in ("max_order", "max_position", "max_exposure", "max_daily_loss", "max_drawdown", "cooldown_ns"):
        assert room.limits(bot=1, **{name: -1}) == ["command refused invalid_amount"]
    assert room.limits(bot=9) == ["command refused unknown_bot"]
    assert room.limits(account=9) == ["command refused unknown_account"]


def test_limits_survive_a_restart() -> None:
    room = room_with_quote()
    room.limits(bot=1, max_order=1_000, cooldown_ns=DAY)
    room.buy(1, bot=1)
    room.sell(1, bot=1)
    again = Room(fold=Fold.from_parts(room.fold.parts()), start_ns=room.now)
    assert verdict(again, BUY, 11, 100) == "max_order"
    assert verdict(again, BUY, 1, 90) == "cooldown"
