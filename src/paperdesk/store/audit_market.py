"""The auditor's own view of markets, and what a fill may rest on (docs/venue-rules.md, sections 5 and 6).

Written naively from the rule book, sharing nothing with the core: levels are lists of (ticks, lots), best first. Each
function that looks at a fill says what is wrong with it as (rule, complaint), or nothing.
"""

import math
import struct
from collections.abc import Iterator
from typing import Any, Final

from paperdesk.domain.events import (
    DEFINITION_BYTES,
    DEPTH,
    HEAD,
    HEAD_BYTES,
    PAYLOAD,
    Evidence,
    FillModel,
    FillRule,
    InputKind,
    Liquidity,
    MarketStatus,
    Side,
)

BOOK_PAYLOAD: Final = struct.Struct("<80q")
DEFINITION_PAYLOAD: Final = struct.Struct("<34q")
assert HEAD_BYTES + DEFINITION_PAYLOAD.size == DEFINITION_BYTES, "a definition is its head and 34 numbers"
FURTHER: Final = struct.Struct("<2q")
GRID_FIELDS: Final = (2, 3, 4, 17, 18, 19, 20)
"""num, den, base units of a lot, tick, lot: places in a definition's payload that give prices and lots a meaning."""

AT_ONE_PRICE: Final = frozenset({FillRule.QUEUE, FillRule.TAPE_TOUCH})
"""Rules that the shown part of an iceberg bounds."""
TAKERS: Final = frozenset({FillRule.BOOK_WALK, FillRule.BAR_OPEN, FillRule.BAR_STOP, FillRule.TAPE_TAKE})
NEEDS: Final = {
    FillRule.BOOK_WALK: (Evidence.BOOK,),
    FillRule.TRADE_THROUGH: (Evidence.BOOK, Evidence.TAPE),
    FillRule.QUEUE: (Evidence.BOOK,),
    FillRule.BOOK_CROSS: (Evidence.BOOK,),
    FillRule.BAR_OPEN: (Evidence.BARS,),
    FillRule.BAR_THROUGH: (Evidence.BARS,),
    FillRule.BAR_STOP: (Evidence.BARS,),
    FillRule.TAPE_TAKE: (Evidence.TAPE,),
    FillRule.TAPE_TOUCH: (Evidence.TAPE,),
}
WORSE_PRINTS: Final = {FillModel.OPTIMISTIC: 0, FillModel.EXPECTED: 1, FillModel.PESSIMISTIC: 2}
OF_A_TOUCH: Final = {FillModel.OPTIMISTIC: 1024, FillModel.EXPECTED: 256, FillModel.PESSIMISTIC: 0}
OF_A_BAR: Final = {FillModel.OPTIMISTIC: 1024, FillModel.EXPECTED: 102, FillModel.PESSIMISTIC: 51}
OF_THE_IMPACT: Final = {FillModel.OPTIMISTIC: 0.0, FillModel.EXPECTED: 2 / 3, FillModel.PESSIMISTIC: 1.0}
VOLATILITY_OF_A_RANGE: Final = 1 / (2 * math.sqrt(math.log(2)))
BEST_FIRST: Final = "5 best level first"
PICTURES: Final = frozenset({int(InputKind.QUOTE), int(InputKind.BOOK)})
Complaint = tuple[str, str]


class Definition:
    """One version of an instrument, as a DEFINE_INSTRUMENT input gave it."""

    def __init__(self, version: int, fields: tuple[int, ...]) -> None:
        self.version = version
        self.fields = fields
        self.base, self.quote, self.num, self.den, self.base_units_per_lot, self.trading_status = fields[:6]
        self.min_price, self.max_price, self.min_qty, self.max_qty = fields[6:10]
        self.min_notional = fields[12]
        self.maker_fee_e8, self.taker_fee_e8 = fields[14:16]

    def same_grid(self, other: "Definition") -> bool:
        """Whether prices and quantities mean the same in both."""
        return all(self.fields[place] == other.fields[place] for place in GRID_FIELDS)


class Given:
    """The input that outputs rest on, decoded as far as it is looked at."""

    __slots__ = ("account", "bot", "data", "head", "instrument", "kind", "seq", "side", "ts_ns", "version")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.head: tuple[int, ...] = HEAD.unpack_from(data)
        self.kind, self.side = self.head[0], self.head[1]
        self.instrument, self.version, self.account, self.bot, self.seq, _, self.ts_ns = self.head[7:14]

    def payload(self) -> tuple[int, ...]:
        """Its first eight numbers."""
        return PAYLOAD.unpack_from(self.data, HEAD_BYTES)

    def further(self) -> tuple[int, int]:
        """A SUBMIT_ORDER's numbers after these: its trail, and what of it is shown."""
        trail, visible = FURTHER.unpack_from(self.data, HEAD_BYTES + PAYLOAD.size)
        return trail, visible

    def definition(self) -> Definition:
        """A DEFINE_INSTRUMENT's contents."""
        return Definition(self.version, DEFINITION_PAYLOAD.unpack_from(self.data, HEAD_BYTES))

    def levels(self) -> list[list[tuple[int, int]]]:
        """A BOOK's levels: bids, asks."""
        numbers = BOOK_PAYLOAD.unpack_from(self.data, HEAD_BYTES)
        counts = self.head[5:7]
        sides = []
        for side in (0, 1):
            ticks, lots = numbers[2 * side * DEPTH :], numbers[(2 * side + 1) * DEPTH :]
            sides.append(list(zip(ticks[: counts[side]], lots[: counts[side]], strict=True)))
        return sides


class Market:
    """What is visible of one instrument, and what accounts took of it since it was last shown anew."""

    def __init__(self) -> None:
        self.evidence = int(Evidence.NONE)
        self.status = int(MarketStatus.LIVE)
        self.trade_seen = False
        self.last = 0
        self.used: dict[tuple[int, int, int], int] = {}
        """(account, side, ticks) → lots."""
        self._levels: list[list[tuple[int, int]]] = [[], []]
        self._book: Given | None = None

    def levels(self, side: int) -> list[tuple[int, int]]:
        """Visible levels of a side (0 bids, 1 asks), best first."""
        if self._book is not None:
            self._levels, self._book = self._book.levels(), None
        return self._levels[side]

    def take(self, given: Given) -> None:
        """See an accepted market input."""
        if given.kind == InputKind.MARKET_STATUS:
            self.status = given.payload()[0]
            if self.status != MarketStatus.LIVE:
                self.forget_view()
            return
        if self.status != MarketStatus.LIVE:
            return
        if given.kind == InputKind.TRADE:
            self.evidence = max(self.evidence, Evidence.TAPE)
            self.trade_seen = True
            self.last = given.payload()[0]
        elif given.kind == InputKind.BAR:
            self.last = given.payload()[3] if self.evidence <= Evidence.BARS else self.last
            self.evidence = max(self.evidence, Evidence.BARS)
        elif given.kind in PICTURES:
            self.evidence = int(Evidence.BOOK)
            self._picture(given)

    def last_for(self, side: int) -> int:
        """What triggers of a side are measured against, 0: nothing yet."""
        if self.evidence != Evidence.BOOK or self.trade_seen:
            return self.last
        levels = self.levels(1 if side == Side.BUY else 0)
        return levels[0][0] if levels else 0

    def forget_view(self) -> None:
        """Nothing is visible any more."""
        self._levels, self._book = [[], []], None
        self.used.clear()

    def _picture(self, given: Given) -> None:
        before = {key: dict(self.levels(key[1])).get(key[2]) for key in self.used}
        if given.kind == InputKind.BOOK:
            self._book = given
        else:
            bid, bid_lots, ask, ask_lots = given.payload()[:4]
            self._levels = [merged(self.levels(0), bid, bid_lots, -1), merged(self.levels(1), ask, ask_lots, 1)]
        for key, shown in before.items():
            if dict(self.levels(key[1])).get(key[2]) != shown:
                del self.used[key]


def merged(levels: list[tuple[int, int]], ticks: int, lots: int, sign: int) -> list[tuple[int, int]]:
    """A side after a quote of its best level: better levels are gone, the quoted one stands first."""
    if lots == 0:
        return []
    rest = [level for level in levels if (level[0] - ticks) * sign > 0]
    return [(ticks, lots), *rest][:DEPTH]


def reaches(side: int, ticks: int, limit: int) -> bool:
    """Whether a price is at or through an order's limit."""
    return ticks <= limit if side == Side.BUY else ticks >= limit


def passed(side: int, ticks: int, limit: int) -> bool:
    """Whether a price is strictly through an order's limit."""
    return ticks < limit if side == Side.BUY else ticks > limit


class FillFacts:
    """One FILL output."""

    __slots__ = (
        "evidence",
        "fee",
        "fill_id",
        "front_before",
        "liquidity",
        "lots",
        "price",
        "quote",
        "rate",
        "realized",
        "rule",
        "shown",
        "tier",
        "volume",
    )

    def __init__(self, liquidity: int, rule: int, payload: tuple[int, ...]) -> None:
        self.liquidity, self.rule = liquidity, rule
        self.price, self.lots, self.fill_id, self.quote, self.fee, self.realized = payload[:6]
        self.shown, self.front_before, _, self.evidence, self.rate, self.tier, self.volume = payload[6:]


def wrong_with_fill(
    order: Any, fill: FillFacts, market: Market, given: Given, flow: dict[int, int], model: FillModel
) -> Iterator[Complaint]:
    """What is wrong with the evidence of a fill. `flow` counts what each account already took of this trade or bar; `model` is the account's."""
    limited = not order.is_market
    if fill.rule in AT_ONE_PRICE and fill.lots > order.shown:
        yield "6.1 icebergs", f"{fill.lots} lots filled at its price, {order.shown} were shown"
    if limited and not reaches(order.side, fill.price, order.price):
        yield "7 a limit is a limit", f"filled at {fill.price} ticks, limit {order.price}"
    if fill.rule not in NEEDS:
        yield "6 evidence", f"fill rule {fill.rule} does not exist"
        return
    if fill.liquidity != (Liquidity.TAKER if fill.rule in TAKERS else Liquidity.MAKER):
        yield "6 evidence", f"{FillRule(fill.rule).name} with liquidity {fill.liquidity}"
    if order.post_only and fill.liquidity != Liquidity.MAKER:
        yield "4.8 post-only", "a post-only order took"
    if market.status != MarketStatus.LIVE or market.evidence not in NEEDS[FillRule(fill.rule)]:
        yield (
            "6.6 evidence",
            f"{FillRule(fill.rule).name} while evidence is {market.evidence} and market status {market.status}",
        )
    if fill.rule == FillRule.BOOK_WALK:
        yield from _walked(order, fill, market, limited)
    elif fill.rule == FillRule.BOOK_CROSS:
        yield from _crossed(order, fill, market, given)
    elif given.kind == InputKind.TRADE and given.instrument == order.instrument:
        yield from _traded(order, fill, given, flow, limited, model)
    elif given.kind == InputKind.BAR and given.instrument == order.instrument:
        yield from _barred(order, fill, given, flow, limited, model)
    else:
        yield (
            "6 evidence",
            f"{FillRule(fill.rule).name} at an input of kind {given.kind}, instrument {given.instrument}",
        )


def _took(order: Any, fill: FillFacts, market: Market, ticks: int) -> Iterator[Complaint]:
    """Take from a visible level: it must be shown, and no more may be taken than it shows."""
    side = 1 if order.side == Side.BUY else 0
    shown = dict(market.levels(side)).get(ticks, 0)
    key = (order.account, side, ticks)
    taken = market.used[key] = market.used.get(key, 0) + fill.lots
    if shown != fill.shown or fill.evidence != ticks:
        yield (
            "5 the visible book",
            f"the receipt says {fill.shown} lots at {fill.evidence} ticks, the last picture shows {shown} at {ticks}",
        )
    if taken > shown:
        yield "5 the visible book", f"the account took {taken} lots at {ticks} ticks, where {shown} are shown"


def _walked(order: Any, fill: FillFacts, market: Market, limited: bool) -> Iterator[Complaint]:
    side = 1 if order.side == Side.BUY else 0
    levels = market.levels(side)
    yield from _took(order, fill, market, fill.price)
    for ticks, lots in levels:
        if passed(order.side, ticks, fill.price) and market.used.get((order.account, side, ticks), 0) < lots:
            yield BEST_FIRST, f"filled at {fill.price} ticks while {ticks} was not used up"
    if levels and not limited:
        best = levels[0][0]
        collar = -(-best * 105 // 100) if order.side == Side.BUY else max(1, best * 95 // 100)
        if not reaches(order.side, fill.price, collar):
            yield "5 collar", f"filled at {fill.price} ticks, best {best}, collar {collar}"


def _crossed(order: Any, fill: FillFacts, market: Market, given: Given) -> Iterator[Complaint]:
    if given.kind not in PICTURES or given.instrument != order.instrument:
        yield "6.2 crossing", f"at an input of kind {given.kind}, instrument {given.instrument}"
    if fill.price != order.price or not reaches(order.side, fill.evidence, order.price):
        yield "6.2 crossing", f"filled at {fill.price} ticks against {fill.evidence}, own price {order.price}"
    yield from _took(order, fill, market, fill.evidence)


def _flowed(order: Any, fill: FillFacts, flow: dict[int, int], total: int, ahead: int = 0) -> Iterator[Complaint]:
    """Take a share of a trade's or bar's quantity, behind `ahead`."""
    before = flow.get(order.account, 0)
    flow[order.account] = before + fill.lots
    if before + ahead + fill.lots > total or fill.shown != total:
        yield (
            "6 each account's share",
            f"{before} lots before, {ahead} ahead, {fill.lots} now of {total} (receipt: {fill.shown})",
        )


def _traded(
    order: Any, fill: FillFacts, given: Given, flow: dict[int, int], limited: bool, model: FillModel
) -> Iterator[Complaint]:
    price, quantity = given.payload()[:2]
    ahead = fill.front_before if fill.rule == FillRule.QUEUE else 0
    yield from _flowed(order, fill, flow, quantity, ahead)
    if fill.evidence != price:
        yield "6 evidence", f"the receipt says {fill.evidence} ticks, the trade {price}"
    if fill.rule == FillRule.TAPE_TAKE:
        if fill.price != (order.price if limited else _worse(order.side, price, WORSE_PRINTS[model])):
            yield "6.3 tape", f"filled at {fill.price} ticks after a trade at {price}"
        if limited and (given.side != order.side or not reaches(order.side, price, order.price)):
            yield "6.3 tape", f"a limit of {order.price} took after a trade at {price} by side {given.side}"
        return
    exact = fill.rule in (FillRule.QUEUE, FillRule.TAPE_TOUCH)
    if fill.price != order.price or given.side == order.side:
        yield "6.2 trade", f"filled at {fill.price} ticks, own price {order.price}, aggressor {given.side}"
    if fill.rule == FillRule.TAPE_TOUCH and fill.lots > quantity * OF_A_TOUCH[model] // 1024:
        yield "6.3 tape", f"{fill.lots} lots of a trade of {quantity} at the own price"
    if fill.rule not in (FillRule.QUEUE, FillRule.TRADE_THROUGH, FillRule.TAPE_TOUCH) or ahead < 0:
        yield "6.2 trade", f"rule {fill.rule}, queue {ahead}"
    if (price != order.price) if exact else not passed(order.side, price, order.price):
        yield "6.2 trade", f"a trade at {price} ticks does not reach an order at {order.price} by rule {fill.rule}"


def _worse(side: int, price: int, ticks: int) -> int:
    return price + ticks if side == Side.BUY else max(1, price - ticks)


def _barred(
    order: Any, fill: FillFacts, given: Given, flow: dict[int, int], limited: bool, model: FillModel
) -> Iterator[Complaint]:
    first, high, low, _, volume, interval_ns = given.payload()[:6]
    had = flow.get(order.account, 0)
    before = flow[order.account] = had + fill.lots
    share = volume * OF_A_BAR[model] // 1024
    if before > share or fill.shown != share:
        yield "6 each account's share", f"{had} lots before, {fill.lots} now of {share} (receipt: {fill.shown})"
    extreme, worst = (low, high) if order.side == Side.BUY else (high, low)
    in_bar = order.activated_ns == given.ts_ns and fill.rule == FillRule.BAR_STOP
    if max(order.submitted_ns, order.activated_ns) > given.ts_ns - interval_ns and not in_bar:
        yield "6.4 bars", "the order was sent after the bar opened"
    moved = 0
    if model != FillModel.OPTIMISTIC and share > had:
        part = min(order.qty - order.filled, share - had) / volume
        moved = max(1, math.ceil(OF_THE_IMPACT[model] * VOLATILITY_OF_A_RANGE * (high - low) * math.sqrt(part)))
    if fill.rule == FillRule.BAR_OPEN:
        price = _worse(order.side, first, moved)
        right = not limited or reaches(order.side, first, order.price)
        price = order.price if limited and not reaches(order.side, price, order.price) else price
    elif fill.rule == FillRule.BAR_THROUGH:
        price = order.price
        right = passed(order.side, extreme, price) or (extreme == price and model == FillModel.OPTIMISTIC)
    else:
        begins = order.fired or (first if order.is_reached(first) else order.trigger)
        begins = worst if model == FillModel.PESSIMISTIC else begins
        price = _worse(order.side, begins, moved)
        price = worst if not reaches(order.side, price, worst) else price
        right = fill.rule == FillRule.BAR_STOP and (
            order.fired > 0 if order.trail else order.is_reached(high if order.fires_up else low)
        )
    if not right or fill.price != price:
        yield "6.4 bars", f"rule {fill.rule} at {fill.price} ticks, not {price}, in a bar of {first} {high} {low}"
