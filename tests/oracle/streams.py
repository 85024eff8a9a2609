"""Random streams of inputs, made to hit: few ticks, small sizes, several kinds of data, all that can go wrong.

A stream is drawn from one seed. The generator looks at the naive desk (never at the core) to aim: prices near the
market, ids of live orders, amounts near what an account has.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from tests.oracle import streams_lists, streams_market, streams_orders, streams_terms
from tests.oracle.desk import Desk
from tests.oracle.things import Instrument
from tests.oracle.words import DAY_NS, DELISTED, GAP, HALTED, LIMITS, LIVE, STALE, TRADING

GRIDS = (  # base scale, quote scale, tick, lot
    (8, 8, "0.01", "0.00001"),
    (8, 8, "0.00000001", "1"),
    (8, 8, "0.00000001", "0.001"),
    (2, 8, "0.0000001", "10"),
    (2, 2, "0.0001", "1"),
    (8, 2, "0.01", "0.0001"),
    (8, 2, "0.05", "0.3"),
    (2, 8, "0.00001", "0.07"),
    (8, 6, "0.25", "0.00001"),
    (0, 0, "0.5", "3"),
)
MODES = (  # weights of trade, quote, book, bar
    (0, 0, 0, 1),
    (1, 0, 0, 0),
    (0, 1, 0, 0),
    (0, 0, 1, 0),
    (3, 0, 4, 0),
    (3, 5, 1, 1),
    (1, 1, 1, 1),
)
MAKERS = (streams_market.trade, streams_market.quote, streams_market.book, streams_market.bar)
STEPS_NS = (0, 0, 1, 10**6, 3 * 10**7, 10**8, 10**9, 10**9, 5 * 10**9)


class Stream:
    """One random stream; `next_input` draws one input, aimed at the desk as it stands."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.desk = Desk()
        self.seq = 0
        self.now = self.dice.randrange(20_000, 20_400) * DAY_NS + self.dice.choice(
            (0, DAY_NS - 20 * 10**9, DAY_NS // 2)
        )
        self.giant = self.dice.random() < 0.06
        self.calm = self.dice.random() < 0.4
        self.mids: dict[int, int] = {}
        self.modes: dict[int, tuple[int, ...]] = {}
        self.definitions: dict[int, dict[str, Any]] = {}
        self.accounts: list[int] = []
        self.bots: dict[int, list[int]] = {}
        self.amends: list[dict[str, Any]] = []
        self.late: dict[int, list[dict[str, Any]]] = {}

    def inputs(self, count: int) -> Iterator[dict[str, Any]]:
        """The opening and `count` more inputs. The caller has the desk take each before the next is drawn."""
        for given in self.opening():
            yield self.stamp(given, 0)
        for _ in range(count):
            yield self.stamp(self.draw(), self.step())

    def stamp(self, given: dict[str, Any], step_ns: int) -> dict[str, Any]:
        """Number an input and give it its time."""
        self.seq += 1
        self.now += step_ns
        return {**given, "seq": self.seq, "ts_seq_ns": self.now}

    def step(self) -> int:
        """How much time passes: mostly moments, at times minutes, seldom days."""
        luck = self.dice.random()
        if luck < 0.01:
            return self.dice.choice((DAY_NS // 3, DAY_NS, DAY_NS - self.now % DAY_NS))
        return self.dice.randrange(10**10, 2 * 10**11) if luck < 0.06 else self.dice.choice(STEPS_NS)

    def chance(self, part: float) -> bool:
        """True in that part of all cases."""
        return self.dice.random() < part

    # ---- the opening -------------------------------------------------------------------------------------------------

    def opening(self) -> Iterator[dict[str, Any]]:
        """Assets, instruments, accounts, bots, money, conversions, limits."""
        dice = self.dice
        base_scale, quote_scale, tick, lot = dice.choice(GRIDS)
        scales = [base_scale, quote_scale, dice.choice((8, 2, base_scale))]
        for number, scale in enumerate(scales):
            yield {"kind": "DEFINE_ASSET", "asset": number, "scale": scale}
        pairs = [(0, 1), (2, 1), (0, 2)][: dice.randint(1, 3)]
        for number, (base, quote) in enumerate(pairs):
            if number > 0:
                tick, lot = self.grid_for(scales[base], scales[quote])
            self.mids[number] = dice.choice((3, 25, 100, 100, 1000, 20_000))
            self.modes[number] = dice.choice(MODES)
            yield self.definition(number, base, quote, scales, tick, lot)
        yield {"kind": "BIND_SOURCE", "source": 1}
        self.accounts = dice.sample((0, 1, 2, 7, 255), dice.randint(1, 3))
        for account in self.accounts:
            yield from self.open_account(account, len(pairs))

    def grid_for(self, base_scale: int, quote_scale: int) -> tuple[str, str]:
        """A tick and a lot that fit two scales."""
        fitting = [(tick, lot) for base, quote, tick, lot in GRIDS if (base, quote) == (base_scale, quote_scale)]
        return self.dice.choice([*fitting, ("0.01", "1"), ("0.5", "1"), ("10", "3")])

    def definition(
        self, number: int, base: int, quote: int, scales: list[int], tick: str, lot: str, version: int = 1
    ) -> dict[str, Any]:
        """A DEFINE_INSTRUMENT with filters that bite at times."""
        dice, mid = self.dice, self.mids[number]
        value = Fraction(tick) * Fraction(lot) * 10 ** scales[quote]
        tight = self.chance(0.2)
        _, tick_digits, tick_exponent = Decimal(tick).as_tuple()
        _, lot_digits, lot_exponent = Decimal(lot).as_tuple()
        given = {
            "kind": "DEFINE_INSTRUMENT",
            "instrument": number,
            "version": version,
            "base_asset": base,
            "quote_asset": quote,
            "num": value.numerator,
            "den": value.denominator,
            "base_units_per_lot": int(Fraction(lot) * 10 ** scales[base]),
            "trading_status": TRADING,
            "min_price_ticks": max(1, mid - 4) if tight else dice.choice((0, 1)),
            "max_price_ticks": mid + 4 if tight and self.chance(0.7) else 0,
            "min_qty_lots": 2 if tight else 0,
            "max_qty_lots": dice.choice((0, 15)) if tight else 0,
            "market_min_qty_lots": 3 if tight and self.chance(0.5) else 0,
            "market_max_qty_lots": 10 if tight and self.chance(0.5) else 0,
            "min_notional_units": min(2**62, int(3 * mid * value)) if self.chance(0.25) else 0,
            "min_notional_to_market": dice.choice((0, 1)),
            "maker_fee_e8": dice.choice((0, 100_000, 77_777, 1)),
            "taker_fee_e8": dice.choice((0, 100_000, 123_456, 100_000_000)) if self.chance(0.2) else 100_000,
            "stale_after_ns": dice.choice((10**9, 60 * 10**9, 10**15, 10**15, 10**15)),
            "tick_mantissa": int("".join(map(str, tick_digits))),
            "tick_exponent": int(tick_exponent),
            "lot_mantissa": int("".join(map(str, lot_digits))),
            "lot_exponent": int(lot_exponent),
        }
        given |= streams_terms.farther_filters(self, mid, value)
        self.definitions[number] = given
        return dict(given)

    def open_account(self, account: int, pairs: int) -> Iterator[dict[str, Any]]:
        """An account with what it needs."""
        dice = self.dice
        yield {
            "kind": "OPEN_ACCOUNT",
            "account": account,
            "asset": dice.choice((1, 1, 1, 0)),
            "source": 1,
            "latency_ns": dice.choice((0, 0, 1, 10**6, 10**9)),
            "equity_every_ns": dice.choice((10**9, 60 * 10**9)),
            "fill_model": dice.choice((1, 2, 3)),
        }
        yield from self.money(account)
        yield from self.conversions(account, pairs)
        self.bots[account] = dice.sample(range(1, 1024), dice.randint(0, 2)) if self.chance(0.9) else [account + 1]
        for bot in self.bots[account]:
            yield {"kind": "REGISTER_BOT", "account": account, "bot": bot}
        if self.chance(0.4):
            yield self.limits(account)
        if self.chance(0.25):
            yield streams_terms.latencies(self, account)
        if self.chance(0.25):
            yield streams_terms.fee_tiers(self, account)
        if self.chance(0.5):
            yield streams_terms.self_trade(self, account)

    def conversions(self, account: int, pairs: int) -> Iterator[dict[str, Any]]:
        """Values for assets that are not the reporting one, if we are lucky."""
        reporting = self.desk.accounts[account].reporting
        for number, (base, quote) in enumerate([(0, 1), (2, 1), (0, 2)][:pairs]):
            if reporting in (base, quote) and self.chance(0.95):
                inverse = reporting == base
                yield {
                    "kind": "DECLARE_CONVERSION",
                    "account": account,
                    "asset": quote if inverse else base,
                    "instrument": number,
                    "flags": 1 if inverse else 0,
                }

    def money(self, account: int) -> Iterator[dict[str, Any]]:
        """Enough of each asset for some orders, seldom for all."""
        for asset in range(3):
            for _ in range(self.dice.choice((0, 1, 2, 5)) if self.giant else self.dice.choice((0, 1, 1, 1, 1, 1))):
                yield {
                    "kind": "DEPOSIT",
                    "account": account,
                    "asset": asset,
                    "amount_units": 2**60 - self.dice.randrange(3) if self.giant else self.some_money(asset),
                }

    def some_money(self, asset: int) -> int:
        """What some typical orders would need of an asset."""
        most = 1
        for number, instrument in self.desk.instruments.items():
            if asset == instrument.base:
                most = max(most, instrument.bpl * 10)
            if asset == instrument.quote:
                most = max(most, int(instrument.worth(self.mids[number] * 10)) + 1)
        return min(2**60, most * self.dice.choice((1, 5, 20, 100, 400)) + self.dice.randrange(100))

    def limits(self, account: int) -> dict[str, Any]:
        """Limits of an account or a bot, near the size of some orders; most of them off."""
        bot = self.dice.choice([0, *self.bots[account]])
        unit = max(1, self.some_money(self.desk.accounts[account].reporting) // 10)
        given: dict[str, Any] = {"kind": "SET_LIMITS", "account": account, "bot": bot}
        for name in LIMITS:
            size = (
                self.dice.choice((10**9, 10**11)) if name == "cooldown_ns" else 1 + unit * self.dice.randint(1, 8) // 4
            )
            if "loss" in name or "drawdown" in name:
                size = 1 + size // self.dice.choice((10, 100, 1000))
            given[name] = size if self.chance(0.3) else 0
        return given

    # ---- the market --------------------------------------------------------------------------------------------------

    def draw(self) -> dict[str, Any]:
        """One more input."""
        if self.amends and self.chance(0.2):
            given = self.amends.pop(0)
            return self.tradable(given["instrument"]) if given["kind"] == "TRADABLE" else given
        luck = self.dice.random()
        if luck < 0.5:
            return self.market_input()
        if luck < 0.88:
            if luck >= 0.8:
                return streams_orders.cancel(self) if luck < 0.85 else streams_orders.amend(self)
            if luck >= 0.75:
                return streams_orders.rival(self)
            return streams_lists.order_list(self) if self.chance(0.3) else streams_orders.order(self)
        if luck < 0.91:
            return {"kind": "TIMER"}
        if luck < 0.92:
            return streams_orders.signal(self)
        if self.calm and luck < 0.98:
            return self.market_input()
        return self.disturbance()

    def market_input(self) -> dict[str, Any]:
        """Data of one instrument, as its mode says; at times it makes no sense."""
        number = self.dice.choice(list(self.mids))
        if self.chance(0.6):
            self.mids[number] = max(1, self.mids[number] + self.dice.choice((-2, -1, -1, 1, 1, 2)))
        if self.chance(0.04 if self.giant else 0.004):
            jumped = self.mids[number] * self.dice.choice((1, 2, 9)) // self.dice.choice((1, 2, 4))
            self.mids[number] = min(2**49, max(1, jumped))
        if self.chance(0.01):
            self.modes[number] = self.dice.choice(MODES)
        make = self.dice.choices(MAKERS, self.modes[number])[0]
        given = make(self, number)
        return streams_orders.spoiled(given, self.dice) if self.chance(0.02) else given

    # ---- disturbances ------------------------------------------------------------------------------------------------

    def disturbance(self) -> dict[str, Any]:
        """Something unusual; what would silence a stream for good is amended later."""
        return self.dice.choice(
            (
                self.status,
                self.status,
                self.redefine,
                self.redefine,
                self.some_limits,
                self.switch,
                self.source,
                self.late_money,
                self.some_terms,
            )
            + ((self.reset, self.stop) if self.chance(0.5) else (self.some_limits,))
            + (lambda: streams_orders.nonsense(self),)
        )()

    def some_terms(self) -> dict[str, Any]:
        """Other latencies or fees for someone."""
        make = self.dice.choice((streams_terms.latencies, streams_terms.fee_tiers, streams_terms.self_trade))
        return make(self, self.dice.choice([*self.accounts, 3]))

    def some_limits(self) -> dict[str, Any]:
        """New limits for someone."""
        return self.limits(self.dice.choice(self.accounts))

    def status(self) -> dict[str, Any]:
        """The data is stale or has a gap; later it is live again."""
        number = self.dice.choice(list(self.mids))
        given = {"kind": "MARKET_STATUS", "instrument": number, "status_reason": 0}
        self.amends.append({**given, "status": LIVE})
        return {**given, "status": self.dice.choice((STALE, GAP, LIVE))}

    def redefine(self) -> dict[str, Any]:
        """A new version: another status, other filters, seldom another grid, seldom a wrong version."""
        number = self.dice.choice(list(self.mids))
        current: Instrument = self.desk.instruments[number]
        given = {**self.definitions[number], "version": current.version + 1, "trading_status": TRADING}
        what = self.dice.random()
        if what < 0.25:
            given["trading_status"] = self.dice.choice((HALTED, HALTED, DELISTED))
            self.amends.append({"kind": "TRADABLE", "instrument": number})
        elif what < 0.6:
            scales = [scale for _, scale in sorted(self.desk.scales.items())]
            tick, lot = str(current.tick), str(current.lot)
            if what > 0.5:
                tick, lot = self.grid_for(scales[current.base], scales[current.quote])
            fresh = self.definition(number, current.base, current.quote, scales, tick, lot, current.version + 1)
            given.update(fresh)
        elif what < 0.7:
            given["version"] += self.dice.choice((-1, 1))
        elif what < 0.75:
            given["base_asset"], given["quote_asset"] = given["quote_asset"], given["base_asset"]
        return given

    def tradable(self, number: int) -> dict[str, Any]:
        """The venue trades an instrument again."""
        version = self.desk.instruments[number].version + 1
        return {**self.definitions[number], "version": version, "trading_status": TRADING}

    def switch(self) -> dict[str, Any]:
        """Kill, and later resume the same scope."""
        account = self.dice.choice([-1, *self.accounts])
        bot = -1 if account == -1 else self.dice.choice([-1, *self.bots[account]])
        self.amends.append({"kind": "RESUME", "account": account, "bot": bot})
        return {"kind": "KILL", "account": account, "bot": bot}

    def source(self) -> dict[str, Any]:
        """Data from elsewhere, and back."""
        self.amends.append({"kind": "BIND_SOURCE", "source": 1})
        return {"kind": "BIND_SOURCE", "source": 2}

    def late_money(self) -> dict[str, Any]:
        """A deposit at a time when it may be too late."""
        amount = self.dice.choice((5, 1000, 0, -1, 2**60 + 1))
        return {"kind": "DEPOSIT", "account": self.dice.choice(self.accounts), "asset": 1, "amount_units": amount}

    def reset(self) -> dict[str, Any]:
        """A new epoch; money again afterwards."""
        account = self.dice.choice(self.accounts)
        self.amends[:0] = list(self.money(account))
        return {"kind": "RESET_ACCOUNT", "account": account, "source": 1}

    def stop(self) -> dict[str, Any]:
        """A bot fails."""
        account = self.dice.choice(self.accounts)
        bot = self.dice.choice([*self.bots[account], 1023])
        if bot in self.bots[account]:
            fresh = self.dice.randrange(1, 1024)
            self.bots[account].append(fresh)
            self.amends.append({"kind": "REGISTER_BOT", "account": account, "bot": fresh})
        return {"kind": "STOP_BOT", "account": account, "bot": bot}
