"""The host runs one strategy as one bot: inputs and outputs of the desk in, command rows out.

For each input the order is fixed: outputs first (the view is brought up to date, then on_fill and on_refusal), then
bars that time has closed (on_bar), then the event itself (on_trade, on_quote). A strategy therefore never decides
on a view older than what it is told. Commands go out in the order in which they were wished for. The host has no
clock and does no I/O; it can stand beside the fold or in a process of its own.

What user code raises comes out as StrategyFailed, never swallowed; how long it may take is the affair of whoever
calls.
"""

import struct
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from paperdesk.domain.events import DEPTH, HEAD_BYTES, INPUT_BYTES, InputKind, MarketStatus, OutputKind
from paperdesk.domain.instruments import DEFINITION_FIELDS, Instrument
from paperdesk.engine.drive import DeciderFailed
from paperdesk.features.bars import NEVER_NS, Bar, BarBuilder, BarError, parse_interval
from paperdesk.features.basic import FeatureSet
from paperdesk.strategies import snapshot
from paperdesk.strategies.api import ALL, Strategy, StrategyError, overrides, title
from paperdesk.strategies.context import Context
from paperdesk.strategies.definitions import redefined
from paperdesk.strategies.events import Fill, Quote, Trade
from paperdesk.strategies.view import ACCOUNT, KIND, OUTPUT_ROW, Market, View

WHO_WHEN: Final = struct.Struct("<8xi28xq")
"""Instrument and engine time of an input record."""
TRADE_ROW: Final = struct.Struct("<2xb45x3q")
QUOTE_ROW: Final = struct.Struct("<48x4q")
BOOK_ROW: Final = struct.Struct(f"<6x2b40xq{8 * DEPTH - 8}xq{8 * DEPTH - 8}xq{8 * DEPTH - 8}xq")
"""Counts of both sides, then price and size of the best bid and of the best ask."""
BAR_ROW: Final = struct.Struct("<48x6q")
STATUS_ROW: Final = struct.Struct("<48xq")
DEFINITION_ROW: Final = struct.Struct(f"<12xi32x{len(DEFINITION_FIELDS)}q")
Reader = Callable[[Market, Any, int, int], None]
EVENT_REFUSED: Final = int(OutputKind.EVENT_REFUSED)
assert STATUS_ROW.size == HEAD_BYTES + 8 and TRADE_ROW.size == HEAD_BYTES + 24


class StrategyFailed(DeciderFailed):
    """User code raised. `callback` says where, `text` is the traceback from its own frames on."""

    def __init__(self, bot: str, callback: str, text: str) -> None:
        message = (
            f"the strategy {bot} failed in {callback}: {text.strip().splitlines()[-1]}\n{text}"
            "Its orders are canceled and it may send no more; mend the strategy and start it again."
        )
        super().__init__(bot, callback, text, message)


PastBar = tuple[int, int, int, int, int, int, int, int]
"""instrument, close_ns, interval_ns, open, high, low, close ticks, volume lots."""


class BotHost:
    """One strategy as one bot of an account.

    `kinds` and `instruments` say which inputs it wants (TIMER belongs to no instrument). Outputs of its account
    must be given to it as well, whatever input caused them: to `decide` with that input, or to `follow` before it
    has begun.
    """

    def __init__(
        self, strategy: Strategy, account: int, bot: int, instruments: Sequence[Instrument], name: str = ""
    ) -> None:
        """`instruments` are those the desk knows. StrategyError if one that the strategy declares is missing."""
        kind = type(strategy)
        self.strategy = strategy
        self.account = account
        self.bot = bot
        self.name = name or title(kind)
        self.interval_ns = 0 if kind.bars is None else parse_interval(kind.bars)
        chosen = _chosen(kind, instruments)
        self.markets = [Market(row, self._builder(row), FeatureSet(strategy.resolved_features)) for row in chosen]
        self.instruments = frozenset(market.number for market in self.markets)
        self.view = View(account, bot, instruments, self.markets)
        sees_quotes = kind.quotes or overrides(kind, "on_quote")
        self.ctx = Context(self.view, strategy.parameter, tuple(strategy.resolved_features), sees_quotes)
        self.started = False
        self._next_close_ns = NEVER_NS
        features = FeatureSet(strategy.resolved_features)
        self._warm_up = max(kind.warm_up, features.warm_up)
        self._on_bar = strategy.on_bar if overrides(kind, "on_bar") else None
        self._on_trade = strategy.on_trade if overrides(kind, "on_trade") else None
        self._on_quote = strategy.on_quote if overrides(kind, "on_quote") else None
        self._on_fill = strategy.on_fill if overrides(kind, "on_fill") else None
        self._on_refusal = strategy.on_refusal if overrides(kind, "on_refusal") else None
        self._from_quotes = kind.bars is not None and kind.bars_from == "quotes"
        self._readers = self._subscriptions(sees_quotes)
        self.kinds = frozenset(self._readers)

    def _builder(self, instrument: Instrument) -> BarBuilder | None:
        kind = type(self.strategy)
        return None if kind.bars is None else BarBuilder(instrument, self.interval_ns, kind.bars_from, kind.bars_adapt)

    def _subscriptions(self, sees_quotes: bool) -> dict[int, Reader]:
        """Input kind → reader, for what is overridden or needed for bars."""
        source = type(self.strategy).bars_from
        wanted: dict[InputKind, Reader] = {InputKind.DEFINE_INSTRUMENT: self._read_definition}
        if self._on_trade is not None or (self.interval_ns and source in ("", "trades")):
            wanted[InputKind.TRADE] = self._read_trade
        if self.interval_ns and source in ("", "bars"):
            wanted[InputKind.BAR] = self._read_bar
        if self.interval_ns:
            wanted[InputKind.TIMER] = self._read_nothing
        if sees_quotes or self._from_quotes:
            wanted[InputKind.QUOTE] = self._read_quote
            wanted[InputKind.BOOK] = self._read_book
            wanted[InputKind.MARKET_STATUS] = self._read_status
        return {int(kind): reader for kind, reader in wanted.items()}

    # ---- the port ----

    def decide(self, kind: int, block: np.ndarray, index: int, outputs: np.ndarray | None = None) -> list[np.ndarray]:
        """React to input `block[index]`, which the fold has taken, and to all outputs it caused.

        Called for inputs of `kinds` on `instruments`, and for any input whose outputs concern the account. Returns
        command rows (INPUT arrays of shape (1,)) in order. StrategyFailed if user code raises.
        """
        ctx = self.ctx
        at = index * INPUT_BYTES
        data: Any = block
        number, ts_ns = WHO_WHEN.unpack_from(data, at)
        ctx.ts_ns = ts_ns
        refused = outputs is not None and len(outputs) > 0 and self._absorb(outputs)
        if not self.started:
            self._start()
        if ts_ns >= self._next_close_ns:
            self._close_bars(ts_ns)
        if not refused:
            reader = self._readers.get(kind)
            market = self.view.markets.get(number)
            if reader is not None and market is not None:
                reader(market, data, at, ts_ns)
        return self._drained()

    def observe(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Follow outputs that commands caused, its own or others'.

        Returns what on_fill and on_refusal wish in answer.
        """
        if len(outputs) > 0:
            self.ctx.ts_ns = max(self.ctx.ts_ns, int(outputs["ts_seq_ns"][-1]))
            self._absorb(outputs)
        return self._drained()

    def follow(self, outputs: np.ndarray) -> None:
        """Bring the view up to date without telling the strategy: facts from before it began, or since a snapshot."""
        for row in OUTPUT_ROW.iter_unpack(outputs.tobytes()):
            self.view.take(row)
        self.view.acknowledged.clear()

    def define(self, instrument: Instrument) -> None:
        """Take a new version of an instrument, where its definition does not come by `decide`; others are ignored."""
        market = self.view.markets.get(instrument.number)
        if market is not None:
            market.define(instrument)

    def warm(self, bars: Iterable[PastBar]) -> None:
        """Let indicators see closed bars from before the run, oldest first, in a host that has just been built; the strategy is not called."""
        builders: dict[int, BarBuilder] = {}
        on_bar, self._on_bar = self._on_bar, None
        for number, close_ns, interval_ns, *ohlcv in bars:
            market = self.view.markets.get(number)
            if market is None or not self.interval_ns or self.interval_ns % interval_ns:
                continue
            builder = builders.setdefault(number, BarBuilder(market.instrument, self.interval_ns, "bars"))
            open_, high, low, close, volume = ohlcv
            for bar in builder.add_bar(close_ns, interval_ns, (open_, high, low, close, volume)):
                self._closed(market, bar)
        self._on_bar = on_bar

    def snapshot(self) -> bytes:
        """Memory, view, bars and features as bytes; SnapshotError naming what in the memory is not plain data."""
        return snapshot.take(self)

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot, in a host that has just been built; SnapshotError if it does not belong here."""
        snapshot.give(self, data)

    # ---- outputs ----

    def _absorb(self, outputs: np.ndarray) -> bool:
        """Take all outputs into the view, then tell the strategy; whether the desk refused the input as nonsense."""
        view, refused = self.view, False
        told = []
        for row in OUTPUT_ROW.iter_unpack(outputs.tobytes()):
            if row[ACCOUNT] == self.account:
                message = view.take(row)
                if message is not None:
                    told.append(message)
            if row[KIND] == EVENT_REFUSED:
                refused = True
        if view.acknowledged:
            for order in view.acknowledged:
                if order.amend_lots:
                    self.ctx.send_amend(order)
                if order.is_canceling:
                    self.ctx.send_cancel(order)
            view.acknowledged.clear()
        if told and not self.started:
            self._start()
        for message in told:
            self.ctx.current = None if message.instrument is None else view.markets.get(message.instrument.number)
            if isinstance(message, Fill):
                if self._on_fill is not None:
                    self._call("on_fill", self._on_fill, message)
            elif self._on_refusal is not None:
                self._call("on_refusal", self._on_refusal, message)
        return refused

    # ---- inputs ----

    def _read_nothing(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        """A timer tick only moves time."""

    def _read_trade(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        side, price, lots, trade_id = TRADE_ROW.unpack_from(block, at)
        market.last_ticks = price
        builder = market.builder
        if builder is not None:
            builder.add_trade(ts_ns, price, lots)
            if builder.due_ns < self._next_close_ns:
                self._next_close_ns = builder.due_ns
        if self._on_trade is not None:
            self.ctx.current = market
            self._call("on_trade", self._on_trade, Trade(market.instrument, ts_ns, price, lots, side, trade_id))

    def _read_quote(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        self._quoted(market, ts_ns, *QUOTE_ROW.unpack_from(block, at))

    def _read_book(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        n_bids, n_asks, bid, bid_lots, ask, ask_lots = BOOK_ROW.unpack_from(block, at)
        self._quoted(market, ts_ns, bid, bid_lots if n_bids else 0, ask, ask_lots if n_asks else 0)

    def _read_status(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        if STATUS_ROW.unpack_from(block, at)[0] != MarketStatus.LIVE:
            self._quoted(market, ts_ns, market.bid_ticks, 0, market.ask_ticks, 0)

    def _quoted(self, market: Market, ts_ns: int, bid: int, bid_lots: int, ask: int, ask_lots: int) -> None:
        if (
            bid == market.bid_ticks
            and bid_lots == market.bid_lots
            and ask == market.ask_ticks
            and ask_lots == market.ask_lots
        ):
            return
        market.bid_ticks, market.bid_lots, market.ask_ticks, market.ask_lots = bid, bid_lots, ask, ask_lots
        if self._from_quotes and bid_lots and ask_lots and market.builder is not None:
            market.builder.add_mid(ts_ns, bid, ask)
            self._next_close_ns = min(self._next_close_ns, market.builder.due_ns)
        if self._on_quote is not None:
            self.ctx.current = market
            self._call("on_quote", self._on_quote, Quote(market.instrument, ts_ns, bid, bid_lots, ask, ask_lots))

    def _read_bar(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        open_, high, low, close, volume, interval = BAR_ROW.unpack_from(block, at)
        market.last_ticks = close
        builder = market.builder
        assert builder is not None, "bars are only read for strategies that declare them"
        try:
            bars = list(builder.add_bar(ts_ns, interval, (open_, high, low, close, volume)))
        except BarError as error:
            raise StrategyFailed(self.name, "its bars", f"{error}\n") from error
        for bar in bars:
            self._closed(market, bar)
        if builder.due_ns < self._next_close_ns:
            self._next_close_ns = builder.due_ns

    def _read_definition(self, market: Market, block: Any, at: int, ts_ns: int) -> None:
        version, *values = DEFINITION_ROW.unpack_from(block, at)
        market.define(redefined(market.instrument, version, dict(zip(DEFINITION_FIELDS, values, strict=True))))

    # ---- bars ----

    def _close_bars(self, ts_ns: int) -> None:
        """Close what time has ended, in the order of instruments, and find out when the next bar is due."""
        self._next_close_ns = NEVER_NS
        for market in self.markets:
            if market.builder is not None:
                bar = market.builder.advance(ts_ns)
                if bar is not None:
                    self._closed(market, bar)
        self.find_next_close()

    def find_next_close(self) -> None:
        """Work out when the next bar is due."""
        due = [market.builder.due_ns for market in self.markets if market.builder is not None]
        self._next_close_ns = min(due, default=NEVER_NS)

    def _closed(self, market: Market, bar: Bar) -> None:
        times, per = market.tick_ratio
        lots_times, lots_per = market.lot_ratio
        if market.features.names:
            market.features.add(
                bar.open_ticks * times / per,
                bar.high_ticks * times / per,
                bar.low_ticks * times / per,
                bar.close_ticks * times / per,
                bar.volume_lots * lots_times / lots_per,
            )
        market.n_bars += 1
        if self._on_bar is not None and market.n_bars >= self._warm_up:
            self.ctx.current = market
            self._call("on_bar", self._on_bar, bar)

    # ---- user code ----

    def _start(self) -> None:
        self.started = True
        if overrides(type(self.strategy), "on_start"):
            self.ctx.current = None
            self._call("on_start", lambda ctx, _: self.strategy.on_start(ctx), None)

    def _call(self, callback: str, function: Callable[[Context, Any], None], event: Any) -> None:
        try:
            function(self.ctx, event)
        except (Exception, SystemExit) as error:
            own = error.__traceback__.tb_next if error.__traceback__ is not None else None
            text = "".join(traceback.format_exception(type(error), error, own))
            raise StrategyFailed(self.name, callback, text) from error

    def _drained(self) -> list[np.ndarray]:
        commands = self.ctx.commands
        if not commands:
            return []
        self.ctx.commands = []
        return commands


def _chosen(strategy: type[Strategy], instruments: Sequence[Instrument]) -> list[Instrument]:
    """The instruments that a strategy declares, by number; StrategyError if one is missing or there are none."""
    by_symbol = {row.symbol: row for row in instruments}
    if strategy.instruments != ALL:
        missing = [symbol for symbol in strategy.instruments if symbol not in by_symbol]
        if missing:
            raise StrategyError(
                f"{title(strategy)} trades {', '.join(missing)}, which this run does not bring; it brings "
                f"{', '.join(by_symbol) or 'nothing'}: change the strategy's instruments or the run's --symbols"
            )
        by_symbol = {symbol: by_symbol[symbol] for symbol in strategy.instruments}
    if not by_symbol:
        raise StrategyError(f"{title(strategy)} has no instrument to trade; the run brings none")
    return sorted(by_symbol.values(), key=lambda row: row.number)
