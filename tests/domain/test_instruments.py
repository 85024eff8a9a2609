"""Instruments: the grid from exchange filters, numbers on and off it, the integers the fold works with."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.shared import shared_data

from paperdesk.domain.assets import Asset, scale_of
from paperdesk.domain.events import TradingStatus
from paperdesk.domain.instruments import DEFINITION_FIELDS, Instrument, OffGrid, exact, from_exchange_filters
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_UNITS

BTC, USDT, SHIB = Asset(0, "BTC", 8), Asset(1, "USDT", 8), Asset(2, "SHIB", 2)


def instrument(tick: str = "0.01", lot: str = "0.00001", base: Asset = BTC, **changes: Any) -> Instrument:
    """BTC/USDT with a cent and a tenth of a thousandth of a coin, or something near it."""
    return Instrument(0, 1, f"{base.name}/USDT", "binance", base, USDT, Decimal(tick), Decimal(lot), **changes)


def test_fields_of_a_known_instrument() -> None:
    """Worked out by hand: one tick times one lot is 10^-7 USDT, ten units of 10^-8."""
    fields = instrument(
        min_price=Decimal("0.015"),
        max_price=Decimal("0.999"),
        min_quantity=Decimal("0.000015"),
        max_quantity=Decimal("0.000099"),
        min_notional=Decimal("10"),
        min_notional_to_market=False,
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.00045"),
    ).fields()
    assert set(fields) == set(DEFINITION_FIELDS)
    assert (fields["num"], fields["den"], fields["base_units_per_lot"]) == (10, 1, 1000)
    assert (fields["min_price_ticks"], fields["max_price_ticks"]) == (2, 99)  # inwards, never outwards
    assert (fields["min_qty_lots"], fields["max_qty_lots"]) == (2, 9)
    assert (fields["min_notional_units"], fields["min_notional_to_market"]) == (1_000_000_000, 0)
    assert (fields["maker_fee_e8"], fields["taker_fee_e8"]) == (20_000, 45_000)
    assert (fields["tick_mantissa"], fields["tick_exponent"]) == (1, -2)
    assert (fields["lot_mantissa"], fields["lot_exponent"]) == (1, -5)


STEPS = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 999), st.integers(0, 8))


@given(STEPS, STEPS, st.sampled_from([BTC, SHIB]), st.integers(1, 10**9), st.integers(1, 10**9))
def test_num_and_den_are_the_exact_value_of_a_tick_of_a_lot(
    tick: Decimal, lot: Decimal, base: Asset, ticks: int, lots: int
) -> None:
    """ticks · lots · num / den is price times quantity, in lowest terms; a lot is whole base units, or refused."""
    one = instrument(str(tick), str(lot), base)
    if (Fraction(lot) * 10**base.scale).denominator != 1:
        with pytest.raises(ValueError, match="finer than that asset's unit"):
            one.fields()
        return
    fields = one.fields()
    value = Fraction(fields["num"], fields["den"])
    assert (value.numerator, value.denominator) == (fields["num"], fields["den"])
    assert ticks * lots * value == Fraction(one.price(ticks)) * Fraction(one.quantity(lots)) * 10**USDT.scale
    assert fields["base_units_per_lot"] * lots == Fraction(one.quantity(lots)) * 10**base.scale
    assert Decimal(fields["tick_mantissa"]).scaleb(fields["tick_exponent"]) == tick
    assert Decimal(fields["lot_mantissa"]).scaleb(fields["lot_exponent"]) == lot


@given(STEPS, st.integers(0, MAX_UNITS))
def test_prices_on_the_grid_survive(tick: Decimal, ticks: int) -> None:
    """Ticks → price → ticks is the identity, for decimals and their text."""
    one = instrument(str(tick))
    assert one.to_ticks(one.price(ticks)) == ticks
    assert one.to_ticks(f"{one.price(ticks):f}") == ticks


@given(STEPS, st.decimals(0, 10**6, places=10))
def test_rounding_lands_on_the_grid_next_to_the_wish(step: Decimal, wish: Decimal) -> None:
    """Down is at or below the wish, up at or above it, each less than a step away and on the grid."""
    one = instrument(str(step), str(step))
    below, above = one.round_price(wish), one.round_price(wish, up=True)
    assert below <= wish <= above
    assert wish - below < step and above - wish < step
    one.to_ticks(below)
    one.to_ticks(above)
    assert one.round_quantity(wish) == below


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0.015", Reason.PRICE_OFF_GRID),
        (0.015, Reason.PRICE_OFF_GRID),
        (float("nan"), Reason.INVALID_NUMBER),
        (float("inf"), Reason.INVALID_NUMBER),
        ("-Infinity", Reason.INVALID_NUMBER),
        ("sNaN", Reason.INVALID_NUMBER),
        ("twelve", Reason.INVALID_NUMBER),
        ("", Reason.INVALID_NUMBER),
        (10**30, Reason.NOTIONAL_TOO_LARGE),
        (Decimal("1e30"), Reason.NOTIONAL_TOO_LARGE),
    ],
)
def test_a_bad_price_says_why(value: Any, reason: Reason) -> None:
    """Nothing is rounded, nothing becomes a number that is none."""
    with pytest.raises(OffGrid) as refusal:
        instrument().to_ticks(value)
    assert refusal.value.reason is reason
    assert str(refusal.value)


def test_a_bad_quantity_says_why() -> None:
    """The quantity's own reason."""
    with pytest.raises(OffGrid) as refusal:
        instrument().to_lots("0.000011")
    assert refusal.value.reason is Reason.QUANTITY_OFF_GRID
    assert "0.000011 is no multiple of 0.00001 on BTC/USDT" in str(refusal.value)


def test_floats_are_read_as_people_wrote_them() -> None:
    """0.1 is a tenth, not the binary number next to it; negative prices are numbers (the desk refuses them later)."""
    assert exact(0.1) == Decimal("0.1")
    assert exact(" 7 ") == 7
    assert instrument().to_ticks(0.29) == 29
    assert instrument().to_ticks("-0.29") == -29


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tick": "0"}, "must be above zero"),
        ({"lot": "-1"}, "must be above zero"),
        ({"lot": "0.000000001"}, "finer than that asset's unit"),
        ({"maker_fee": Decimal("-0.1")}, "the maker fee"),
        ({"taker_fee": Decimal("1.1")}, "the taker fee"),
        ({"taker_fee": Decimal("0.123456789")}, "at most 8 decimals"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    """With the symbol and what is wrong."""
    with pytest.raises(ValueError, match=words) as refusal:
        instrument(**changes).fields()
    assert str(refusal.value).startswith("BTC/USDT")


ENTRY: dict[str, Any] = {
    "symbol": "ETHBTC",
    "status": "TRADING",
    "filters": [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.00000100",
            "maxPrice": "100000.00000000",
            "tickSize": "0.00000100",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.00100000", "maxQty": "100000.00000000", "stepSize": "0.00100000"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "0.00010000", "applyToMarket": False, "avgPriceMins": 5},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "3246.50445738", "stepSize": "0.00000000"},
    ],
}


def test_exchange_filters_old_and_new() -> None:
    """Both forms of the notional filter, and what is not there is off."""
    eth = Asset(3, "ETH", 8)
    old = from_exchange_filters(5, "binance", eth, BTC, ENTRY, maker_fee=Decimal("0.0002"))
    assert (old.number, old.version, old.symbol, old.maker_fee) == (5, 1, "ETH/BTC", Decimal("0.0002"))
    assert (old.tick, old.lot) == (Decimal("0.000001"), Decimal("0.001"))
    assert (old.min_notional, old.min_notional_to_market) == (Decimal("0.0001"), False)
    assert old.fields()["market_max_qty_lots"] == 3_246_504
    notional = {"filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": True}
    new = from_exchange_filters(
        5, "binance", eth, BTC, {**ENTRY, "status": "BREAK", "filters": [*ENTRY["filters"][:2], notional]}
    )
    assert (new.min_notional, new.min_notional_to_market) == (5, True)
    assert new.trading_status is TradingStatus.HALTED
    assert new.fields()["market_max_qty_lots"] == 0


def test_exchange_filters_of_price_value_and_count() -> None:
    eth = Asset(3, "ETH", 8)
    percent = {"bidMultiplierUp": "1.3", "bidMultiplierDown": "0.2", "askMultiplierUp": "5", "askMultiplierDown": "0.7"}
    rows = [
        {"filterType": "PERCENT_PRICE_BY_SIDE", "avgPriceMins": 5, **percent},
        {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000.5", "applyMaxToMarket": True},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]
    one = from_exchange_filters(5, "binance", eth, BTC, {**ENTRY, "filters": [*ENTRY["filters"][:2], *rows]})
    fields = one.fields()
    sides = [fields[f"{side}_multiplier_{way}_e8"] for side in ("bid", "ask") for way in ("up", "down")]
    assert sides == [130_000_000, 20_000_000, 500_000_000, 70_000_000]
    assert (fields["max_notional_units"], fields["max_notional_to_market"]) == (900_000_050_000_000, 1)
    assert (fields["max_orders"], fields["max_algo_orders"]) == (200, 5)
    old = {"filterType": "PERCENT_PRICE", "multiplierUp": "1.1", "multiplierDown": "0.9", "avgPriceMins": 5}
    two = from_exchange_filters(5, "binance", eth, BTC, {**ENTRY, "filters": [*ENTRY["filters"], old]})
    assert (two.bid_multiplier_up, two.ask_multiplier_up) == (Decimal("1.1"), Decimal("1.1"))
    assert (two.bid_multiplier_down, two.ask_multiplier_down) == (Decimal("0.9"), Decimal("0.9"))
    assert two.max_orders == two.max_algo_orders == 0
    perpetual = [{**old, "multiplierDecimal": "4"}, {"filterType": "MAX_NUM_ORDERS", "limit": 200}]
    three = from_exchange_filters(5, "binance", eth, BTC, {**ENTRY, "filters": [*ENTRY["filters"], *perpetual]})
    assert (three.bid_multiplier_up, three.ask_multiplier_up) == (Decimal("1.1"), 0)
    assert (three.bid_multiplier_down, three.ask_multiplier_down, three.max_orders) == (0, Decimal("0.9"), 200)
    assert (two.max_notional, two.max_notional_to_market) == (0, False)


@pytest.mark.parametrize("missing", ["PRICE_FILTER", "LOT_SIZE"])
def test_a_definition_without_a_grid_is_refused(missing: str) -> None:
    """A tick or a lot is never guessed here."""
    filters = [row for row in ENTRY["filters"] if row["filterType"] != missing]
    with pytest.raises(
        ValueError, match=r"ETHBTC: the definition has no tickSize or stepSize; give one with --instruments"
    ):
        from_exchange_filters(0, "binance", BTC, USDT, {**ENTRY, "filters": filters})


def test_every_market_of_a_real_exchange_is_read_or_refused() -> None:
    """All spot markets of a real exchange file: the grid fits, its integers are exact; which ones do not is said."""
    packed = shared_data("reference/binance_spot_markets_2021.json.zst").read_bytes()
    markets = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(packed))
    refused = []
    for entry in markets.values():
        base, quote = (
            Asset(number, name, scale_of(name)) for number, name in enumerate((entry["base"], entry["quote"]))
        )
        one = from_exchange_filters(0, "binance", base, quote, entry["info"])
        try:
            fields = one.fields()
        except ValueError as refusal:
            refused.append(str(refusal))
            continue
        assert Fraction(fields["num"], fields["den"]) == Fraction(one.tick) * Fraction(one.lot) * 10**quote.scale
        assert all(-(2**63) <= value < 2**63 for value in fields.values())
    assert len(markets) > 1000
    assert len(refused) < len(markets) // 100, refused
    for symbol in ("BTC/USDT", "ETH/BTC", "DOGE/USDT", "BTT/USDT", "WIN/USDT"):
        assert symbol in markets
        assert not any(text.startswith(symbol) for text in refused)
