"""What the naive desk keeps: instruments with their market, orders, positions, bots, accounts. Mostly data."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.money import down, quotient_down, times
from tests.oracle.words import BOOK, BUY, LIMITS, LIVE, MARKET_TYPES, NONE, PROFIT_TYPES, SELL, TRIGGER_TYPES

LEGS_OF = {1: 2, 2: 2, 3: 3}
PAIR_OF: dict[int, tuple[int, ...]] = {1: (0, 1), 2: (), 3: (1, 2)}
"""Kinds of lists (OCO, OTO, OTOCO): how many legs, and which of them exclude each other."""


@dataclass(slots=True)
class Owed:
    """Lots missing from a price since a picture, numbered, and its time."""

    price: int
    lots: int
    picture: int
    ns: int


@dataclass(slots=True)
class Market:
    """What is known of an instrument's market. Sides are {price: size}; `picture`: the kind of the last picture."""

    status: int = LIVE
    evidence: int = NONE
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    picture: str = ""
    last: int | None = None
    trade_seen: bool = False
    taken: dict[int, dict[int, int]] = field(default_factory=lambda: {BUY: {}, SELL: {}})
    """What was traded of the displayed levels of the side where buys (sells) rest, since they were shown."""
    pictures: int = 0
    owed: dict[int, list[Owed]] = field(default_factory=lambda: {BUY: [], SELL: []})
    """What pictures took from the side where buys (sells) rest and no print has accounted for, oldest first."""
    mark: int | None = None
    mark_ns: int = 0

    def opposite(self, side: int) -> dict[int, int]:
        """The side an order of `side` takes from."""
        return self.asks if side == BUY else self.bids

    def own(self, side: int) -> dict[int, int]:
        """The side an order of `side` rests on."""
        return self.bids if side == BUY else self.asks

    def owed_at(self, side: int, price: int) -> list[Owed]:
        """What is owed at a price, oldest first."""
        return [one for one in self.owed[side] if one.price == price]

    def best_opposite(self, side: int) -> int | None:
        """Best ask for a buy, best bid for a sell."""
        levels = self.opposite(side)
        if not levels:
            return None
        return min(levels) if side == BUY else max(levels)

    def last_for(self, side: int) -> int | None:
        """`last` as a stop of this side sees it (sections 4.7 and 6.5)."""
        if self.evidence == BOOK and not self.trade_seen:
            return self.best_opposite(side)
        return self.last


class Instrument:
    """One instrument in its current version. Prices and sizes are decimals of whole assets here, never num/den."""

    def __init__(self, given: dict[str, Any], base_scale: int, quote_scale: int) -> None:
        self.number: int = given["instrument"]
        self.version: int = given["version"]
        self.base: int = given["base_asset"]
        self.quote: int = given["quote_asset"]
        self.tick = Decimal(given["tick_mantissa"]).scaleb(given["tick_exponent"])
        self.lot = Decimal(given["lot_mantissa"]).scaleb(given["lot_exponent"])
        self.unit_value = times(self.tick, self.lot, Decimal(10) ** quote_scale)
        self.num = Fraction(self.unit_value).numerator
        self.den = Fraction(self.unit_value).denominator
        self.bpl = int(times(self.lot, Decimal(10) ** base_scale))
        self.per_base_unit = self.tick.scaleb(quote_scale - base_scale)
        self.trading_status: int = given["trading_status"]
        self.maker = Decimal(given["maker_fee_e8"]).scaleb(-8)
        self.taker = Decimal(given["taker_fee_e8"]).scaleb(-8)
        self.given = given
        self.market = Market()

    def worth(self, ticks_lots: int) -> Decimal:
        """Exact value of Σ ticks·lots in quote units."""
        return times(ticks_lots, self.unit_value)

    def base_in_quote(self, base_units: int, price: int) -> int:
        """Quote units that base units are worth at a price, floored."""
        return down(times(base_units, price, self.per_base_unit))

    def quote_in_base(self, quote_units: int, price: int) -> int:
        """Base units that quote units buy at a price, floored."""
        return quotient_down(Decimal(quote_units), times(price, self.per_base_unit))

    def same_grid(self, other: Instrument) -> bool:
        """Whether ticks, lots and values of two versions mean the same."""
        names = ("num", "den", "base_units_per_lot", "tick_mantissa", "tick_exponent", "lot_mantissa", "lot_exponent")
        return all(self.given[name] == other.given[name] for name in names)

    def filter_price(self, order: Order) -> bool:
        """Section 4.2: price and trigger, where the order has them, lie within the bounds."""
        low, high = self.given["min_price_ticks"], self.given["max_price_ticks"]
        prices = [] if order.order_type in MARKET_TYPES else [order.price]
        if order.is_stop and order.trigger:
            prices.append(order.trigger)
        return all(price >= low and (high == 0 or price <= high) for price in prices)

    def filter_lots(self, order: Order) -> str:
        """Section 4.3: the reason, or nothing."""
        if order.budget:
            return ""
        low, high = self.given["min_qty_lots"], self.given["max_qty_lots"]
        if order.qty < low or (high > 0 and order.qty > high):
            return "lot_size"
        if order.order_type in MARKET_TYPES:
            low, high = self.given["market_min_qty_lots"], self.given["market_max_qty_lots"]
            if order.qty < low or (high > 0 and order.qty > high):
                return "market_lot_size"
        return ""

    def filter_parts(self, order: Order) -> str:
        """Section 4.6, icebergs: the reason, or nothing."""
        low, high, most = (self.given[name] for name in ("min_qty_lots", "max_qty_lots", "max_iceberg_parts"))
        if order.visible and (order.visible < low or (high and order.visible > high)):
            return "lot_size"
        return "iceberg_parts" if order.visible and 0 < most < -(-order.qty // order.visible) else ""


@dataclass(slots=True)
class Order:
    """One live order. `place`: flight, waiting (stops), pending (for evidence), resting.

    At most `most` and at least `least` stand ahead of it, and `level` stands at its price in all; None: UNKNOWN. `seen`: the last picture when it joined.
    """

    account: int
    bot: int
    instrument: int
    id: int
    side: int
    order_type: int
    time_in_force: int
    post_only: bool
    price: int
    trigger: int
    qty: int
    version: int
    submitted_ns: int
    expire_ns: int = 0
    reduce_only: bool = False
    budget: int = 0
    trail: int = 0
    peak: int = 0
    visible: int = 0
    taken: int = 0
    arrive_ns: int = 0
    status: str = "SUBMITTED"
    place: str = "flight"
    filled: int = 0
    value: int = 0
    reserved: int = 0
    most: int | None = None
    least: int | None = None
    level: int | None = None
    seen: int = 0
    rank: int = 0
    cancel_asked: bool = False
    amend_asked: bool = False
    self_trade: int = 2
    live: bool = True
    list_id: int = 0
    kind: int = 0
    leg: int = 0
    activated_ns: int = 0
    brought: int = 0

    @property
    def listed(self) -> bool:
        """Whether it still waits for the working order of its list."""
        return self.place == "listed" and self.activated_ns == 0

    def legs(self, account: Account) -> list[Order]:
        """The other live orders of its list."""
        return [
            other
            for _, other in sorted(account.orders.items())
            if 0 < self.list_id == other.list_id and other is not self
        ]

    def sibling(self, account: Account) -> Order | None:
        """The live order that excludes this one."""
        if self.list_id == 0 or self.listed or self.leg not in PAIR_OF[self.kind]:
            return None
        return next((leg for leg in self.legs(account) if leg.leg in PAIR_OF[self.kind] and not leg.listed), None)

    @property
    def remaining(self) -> int:
        """Lots not filled yet."""
        return self.qty - self.filled

    @property
    def shown(self) -> int:
        """Section 6.1: lots of an iceberg that are shown; of others all that are open."""
        if not self.visible:
            return self.remaining
        return min(self.remaining, self.visible - (self.filled - self.taken) % self.visible)

    @property
    def is_stop(self) -> bool:
        """Whether it has a trigger."""
        return self.order_type in TRIGGER_TYPES

    @property
    def fires_up(self) -> bool:
        """Whether a rising price reaches the trigger: of a stop that buys, of a take-profit that sells."""
        return self.order_type not in PROFIT_TYPES if self.side == BUY else self.order_type in PROFIT_TYPES

    def reached_by(self, price: int) -> bool:
        """Whether a price is at or beyond the trigger; without one (a trail that follows from its arrival on) any is."""
        if not self.trigger:
            return True
        return price >= self.trigger if self.fires_up else price <= self.trigger


@dataclass(slots=True)
class Position:
    """Signed base units held, what they cost, what was realized (quote units)."""

    qty: int = 0
    cost: int = 0
    realized: int = 0


@dataclass(slots=True)
class Scope:
    """What limits apply to: an account, or a bot. `worth` is the last known equity or pnl."""

    number: int
    account: int
    limits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LIMITS, 0))
    positions: dict[int, Position] = field(default_factory=dict)
    killed: bool = False
    stopped: bool = False
    worth: int = 0
    peak: int = 0
    day_start: int = 0
    cooldown_until: int = 0

    def position(self, instrument: int) -> Position:
        """The position on an instrument, made when first asked for."""
        return self.positions.setdefault(instrument, Position())

    def forget(self) -> None:
        """What the end of an epoch does: positions, peaks, day starts, cooldowns gone; limits and flags stay."""
        self.positions.clear()
        self.worth = self.peak = self.day_start = self.cooldown_until = 0


@dataclass(slots=True)
class Account:
    """One account: balances as {asset: [free, reserved, venue, fees, capital]}, live orders by id, bots by number."""

    number: int
    reporting: int
    source: int
    latency_ns: int
    equity_every_ns: int
    fill_model: int
    scope: Scope
    epoch: int = 1
    balances: dict[int, list[int]] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    bots: dict[int, Scope] = field(default_factory=dict)
    conversions: dict[int, tuple[int, bool]] = field(default_factory=dict)
    used: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)
    next_order: int = 1
    next_fill: int = 1
    next_signal: int = 1
    next_rank: int = 1
    in_use: bool = False
    valued: bool = False
    opening: int = 0
    latencies: list[int] = field(default_factory=list)
    latency_seed: int = 0
    tiers: list[tuple[int, int, int]] = field(default_factory=list)
    self_trade: int = 2
    volumes: dict[int, int] = field(default_factory=dict)
    """UTC day → what was traded, in the reporting asset."""
    amends: dict[int, int] = field(default_factory=dict)
    """Order → the quantity that an amend on its way asks for."""

    def row(self, asset: int) -> list[int]:
        """The five buckets of an asset."""
        return self.balances.setdefault(asset, [0, 0, 0, 0, 0])
