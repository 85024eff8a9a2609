"""Instruments: what can be traded, on which grid, under which filters. Definitions are versioned; an order names its version.

Prices are integers of `tick`, quantities integers of `lot`; both come from the venue's filters (PRICE_FILTER.tickSize,
LOT_SIZE.stepSize), never from precision fields. Where a recording brings no definition, `feeds` infers the grid from the data and
says so (`origin`).
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, InvalidOperation
from fractions import Fraction
from math import ceil
from typing import Any, Final, Literal, NamedTuple

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import TradingStatus
from paperdesk.domain.kernel import record
from paperdesk.domain.layout import DEFINITION
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import FEE_SCALE, MAX_UNITS

INSTRUMENT: Final = record([*DEFINITION, ("version", "i8")])
"""One row of the fold's instrument table."""

MULTIPLIER_STEP: Final = Decimal(1) / FEE_SCALE
"""Multipliers of a price filter count in 10⁻⁸."""
PART_FILTERS: Final = (
    "min_trail_above_bips", "max_trail_above_bips", "min_trail_below_bips", "max_trail_below_bips", "max_iceberg_parts",
)  # fmt: skip
"""Filters of trails and of icebergs' parts: plain counts."""
DEFINITION_FIELDS: Final = tuple(name for name, _ in DEFINITION)

Number = Decimal | int | float | str
Origin = Literal["exchange", "inferred", "declared"]


class OffGrid(ValueError):
    """A number that is not on an instrument's grid; `reason` says which way."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def exact(value: Number) -> Decimal:
    """A number as the decimal a person would read: floats through their shortest text, never through their binary expansion."""
    try:
        number = (
            value
            if isinstance(value, Decimal)
            else Decimal(repr(float(value)) if isinstance(value, float) else str(value).strip())
        )
    except InvalidOperation:
        raise OffGrid(Reason.INVALID_NUMBER, f"{value!r} is not a number") from None
    if not number.is_finite():
        raise OffGrid(Reason.INVALID_NUMBER, f"{value!r} is not a finite number")
    return number


class Instrument(NamedTuple):
    """One version of one instrument. Decimals are exact; fee rates are fractions (0.001 = 0.1 %); a filter of 0 is off."""

    number: int
    version: int
    symbol: str
    venue: str
    base: Asset
    quote: Asset
    tick: Decimal
    lot: Decimal
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    min_price: Decimal = Decimal(0)
    max_price: Decimal = Decimal(0)
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    market_min_quantity: Decimal = Decimal(0)
    market_max_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    min_notional_to_market: bool = True
    max_notional: Decimal = Decimal(0)
    max_notional_to_market: bool = False
    bid_multiplier_up: Decimal = Decimal(0)
    bid_multiplier_down: Decimal = Decimal(0)
    ask_multiplier_up: Decimal = Decimal(0)
    ask_multiplier_down: Decimal = Decimal(0)
    max_orders: int = 0
    max_algo_orders: int = 0
    min_trail_above_bips: int = 0
    max_trail_above_bips: int = 0
    min_trail_below_bips: int = 0
    max_trail_below_bips: int = 0
    max_iceberg_parts: int = 0
    trading_status: TradingStatus = TradingStatus.TRADING
    stale_after_ns: int = 60_000_000_000
    origin: Origin = "exchange"

    def to_ticks(self, price: Number) -> int:
        """Price in ticks; OffGrid if it is no finite multiple of the tick. Nothing is rounded."""
        return self._steps(exact(price), self.tick, Reason.PRICE_OFF_GRID)

    def to_lots(self, quantity: Number) -> int:
        """Quantity in lots; OffGrid if it is no finite multiple of the lot. Nothing is rounded."""
        return self._steps(exact(quantity), self.lot, Reason.QUANTITY_OFF_GRID)

    def to_quote_units(self, amount: Number) -> int:
        """An amount of the quote asset in its units; OffGrid if it is finer than these. Nothing is rounded."""
        return self._steps(exact(amount), Decimal(1).scaleb(-self.quote.scale), Reason.QUANTITY_OFF_GRID)

    def price(self, ticks: int) -> Decimal:
        """The exact price of integer ticks."""
        return self.tick * ticks

    def quantity(self, lots: int) -> Decimal:
        """The exact quantity of integer lots."""
        return self.lot * lots

    def round_price(self, price: Number, up: bool = False) -> Decimal:
        """The nearest price on the grid at or below (`up`: at or above) a wished price."""
        return self.tick * int((exact(price) / self.tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))

    def round_quantity(self, quantity: Number) -> Decimal:
        """The largest quantity on the grid not above a wished one (towards zero)."""
        return self.lot * int((exact(quantity) / self.lot).to_integral_value(ROUND_DOWN))

    def _steps(self, value: Decimal, step: Decimal, reason: Reason) -> int:
        steps = Fraction(value) / Fraction(step)
        if steps.denominator != 1:
            raise OffGrid(reason, f"{value} is no multiple of {step} on {self.symbol}")
        if abs(steps.numerator) > MAX_UNITS:
            raise OffGrid(
                Reason.NOTIONAL_TOO_LARGE, f"{value} is too large to count in steps of {step} on {self.symbol}"
            )
        return steps.numerator

    def fields(self) -> dict[str, int]:
        """The integers of the fold's row, by name of DEFINITION_FIELDS; ValueError where the grid does not fit the assets' scales."""
        if self.tick <= 0 or self.lot <= 0:
            raise ValueError(f"{self.symbol}: tick and lot must be above zero")
        base_units = Fraction(self.lot) * 10**self.base.scale
        if base_units.denominator != 1:
            raise ValueError(
                f"{self.symbol}: a lot of {self.lot} {self.base.name} is finer than that asset's unit (10^-{self.base.scale}); declare a larger scale for it"
            )
        value = Fraction(self.tick) * Fraction(self.lot) * 10**self.quote.scale
        for name, rate in (("maker", self.maker_fee), ("taker", self.taker_fee)):
            if not 0 <= rate <= 1 or (rate * FEE_SCALE) % 1 != 0:
                raise ValueError(
                    f"{self.symbol}: the {name} fee {rate} must lie between 0 and 1 with at most 8 decimals"
                )
        _, tick_digits, tick_exponent = self.tick.as_tuple()
        _, lot_digits, lot_exponent = self.lot.as_tuple()
        return {
            "base_asset": self.base.number,
            "quote_asset": self.quote.number,
            "num": value.numerator,
            "den": value.denominator,
            "base_units_per_lot": base_units.numerator,
            "trading_status": int(self.trading_status),
            "min_price_ticks": _ceil(self.min_price, self.tick),
            "max_price_ticks": _floor(self.max_price, self.tick),
            "min_qty_lots": _ceil(self.min_quantity, self.lot),
            "max_qty_lots": _floor(self.max_quantity, self.lot),
            "market_min_qty_lots": _ceil(self.market_min_quantity, self.lot),
            "market_max_qty_lots": _floor(self.market_max_quantity, self.lot),
            "min_notional_units": min(MAX_UNITS, ceil(Fraction(self.min_notional) * 10**self.quote.scale)),
            "min_notional_to_market": int(self.min_notional_to_market),
            "maker_fee_e8": int(self.maker_fee * FEE_SCALE),
            "taker_fee_e8": int(self.taker_fee * FEE_SCALE),
            "stale_after_ns": self.stale_after_ns,
            "tick_mantissa": _mantissa(tick_digits),
            "tick_exponent": int(tick_exponent),
            "lot_mantissa": _mantissa(lot_digits),
            "lot_exponent": int(lot_exponent),
            "bid_multiplier_up_e8": _floor(self.bid_multiplier_up, MULTIPLIER_STEP),
            "bid_multiplier_down_e8": _ceil(self.bid_multiplier_down, MULTIPLIER_STEP),
            "ask_multiplier_up_e8": _floor(self.ask_multiplier_up, MULTIPLIER_STEP),
            "ask_multiplier_down_e8": _ceil(self.ask_multiplier_down, MULTIPLIER_STEP),
            "max_notional_units": _floor(self.max_notional, Decimal(1).scaleb(-self.quote.scale)),
            "max_notional_to_market": int(self.max_notional_to_market),
            "max_orders": min(MAX_UNITS, self.max_orders),
            "max_algo_orders": min(MAX_UNITS, self.max_algo_orders),
            **{name: min(MAX_UNITS, getattr(self, name)) for name in PART_FILTERS},
        }


def _mantissa(digits: Sequence[int]) -> int:
    return int("".join(map(str, digits)))


def _ceil(value: Decimal, step: Decimal) -> int:
    return min(MAX_UNITS, ceil(Fraction(value) / Fraction(step)))


def _floor(value: Decimal, step: Decimal) -> int:
    return min(MAX_UNITS, int(Fraction(value) / Fraction(step)))


def _both_sides(percent: Mapping[str, Any]) -> dict[str, Any]:
    """The older PERCENT_PRICE filter in the words of PERCENT_PRICE_BY_SIDE.

    That of perpetuals (it tells `multiplierDecimal`) only holds buys from above and sales from below.
    """
    up, down = percent.get("multiplierUp", "0"), percent.get("multiplierDown", "0")
    one_sided = "multiplierDecimal" in percent
    return {
        "bidMultiplierUp": up,
        "bidMultiplierDown": "0" if one_sided else down,
        "askMultiplierUp": "0" if one_sided else up,
        "askMultiplierDown": down,
    }


def _most(row: Mapping[str, Any], name: str) -> int:
    """The count of a MAX_NUM_ filter, which perpetuals call `limit`; 0 without one."""
    return int(row.get(name, row.get("limit", 0)))


def from_exchange_filters(
    number: int, venue: str, base: Asset, quote: Asset, entry: Mapping[str, Any], **changes: Any
) -> Instrument:
    """An instrument from one `symbols[]` entry of Binance's exchangeInfo (old MIN_NOTIONAL and PERCENT_PRICE as well as new forms).

    {"symbol": "ETHBTC", "status": "TRADING", "baseAsset": "ETH", "quoteAsset": "BTC", "filters": [
      {"filterType": "PRICE_FILTER", "minPrice": "0.00000100", "maxPrice": "100000.00000000", "tickSize": "0.00000100"},
      {"filterType": "LOT_SIZE", "minQty": "0.00100000", "maxQty": "100000.00000000", "stepSize": "0.00100000"},
      {"filterType": "MIN_NOTIONAL", "minNotional": "0.00010000", "applyToMarket": true, "avgPriceMins": 5}, ...]}

    `changes` override fields (fees, version, stale_after_ns). ValueError naming the symbol where a needed filter is missing or zero.
    """
    filters = {row["filterType"]: row for row in entry.get("filters", [])}
    price, lot, market = (
        filters.get("PRICE_FILTER", {}),
        filters.get("LOT_SIZE", {}),
        filters.get("MARKET_LOT_SIZE", {}),
    )
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    tick, step = Decimal(price.get("tickSize", "0")), Decimal(lot.get("stepSize", "0"))
    if tick <= 0 or step <= 0:
        raise ValueError(
            f"{entry.get('symbol')}: the definition has no tickSize or stepSize; give one with --instruments"
        )
    trail = filters.get("TRAILING_DELTA", {})
    percent = filters.get("PERCENT_PRICE_BY_SIDE") or _both_sides(filters.get("PERCENT_PRICE", {}))
    status = TradingStatus.TRADING if entry.get("status", "TRADING") == "TRADING" else TradingStatus.HALTED
    return Instrument(
        number=number,
        version=1,
        symbol=f"{base.name}/{quote.name}",
        venue=venue,
        base=base,
        quote=quote,
        tick=tick.normalize(),
        lot=step.normalize(),
        min_price=Decimal(price.get("minPrice", "0")),
        max_price=Decimal(price.get("maxPrice", "0")),
        min_quantity=Decimal(lot.get("minQty", "0")),
        max_quantity=Decimal(lot.get("maxQty", "0")),
        market_min_quantity=Decimal(market.get("minQty", "0")),
        market_max_quantity=Decimal(market.get("maxQty", "0")),
        min_notional=Decimal(notional.get("minNotional", notional.get("notional", "0"))),
        min_notional_to_market=bool(notional.get("applyMinToMarket", notional.get("applyToMarket", True))),
        max_notional=Decimal(notional.get("maxNotional", "0")),
        max_notional_to_market=bool(notional.get("applyMaxToMarket", False)),
        bid_multiplier_up=Decimal(percent.get("bidMultiplierUp", "0")),
        bid_multiplier_down=Decimal(percent.get("bidMultiplierDown", "0")),
        ask_multiplier_up=Decimal(percent.get("askMultiplierUp", "0")),
        ask_multiplier_down=Decimal(percent.get("askMultiplierDown", "0")),
        max_orders=_most(filters.get("MAX_NUM_ORDERS", {}), "maxNumOrders"),
        max_algo_orders=_most(filters.get("MAX_NUM_ALGO_ORDERS", {}), "maxNumAlgoOrders"),
        min_trail_above_bips=int(trail.get("minTrailingAboveDelta", 0)),
        max_trail_above_bips=int(trail.get("maxTrailingAboveDelta", 0)),
        min_trail_below_bips=int(trail.get("minTrailingBelowDelta", 0)),
        max_trail_below_bips=int(trail.get("maxTrailingBelowDelta", 0)),
        max_iceberg_parts=int(filters.get("ICEBERG_PARTS", {}).get("limit", 0)),
        trading_status=status,
    )._replace(**changes)
