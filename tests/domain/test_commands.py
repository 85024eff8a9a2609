"""Commands: each builder fills the record it names; numbers off the grid become commands too, refused later."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import LIMIT_FIELDS, Intent
from paperdesk.domain.events import (
    FLAG_INVERSE,
    FLAG_MALFORMED,
    FLAG_POST_ONLY,
    INPUT,
    InputKind,
    OrderType,
    Side,
    TimeInForce,
)
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason

BTC, USDT = Asset(0, "BTC", 8), Asset(1, "USDT", 8)
PAIR = Instrument(4, 3, "BTC/USDT", "binance", BTC, USDT, Decimal("0.01"), Decimal("0.00001"))


def values(row: np.ndarray[Any, Any], *names: str) -> tuple[int, ...]:
    """Some fields of a one-row block."""
    return tuple(int(row[name][0]) for name in names)


@pytest.mark.parametrize(
    ("row", "kind", "fields"),
    [
        (commands.define_asset(USDT), InputKind.DEFINE_ASSET, {"asset": 1, "scale": 8}),
        (commands.bind_source(77), InputKind.BIND_SOURCE, {"source": 77}),
        (
            commands.open_account(2, USDT, 77, 5_000_000),
            InputKind.OPEN_ACCOUNT,
            {
                "account": 2,
                "asset": 1,
                "source": 77,
                "latency_ns": 5_000_000,
                "equity_every_ns": 60_000_000_000,
                "fill_model": 2,
            },
        ),
        (commands.deposit(2, USDT, 10), InputKind.DEPOSIT, {"account": 2, "asset": 1, "amount_units": 10}),
        (
            commands.declare_conversion(2, BTC, PAIR),
            InputKind.DECLARE_CONVERSION,
            {"account": 2, "asset": 0, "instrument": 4, "flags": 0},
        ),
        (
            commands.declare_conversion(2, USDT, PAIR, inverse=True),
            InputKind.DECLARE_CONVERSION,
            {"account": 2, "asset": 1, "instrument": 4, "flags": FLAG_INVERSE},
        ),
        (commands.register_bot(2, 9), InputKind.REGISTER_BOT, {"account": 2, "bot": 9}),
        (commands.cancel_order(2, 9, 5), InputKind.CANCEL_ORDER, {"account": 2, "bot": 9, "order_id": 5}),
        (commands.cancel_all(2, 9), InputKind.CANCEL_ALL, {"account": 2, "bot": 9, "instrument": -1}),
        (commands.cancel_all(2, 0, 4), InputKind.CANCEL_ALL, {"account": 2, "bot": 0, "instrument": 4}),
        (commands.kill(), InputKind.KILL, {"account": -1, "bot": -1}),
        (commands.kill(2, 9), InputKind.KILL, {"account": 2, "bot": 9}),
        (commands.resume(2), InputKind.RESUME, {"account": 2, "bot": -1}),
        (commands.reset_account(2, 78), InputKind.RESET_ACCOUNT, {"account": 2, "source": 78}),
        (commands.stop_bot(2, 9), InputKind.STOP_BOT, {"account": 2, "bot": 9}),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, InputKind) else "",
)
def test_builders(row: np.ndarray[Any, Any], kind: InputKind, fields: dict[str, int]) -> None:
    """One row of the right kind, with the fields that were given and zeros elsewhere."""
    assert row.shape == (1,) and row.dtype == INPUT
    assert values(row, "kind") == (kind,)
    assert values(row, *fields) == tuple(fields.values())
    for name in fields:
        row[name] = 0
    row["kind"] = 0
    assert not any(row.tobytes())


def test_a_definition_carries_all_fields() -> None:
    """Number and version in the head, the rest as the instrument says."""
    row = commands.define_instrument(PAIR)
    assert values(row, "kind", "instrument", "version") == (InputKind.DEFINE_INSTRUMENT, 4, 3)
    fields = PAIR.fields()
    assert values(row, *fields) == tuple(fields.values())


def test_limits_not_named_are_off() -> None:
    """SET_LIMITS always sets all six."""
    row = commands.set_limits(2, 9, {"max_order_units": 5, "cooldown_ns": 7})
    assert values(row, "kind", "account", "bot", *LIMIT_FIELDS) == (InputKind.SET_LIMITS, 2, 9, 5, 0, 0, 0, 0, 7)


def test_a_name_the_record_does_not_have_is_refused() -> None:
    """A misspelt field is an error of the program, at once."""
    with pytest.raises(ValueError, match="no field of name colour"):
        commands.command(InputKind.TIMER, colour=1)


@pytest.mark.parametrize(
    ("intent", "order_type", "time_in_force"),
    [
        (Intent(Side.BUY, "1"), OrderType.MARKET, TimeInForce.IOC),
        (Intent(Side.BUY, "1", price="5"), OrderType.LIMIT, TimeInForce.GTC),
        (Intent(Side.SELL, "1", trigger="5"), OrderType.STOP_MARKET, TimeInForce.IOC),
        (Intent(Side.SELL, "1", price="5", trigger="5"), OrderType.STOP_LIMIT, TimeInForce.GTC),
        (Intent(Side.SELL, "1", trigger="5", take_profit=True), OrderType.TAKE_PROFIT_MARKET, TimeInForce.IOC),
        (Intent(Side.BUY, "1", "5", "5", take_profit=True), OrderType.TAKE_PROFIT_LIMIT, TimeInForce.GTC),
        (Intent(Side.SELL, "1", trail_bips=50), OrderType.STOP_MARKET, TimeInForce.IOC),
        (Intent(Side.SELL, "1", "5", trail_bips=50, take_profit=True), OrderType.TAKE_PROFIT_LIMIT, TimeInForce.GTC),
        (Intent(Side.BUY, "1", "5", expire_ns=9), OrderType.LIMIT, TimeInForce.GTD),
        (Intent(Side.BUY, "1", time_in_force=TimeInForce.FOK), OrderType.MARKET, TimeInForce.FOK),
    ],
)
def test_an_intent_names_its_order(intent: Intent, order_type: OrderType, time_in_force: TimeInForce) -> None:
    """Price and trigger say the type; time in force follows the type unless it is given."""
    assert (intent.order_type, intent.time_in_force) == (order_type, time_in_force)


@pytest.mark.parametrize("bips", [1.5, "many", 2**70, float("nan")])
def test_a_trail_that_is_no_count_is_a_command_that_is_refused(bips: int) -> None:
    row = commands.submit_order(0, 0, PAIR, Intent(Side.SELL, "1", trail_bips=bips))
    assert values(row, "flags", "defect") == (FLAG_MALFORMED, int(Reason.INVALID_NUMBER))


def test_a_visible_quantity_is_counted_in_lots() -> None:
    row = commands.submit_order(0, 0, PAIR, Intent(Side.SELL, "1", "60000", visible_quantity="0.00002"))
    assert values(row, "visible_lots", "qty_lots") == (2, 100_000)


def test_an_order_on_the_grid() -> None:
    """Ticks and lots, the version of the instrument, the flag."""
    intent = Intent(Side.BUY, "0.00025", price=Decimal("60000.01"), post_only=True, client_id=6)
    row = commands.submit_order(2, 9, PAIR, intent)
    assert values(row, "kind", "account", "bot", "instrument", "version") == (InputKind.SUBMIT_ORDER, 2, 9, 4, 3)
    assert values(row, "side", "order_type", "time_in_force") == (Side.BUY, OrderType.LIMIT, TimeInForce.GTC)
    assert values(row, "price_ticks", "qty_lots", "trigger_ticks", "client_id") == (6_000_001, 25, 0, 6)
    assert values(row, "flags", "defect") == (FLAG_POST_ONLY, 0)


@pytest.mark.parametrize(
    ("quantity", "price", "trigger", "reason"),
    [
        ("0.000001", "5", None, Reason.QUANTITY_OFF_GRID),
        ("1", "5.001", None, Reason.PRICE_OFF_GRID),
        ("1", None, "5.001", Reason.PRICE_OFF_GRID),
        (float("nan"), "5", None, Reason.INVALID_NUMBER),
        ("1", float("inf"), None, Reason.INVALID_NUMBER),
        ("1", "five", None, Reason.INVALID_NUMBER),
        (10**30, None, None, Reason.NOTIONAL_TOO_LARGE),
    ],
)
def test_an_order_off_the_grid_is_still_a_command(quantity: Any, price: Any, trigger: Any, reason: Reason) -> None:
    """Marked as malformed with the reason, so that the refusal is numbered and logged."""
    row = commands.submit_order(2, 9, PAIR, Intent(Side.SELL, quantity, price, trigger))
    assert values(row, "kind", "account", "bot", "side") == (InputKind.SUBMIT_ORDER, 2, 9, Side.SELL)
    assert values(row, "flags", "defect") == (FLAG_MALFORMED, reason)
