"""The host: who is called when, what the view holds after each fact, and what comes out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.strategies.rows import (
    BTC,
    BTC_ASSET,
    ETH,
    MINUTE,
    SECOND,
    T0,
    USDT,
    about,
    bar,
    block,
    book,
    definition,
    filled,
    funded,
    host_of,
    limit,
    out,
    outs,
    posted,
    quote,
    status,
    submitted,
    timer,
    trade,
)

from paperdesk.domain.events import InputKind, Liquidity, MarketStatus, OutputKind, Side
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.features.bars import Bar
from paperdesk.features.basic import sma
from paperdesk.ledger.journal import Purpose
from paperdesk.strategies.api import Strategy, StrategyError
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Fill, Quote, Refusal, Trade
from paperdesk.strategies.host import BotHost, StrategyFailed


class Diary(Strategy):
    """Writes down everything it is told."""

    bars = "1m"

    def on_start(self, ctx: Context) -> None:
        ctx.memory["told"] = ["start"]

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        ctx.memory["told"].append(("bar", bar.symbol, bar.close_ns, bar.close_ticks, ctx.ts_ns))

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        ctx.memory["told"].append(("trade", trade.symbol, trade.price, trade.quantity, trade.side, trade.trade_id))

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        ctx.memory["told"].append(("quote", quote.symbol, quote.bid, quote.ask))

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        ctx.memory["told"].append(("fill", fill.handle, fill.price, fill.quantity, fill.remaining_lots))

    def on_refusal(self, ctx: Context, refusal: Refusal) -> None:
        ctx.memory["told"].append((refusal.what.name, refusal.reason.name, refusal.handle, refusal.symbol))


class Idle(Strategy):
    """Wants nothing."""


def shown(host: BotHost, row: np.ndarray, *outputs: np.ndarray) -> list[np.ndarray]:
    """Let the host see one input and what it caused."""
    return host.decide(int(row["kind"][0]), row, 0, outs(*outputs) if outputs else None)


def told(host: BotHost) -> list[Any]:
    """What the diary holds since the last look."""
    rows: list[Any] = host.ctx.memory["told"]
    host.ctx.memory["told"] = []
    return rows


def doing(callback: str, action: Callable[[Context], object]) -> BotHost:
    """A funded host whose strategy does one thing in one callback."""

    def react(self: Strategy, ctx: Context, event: object) -> None:
        action(ctx)

    body: dict[str, Any] = {"bars": "1m" if callback == "on_bar" else None, callback: react, "quotes": True}
    if callback == "on_start":
        body[callback] = lambda self, ctx: action(ctx)
    return funded(host_of(type("Doer", (Strategy,), body)), 10_000, 1)


# ---- who is called ----


def test_only_what_is_overridden_is_wanted() -> None:
    names = {kind.name for kind in map(InputKind, host_of(Idle).kinds)}
    assert names == {"DEFINE_INSTRUMENT"}
    names = {kind.name for kind in map(InputKind, host_of(Diary).kinds)}
    assert names == {"DEFINE_INSTRUMENT", "TRADE", "BAR", "TIMER", "QUOTE", "BOOK", "MARKET_STATUS"}

    class FromQuotes(Strategy):
        bars = "1m"
        bars_from = "quotes"

        def on_bar(self, ctx: Context, bar: Bar) -> None:
            """Nothing."""

    names = {kind.name for kind in map(InputKind, host_of(FromQuotes).kinds)}
    assert names == {"DEFINE_INSTRUMENT", "TIMER", "QUOTE", "BOOK", "MARKET_STATUS"}


def test_one_event_after_another_is_told_in_the_fixed_order() -> None:
    host = host_of(Diary)
    shown(host, trade(T0 + 1, 10_000, 2, Side.SELL, trade_id=7))
    assert told(host) == ["start", ("trade", "BTC/USDT", Decimal(100), Decimal("0.002"), Side.SELL, 7)]
    order = limit(Side.BUY, 9_900, 3)
    shown(
        host,
        trade(T0 + MINUTE, 9_000, 1, trade_id=8),
        submitted(order, 4),
        filled(order, 4, 9_900, 3),
    )
    assert told(host) == [
        ("fill", -4, Decimal(99), Decimal("0.003"), 0),
        ("bar", "BTC/USDT", T0 + MINUTE, 10_000, T0 + MINUTE),
        ("trade", "BTC/USDT", Decimal(90), Decimal("0.001"), Side.BUY, 8),
    ]


def test_time_closes_bars_whatever_brings_it_in_the_order_of_instruments() -> None:
    host = host_of(Diary)
    shown(host, trade(T0 + 2, 40, number=1))
    shown(host, trade(T0 + 3, 100))
    told(host)
    shown(host, timer(T0 + 61 * SECOND))
    ends = (
        ("bar", "BTC/USDT", T0 + MINUTE, 100, T0 + 61 * SECOND),
        ("bar", "ETH/USDT", T0 + MINUTE, 40, T0 + 61 * SECOND),
    )
    assert told(host) == list(ends)
    shown(host, timer(T0 + 180 * SECOND))
    assert told(host) == []


def test_bars_of_a_feed_reach_on_bar() -> None:
    host = host_of(Diary)
    shown(host, bar(T0 + MINUTE, (1, 5, 1, 4, 10)))
    shown(host, bar(T0 + MINUTE, (7, 7, 7, 7, 10), number=1))
    assert told(host)[1:] == [
        ("bar", "BTC/USDT", T0 + MINUTE, 4, T0 + MINUTE),
        ("bar", "ETH/USDT", T0 + MINUTE, 7, T0 + MINUTE),
    ]
    assert host.ctx.last_price("BTC/USDT") == Decimal("0.04")


def test_bars_from_before_warm_indicators_up_and_call_nobody() -> None:
    class Average(Diary):
        bars = "2m"
        features: ClassVar[dict[str, Any]] = {"mean": sma(3)}

        def on_bar(self, ctx: Context, bar: Bar) -> None:
            ctx.memory["told"].append((bar.close_ns, ctx.feature("mean")))

    host = host_of(Average)
    start = T0 - T0 % (2 * MINUTE)
    closes = [100, 200, 300, 400, 500, 600]
    host.warm(
        (BTC.number, start + place * MINUTE, MINUTE, close, close, close, close, 1)
        for place, close in enumerate(closes, start=-5)
    )
    assert not host.started and "told" not in host.ctx.memory, "the strategy was not called"
    market = host.view.by_symbol[BTC.symbol]
    assert market.n_bars == 3
    cold = host_of(Average)
    cold.warm([(BTC.number, start, 7 * SECOND, 1, 1, 1, 1, 1)])
    assert cold.view.by_symbol[BTC.symbol].n_bars == 0, "bars that do not divide the wanted interval say nothing"


def test_smaller_bars_are_put_together() -> None:
    class FiveMinutes(Diary):
        bars = "5m"

    host = host_of(FiveMinutes)
    start = T0 - T0 % (5 * MINUTE)
    for minute in range(1, 6):
        shown(host, bar(start + minute * MINUTE, (minute, minute, minute, minute, 1)))
    assert told(host)[1:] == [("bar", "BTC/USDT", start + 5 * MINUTE, 5, start + 5 * MINUTE)]


def test_quotes_and_books_tell_changes_of_the_best_levels_only() -> None:
    host = host_of(Diary)
    shown(host, quote(T0, 9_999, 5, 10_001, 6))
    shown(host, quote(T0, 9_999, 5, 10_001, 6))
    shown(host, book(T0, [(9_999, 5), (9_998, 1)], [(10_001, 6)]))
    shown(host, book(T0, [(9_999, 4)], []))
    assert told(host)[1:] == [
        ("quote", "BTC/USDT", Decimal("99.99"), Decimal("100.01")),
        ("quote", "BTC/USDT", Decimal("99.99"), None),
    ]
    assert host.ctx.best_bid("BTC/USDT") == Decimal("99.99")
    assert host.ctx.best_ask("BTC/USDT") is None
    shown(host, status(T0, MarketStatus.GAP))
    shown(host, status(T0, MarketStatus.STALE))
    assert told(host) == [("quote", "BTC/USDT", None, None)]
    shown(host, status(T0, MarketStatus.LIVE))
    assert told(host) == []


def test_bars_can_be_made_of_quotes() -> None:
    class FromQuotes(Diary):
        bars_from = "quotes"

    host = host_of(FromQuotes)
    shown(host, quote(T0, 100, 1, 103, 1))
    shown(host, quote(T0 + 1, 100, 0, 103, 1))
    shown(host, trade(T0 + 2, 500))
    told(host)
    shown(host, timer(T0 + MINUTE))
    assert told(host) == [("bar", "BTC/USDT", T0 + MINUTE, 101, T0 + MINUTE)]


def test_events_that_the_desk_refused_and_instruments_of_others_are_not_told() -> None:
    host = host_of(Diary, instruments=(BTC,))
    shown(host, trade(T0, -5), out(OutputKind.EVENT_REFUSED, account=-1, reason=Reason.BAD_EVENT))
    shown(host, trade(T0, 5, number=1))
    shown(host, limit(Side.BUY, 1, 1))
    assert told(host) == ["start"]
    assert host.ctx.last_price("BTC/USDT") is None


def test_a_block_of_many_rows_is_read_at_the_index() -> None:
    host = host_of(Diary)
    rows = block(trade(T0, 1), trade(T0, 2), trade(T0, 3))
    host.decide(InputKind.TRADE, rows, 1)
    host.decide(InputKind.TRADE, rows[2:], 0)
    assert [row[2] for row in told(host)[1:]] == [Decimal("0.02"), Decimal("0.03")]


def test_warm_up_waits_for_the_features_or_longer() -> None:
    class Warm(Strategy):
        bars = "1m"
        features: ClassVar = {"mean": sma(3)}

        def on_bar(self, ctx: Context, bar: Bar) -> None:
            ctx.memory.setdefault("means", []).append(ctx.feature("mean"))
            assert ctx.feature("mean", "BTC/USDT") == ctx.feature("mean")

    host = host_of(Warm)
    for minute in range(1, 6):
        assert host.ctx.is_warm("BTC/USDT") == (minute > 3)
        shown(host, bar(T0 + minute * MINUTE, (0, 100 * minute, 0, 100 * minute, 1)))
    assert host.ctx.memory["means"] == [2.0, 3.0, 4.0], "prices as floats, not ticks"
    longer = host_of(type("Longer", (Warm,), {"warm_up": 5}))
    for minute in range(1, 6):
        shown(longer, bar(T0 + minute * MINUTE, (0, 100, 0, 100, 1)))
    assert longer.ctx.memory["means"] == [1.0]


def test_a_strategy_without_on_bar_may_still_use_features() -> None:
    class Reader(Strategy):
        bars = "1m"
        features: ClassVar = {"mean": sma(2)}

    host = host_of(Reader)
    shown(host, bar(T0 + MINUTE, (1, 1, 1, 100, 1)))
    with pytest.raises(LookupError, match="feature 'mean' of BTC/USDT is not warm after 1 bars"):
        host.ctx.feature("mean", "BTC/USDT")
    with pytest.raises(LookupError, match="no instrument is concerned here"):
        host.ctx.feature("mean")
    with pytest.raises(LookupError, match="there is no feature 'slow'; declared are: mean"):
        host.ctx.feature("slow", "BTC/USDT")


# ---- the view ----


def test_orders_positions_and_balances_follow_the_outputs() -> None:
    host = doing("on_trade", lambda ctx: ctx.buy("BTC/USDT", "0.010", 100) if not ctx.open_orders else None)
    (order,) = shown(host, trade(T0, 10_000))
    ctx = host.ctx
    assert ctx.open_orders[1].status == OrderStatus.NONE
    host.observe(outs(submitted(order, 9), posted(Purpose.RESERVE, USDT, 10**8, order_id=9)))
    assert (ctx.open_orders[1].status, ctx.open_orders[1].order_id) == (OrderStatus.SUBMITTED, 9)
    assert ctx.balance("USDT") == (Decimal(9_999), Decimal(1)) and ctx.balance("USDT").total == 10_000
    host.observe(outs(about(OutputKind.ORDER_ACCEPTED, order, 9)))
    assert ctx.open_orders[1].status == OrderStatus.ACCEPTED
    assert host.observe(outs(about(OutputKind.ORDER_TRIGGERED, order, 9))) == []
    host.observe(
        outs(
            filled(order, 9, 10_000, 4, fee_units=400),
            posted(Purpose.PAY, USDT, 4 * 10**7),
            posted(Purpose.RECEIVE, BTC_ASSET, 400_000),
            posted(Purpose.FEE, BTC_ASSET, 400),
        )
    )
    live = ctx.open_orders[1]
    assert (live.status, live.filled_lots, live.remaining_lots) == (OrderStatus.PARTIALLY_FILLED, 4, 6)
    assert ctx.position("BTC/USDT") == Decimal("0.003996") and ctx.position_lots("BTC/USDT") == 3
    assert ctx.balance("BTC").free == Decimal("1.003996")
    assert ctx.balance("USDT") == (Decimal(9_999), Decimal("0.6"))
    host.observe(outs(filled(order, 9, 10_000, 6)))
    assert dict(ctx.open_orders) == {} and ctx.position("BTC/USDT") == Decimal("0.009996")


def test_sales_make_the_position_negative_and_lots_round_towards_zero() -> None:
    host = doing("on_trade", lambda ctx: None)
    order = limit(Side.SELL, 10_000, 5)
    host.follow(outs(submitted(order, 1), filled(order, 1, 10_000, 5, fee_units=7)))
    assert host.ctx.position("BTC/USDT") == Decimal("-0.005"), "the fee of a sale is in the quote asset"
    host.view.markets[0].position_units -= 1
    assert host.ctx.position_lots("BTC/USDT") == -5


def test_facts_of_other_accounts_bots_and_instruments_change_nothing() -> None:
    host = doing("on_trade", lambda ctx: None)
    order = limit(Side.BUY, 10_000, 5)
    before = host.snapshot()
    other_bot, unknown = submitted(order, 1), submitted(order, 2)
    other_bot["bot"], unknown["instrument"] = 2, 9
    elsewhere = posted(Purpose.OPENING, USDT, 5)
    elsewhere["account"] = 3
    stranger = filled(order, 2, 10_000, 1)
    stranger["instrument"] = 9
    host.follow(outs(other_bot, unknown, elsewhere, stranger, about(OutputKind.ORDER_ACCEPTED, order, 77)))
    assert host.snapshot() == before
    host.decide(InputKind.TIMER, timer(0), 0, outs(elsewhere))
    host.follow(outs(posted(Purpose.RESERVE, USDT, 10**8, bot=2)))
    assert host.ctx.balance("USDT").reserved == 1, "balances are the account's, whichever bot moved them"


def test_an_epoch_begins_with_no_position() -> None:
    host = doing("on_trade", lambda ctx: None)
    order = limit(Side.BUY, 10_000, 5)
    host.follow(outs(submitted(order, 1), filled(order, 1, 10_000, 5)))
    host.follow(outs(posted(Purpose.CLOSING, USDT, 10_000 * 10**8), out(OutputKind.EPOCH_STARTED, bot=0)))
    assert host.ctx.position("BTC/USDT") == 0 and host.ctx.balance("USDT").total == 0


def test_a_fill_tells_its_story() -> None:
    seen: list[Fill] = []

    class Keeper(Strategy):
        def on_fill(self, ctx: Context, fill: Fill) -> None:
            seen.append(fill)

    host = host_of(Keeper)
    order = limit(Side.BUY, 10_000, 5)
    host.observe(outs(submitted(order, 1), filled(order, 1, 10_000, 2, fee_units=200, ts_ns=T0 + 5)))
    (fill,) = seen
    assert (fill.symbol, fill.price, fill.quantity, fill.fee, fill.fee_asset.name) == (
        "BTC/USDT",
        Decimal(100),
        Decimal("0.002"),
        Decimal("0.000002"),
        "BTC",
    )
    assert fill.is_buy and not fill.is_maker and fill.liquidity == Liquidity.TAKER
    assert (fill.ts_ns, fill.order_id, fill.handle, fill.remaining_lots) == (T0 + 5, 1, -1, 3)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (OutputKind.ORDER_DENIED, Reason.INSUFFICIENT_BALANCE),
        (OutputKind.ORDER_REJECTED, Reason.MIN_NOTIONAL),
        (OutputKind.ORDER_EXPIRED, Reason.IOC_REMAINDER),
        (OutputKind.ORDER_CANCELED, Reason.KILL_SWITCH),
    ],
)
def test_every_end_without_a_fill_is_told_with_its_reason(kind: OutputKind, reason: Reason) -> None:
    class Buyer(Diary):
        def on_trade(self, ctx: Context, trade: Trade) -> None:
            ctx.buy("BTC/USDT", 1, 100)

    host = host_of(Buyer)
    (order,) = shown(host, trade(T0, 10_000))
    told(host)
    if kind != OutputKind.ORDER_DENIED:
        host.observe(outs(submitted(order, 3)))
    host.observe(outs(about(kind, order, 3, reason)))
    assert told(host) == [(kind.name, reason.name, 1, "BTC/USDT")]
    assert dict(host.ctx.open_orders) == {} and host.view.handle_of == {}


def test_a_cancel_of_ones_own_is_not_told_and_a_rejected_one_is() -> None:
    host = host_of(Diary)
    order = limit(Side.BUY, 10_000, 5)
    shown(host, timer(T0), submitted(order, 1), submitted(order, 2))
    told(host)
    host.observe(outs(about(OutputKind.CANCEL_REQUESTED, order, 1), about(OutputKind.CANCEL_REQUESTED, order, 2)))
    assert all(order.is_canceling for order in host.ctx.open_orders.values())
    host.observe(outs(about(OutputKind.ORDER_CANCELED, order, 1, Reason.USER_CANCELED)))
    assert told(host) == [] and list(host.ctx.open_orders) == [-2]
    host.observe(outs(about(OutputKind.CANCEL_REJECTED, order, 2, Reason.CANCEL_PENDING)))
    assert told(host) == [("CANCEL_REJECTED", "CANCEL_PENDING", -2, "BTC/USDT")]
    assert not host.ctx.open_orders[-2].is_canceling
    host.observe(outs(about(OutputKind.CANCEL_REJECTED, order, 99, Reason.UNKNOWN_ORDER)))
    assert told(host) == [("CANCEL_REJECTED", "UNKNOWN_ORDER", 0, "BTC/USDT")]


def test_a_refused_command_ends_the_oldest_order_without_a_number() -> None:
    class Buyer(Diary):
        def on_trade(self, ctx: Context, trade: Trade) -> None:
            ctx.buy("ETH/USDT", 1)
            ctx.buy("BTC/USDT", 1)
            ctx.buy("BTC/USDT", 2)

    host = host_of(Buyer)
    shown(host, trade(T0, 1))
    told(host)
    refusal = out(OutputKind.COMMAND_REFUSED, reason=Reason.UNKNOWN_BOT, cause=InputKind.SUBMIT_ORDER)
    host.observe(outs(refusal))
    assert told(host) == [("COMMAND_REFUSED", "UNKNOWN_BOT", 2, "BTC/USDT")]
    host.observe(outs(refusal))
    host.observe(outs(refusal))
    assert [row[2] for row in told(host)] == [3, 0] and list(host.ctx.open_orders) == [1]
    other = out(OutputKind.COMMAND_REFUSED, reason=Reason.UNKNOWN_INSTRUMENT, cause=InputKind.CANCEL_ALL, instrument=-1)
    host.observe(outs(other))
    assert told(host) == [("COMMAND_REFUSED", "UNKNOWN_INSTRUMENT", 0, "")]


def test_a_refusal_reads_as_a_sentence() -> None:
    refusal = Refusal(None, T0, OutputKind.ORDER_DENIED, Reason.COOLDOWN, 0, 0, 0)
    assert refusal.symbol == ""
    assert refusal.text.startswith("order_denied: cooldown: the cooldown after a loss has not passed; wait")


def test_answers_to_fills_come_back_from_observe() -> None:
    host = doing("on_fill", lambda ctx: ctx.sell("BTC/USDT", "0.001"))
    order = limit(Side.BUY, 10_000, 5)
    (answer,) = host.observe(outs(submitted(order, 1), filled(order, 1, 10_000, 5)))
    assert (int(answer["kind"][0]), int(answer["side"][0])) == (InputKind.SUBMIT_ORDER, Side.SELL)
    assert host.observe(outs()) == []


def test_commands_of_others_move_time_too() -> None:
    host = host_of(Diary)
    shown(host, timer(T0))
    host.observe(outs(posted(Purpose.OPENING, USDT, 1, ts_seq_ns=T0 + 5)))
    assert host.ctx.ts_ns == T0 + 5


def test_what_is_followed_is_not_told() -> None:
    host = host_of(Diary)
    order = limit(Side.BUY, 10_000, 5, client_id=12)
    host.follow(outs(submitted(order, 1), filled(order, 1, 10_000, 5)))
    assert host.ctx.memory == {} and host.ctx.position("BTC/USDT") == Decimal("0.005")
    assert host.view.last_handle == 12, "handles are never given twice"


# ---- new versions of instruments ----


def test_a_new_definition_takes_hold_at_once() -> None:
    host = host_of(Diary)
    shown(host, quote(T0, 9_999, 5, 10_001, 6))
    shown(host, definition(T0, BTC._replace(version=2, maker_fee=Decimal("0.0002"), min_price=Decimal("0.05"))))
    now = host.ctx.instrument("BTC/USDT")
    assert (now.version, now.maker_fee, now.min_price, now.tick) == (2, Decimal("0.0002"), Decimal("0.05"), BTC.tick)
    assert host.ctx.best_bid("BTC/USDT") == Decimal("99.99"), "the same grid: prices still mean the same"
    shown(host, definition(T0, BTC._replace(version=3, tick=Decimal("0.1"))))
    assert host.ctx.best_bid("BTC/USDT") is None
    shown(host, trade(T0, 1_000))
    assert host.ctx.last_price("BTC/USDT") == 100
    host.ctx.buy_lots("BTC/USDT", 1, 5)
    (order,) = shown(host, timer(T0))
    assert int(order["version"][0]) == 3


def test_a_new_definition_can_come_by_hand() -> None:
    host = host_of(Idle, instruments=(BTC,))
    host.define(BTC._replace(version=2))
    host.define(ETH._replace(version=9))
    assert host.ctx.instrument("BTC/USDT").version == 2 and host.ctx.symbols == ("BTC/USDT",)


def test_an_unchanged_definition_survives_the_round_trip() -> None:
    exact = ETH._replace(min_quantity=Decimal("0.02"), min_notional=Decimal(10), max_price=Decimal(100_000))
    exact = exact._replace(max_notional=Decimal(9_000), max_notional_to_market=True, max_orders=200, max_algo_orders=5)
    exact = exact._replace(bid_multiplier_up=Decimal("1.3"), bid_multiplier_down=Decimal("0.2"))
    exact = exact._replace(ask_multiplier_up=Decimal(5), ask_multiplier_down=Decimal("0.7"))
    host = host_of(Idle, instruments=(BTC, exact))
    shown(host, definition(T0, exact))
    assert host.ctx.instrument("ETH/USDT") == exact


# ---- failures ----


def test_what_user_code_raises_comes_out_with_its_own_traceback() -> None:
    host = doing("on_trade", lambda ctx: 1 / 0)
    with pytest.raises(StrategyFailed, match="the strategy Doer failed in on_trade: ZeroDivisionError") as failure:
        shown(host, trade(T0, 1))
    assert (failure.value.bot, failure.value.callback) == ("Doer", "on_trade")
    assert "test_host.py" in failure.value.text and 'host.py", line' not in failure.value.text.replace(
        "test_host.py", ""
    )
    assert isinstance(failure.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("callback", ["on_start", "on_bar", "on_quote", "on_fill", "on_refusal"])
def test_every_callback_is_named_where_it_fails_even_if_it_wants_to_end_the_desk(callback: str) -> None:
    def leave(ctx: Context) -> None:
        raise SystemExit(3)

    host = doing(callback, leave)
    order = limit(Side.BUY, 10_000, 5)
    with pytest.raises(StrategyFailed, match=f"failed in {callback}: SystemExit: 3"):
        shown(host, bar(T0, (1, 1, 1, 1, 1)))
        shown(host, quote(T0, 1, 1, 2, 1))
        shown(host, timer(T0), submitted(order, 1), filled(order, 1, 10_000, 1))
        shown(host, timer(T0), about(OutputKind.ORDER_EXPIRED, order, 1, Reason.NO_LIQUIDITY))


def test_missing_instruments_are_named() -> None:
    class Wants(Strategy):
        instruments = ("BTC/USDT", "XRP/USDT")

    with pytest.raises(
        StrategyError, match=r"Wants trades XRP/USDT, which this run does not bring; it brings BTC/USDT, ETH"
    ):
        host_of(Wants)
    with pytest.raises(StrategyError, match="no instrument to trade"):
        host_of(Idle, instruments=())

    class One(Strategy):
        instruments = ("ETH/USDT",)

    host = host_of(One)
    assert host.instruments == {1} and host.ctx.symbols == ("ETH/USDT",) and host.name == "One"
