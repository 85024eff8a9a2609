"""Hand-made inputs and outputs for a host: what the fold would show it, one record at a time."""

from decimal import Decimal
from typing import Any

import numpy as np

from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import command, define_instrument
from paperdesk.domain.events import (
    INPUT,
    OUTPUT,
    InputKind,
    Liquidity,
    MarketStatus,
    OrderType,
    OutputKind,
    Side,
    TimeInForce,
    inputs,
)
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import CAPITAL, FEES, FREE, RESERVED, VENUE, Purpose
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import build

BTC_ASSET, USDT, ETH_ASSET = Asset(0, "BTC", 8), Asset(1, "USDT", 8), Asset(2, "ETH", 8)
BTC = Instrument(0, 1, "BTC/USDT", "test", BTC_ASSET, USDT, Decimal("0.01"), Decimal("0.001"))
ETH = Instrument(1, 1, "ETH/USDT", "test", ETH_ASSET, USDT, Decimal("0.5"), Decimal("0.01"))
ACCOUNT, BOT = 0, 1
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_700_000_040 * SECOND
"""A whole minute of engine time (in fact 2023-11-14 22:14:00 UTC)."""


def host_of(
    strategy: type[Strategy],
    parameters: dict[str, object] | None = None,
    instruments: tuple[Instrument, ...] = (BTC, ETH),
) -> BotHost:
    """A host of a strategy as bot 1 of account 0."""
    return BotHost(build(strategy, parameters), ACCOUNT, BOT, instruments)


def at(row: np.ndarray, ts_ns: int) -> np.ndarray:
    """The input stamped with a time."""
    row["ts_seq_ns"] = row["ts_event_ns"] = ts_ns
    return row


def trade(
    ts_ns: int, price: int, lots: int = 1, side: int = Side.BUY, number: int = 0, trade_id: int = 0
) -> np.ndarray:
    """A TRADE input."""
    fields = {"trade_price_ticks": price, "trade_qty_lots": lots, "trade_id": trade_id}
    return at(command(InputKind.TRADE, instrument=number, side=side, **fields), ts_ns)


def quote(ts_ns: int, bid: int, bid_lots: int, ask: int, ask_lots: int, number: int = 0) -> np.ndarray:
    """A QUOTE input."""
    fields = {"bid_ticks": bid, "bid_lots": bid_lots, "ask_ticks": ask, "ask_lots": ask_lots}
    return at(command(InputKind.QUOTE, instrument=number, **fields), ts_ns)


def book(ts_ns: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]], number: int = 0) -> np.ndarray:
    """A BOOK input of (ticks, lots) levels, best first."""
    row = inputs(1)
    row["kind"], row["instrument"], row["n_bids"], row["n_asks"] = InputKind.BOOK, number, len(bids), len(asks)
    for side, levels in (("bids", bids), ("asks", asks)):
        for place, (ticks, lots) in enumerate(levels):
            row[side + "_ticks"][0, place], row[side + "_lots"][0, place] = ticks, lots
    return at(row, ts_ns)


def bar(close_ns: int, ohlcv: tuple[int, int, int, int, int], interval_ns: int = MINUTE, number: int = 0) -> np.ndarray:
    """A BAR input that closes at `close_ns`."""
    names = ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots")
    fields = dict(zip(names, ohlcv, strict=True))
    row = command(InputKind.BAR, instrument=number, interval_ns=interval_ns, **fields)
    return at(row, close_ns)


def timer(ts_ns: int) -> np.ndarray:
    """A TIMER input."""
    return at(command(InputKind.TIMER), ts_ns)


def status(ts_ns: int, value: MarketStatus, number: int = 0) -> np.ndarray:
    """A MARKET_STATUS input."""
    return at(command(InputKind.MARKET_STATUS, instrument=number, status=value), ts_ns)


def definition(ts_ns: int, instrument: Instrument) -> np.ndarray:
    """A DEFINE_INSTRUMENT input."""
    return at(define_instrument(instrument), ts_ns)


def out(kind: OutputKind, **fields: int) -> np.ndarray:
    """One OUTPUT record, shape (1,), of the test's account and bot unless said otherwise."""
    row = np.zeros(1, OUTPUT)
    row["kind"], row["account"], row["bot"] = kind, ACCOUNT, BOT
    for name, value in fields.items():
        row[name] = value
    return row


def outs(*rows: np.ndarray) -> np.ndarray:
    """Several outputs as one array (concatenate would lay the record out anew)."""
    return np.frombuffer(b"".join(row.tobytes() for row in rows), OUTPUT)


def block(*rows: np.ndarray) -> np.ndarray:
    """Several inputs as one block."""
    return np.frombuffer(b"".join(row.tobytes() for row in rows), INPUT)


def posted(purpose: Purpose, asset: Asset, units: int, **fields: int) -> np.ndarray:
    """A POSTING between the two buckets of its purpose."""
    source, target = {
        Purpose.OPENING: (CAPITAL, FREE),
        Purpose.RESERVE: (FREE, RESERVED),
        Purpose.RELEASE: (RESERVED, FREE),
        Purpose.PAY: (RESERVED, VENUE),
        Purpose.RECEIVE: (VENUE, FREE),
        Purpose.FEE: (FREE, FEES),
        Purpose.CLOSING: (FREE, CAPITAL),
    }[purpose]
    names: dict[str, Any] = {"asset": asset.number, "source_bucket": source, "target_bucket": target}
    return out(OutputKind.POSTING, amount_units=units, purpose=purpose, **names, **fields)


def submitted(order: np.ndarray, order_id: int, ts_ns: int = T0) -> np.ndarray:
    """ORDER_SUBMITTED for a SUBMIT_ORDER command."""
    names = ("side", "order_type", "time_in_force", "instrument", "version", "price_ticks", "qty_lots", "trigger_ticks")
    fields = {name: int(order[name][0]) for name in (*names, "client_id", "account", "bot")}
    return out(OutputKind.ORDER_SUBMITTED, order_id=order_id, ts_seq_ns=ts_ns, **fields)


def about(
    kind: OutputKind, order: np.ndarray, order_id: int, reason: Reason = Reason.NONE, **fields: int
) -> np.ndarray:
    """A fact about an order."""
    shared = {name: int(order[name][0]) for name in ("side", "instrument", "client_id")}
    return out(kind, order_id=order_id, reason=reason, **{**shared, **fields})


def filled(order: np.ndarray, order_id: int, price: int, lots: int, fee_units: int = 0, ts_ns: int = T0) -> np.ndarray:
    """FILL of a SUBMIT_ORDER command; the fee is of what comes in."""
    buying = int(order["side"][0]) == Side.BUY
    instrument = (BTC, ETH)[int(order["instrument"][0])]
    fields = instrument.fields()
    names = {"side": int(order["side"][0]), "instrument": instrument.number, "order_id": order_id, "ts_seq_ns": ts_ns}
    money = {"quote_units": price * lots * fields["num"] // fields["den"], "fee_units": fee_units}
    fee_asset = (instrument.base if buying else instrument.quote).number
    return out(
        OutputKind.FILL,
        fill_price_ticks=price,
        fill_lots=lots,
        liquidity=Liquidity.TAKER,
        fee_asset=fee_asset,
        **names,
        **money,
    )


def limit(side: Side, price: int, lots: int, client_id: int = 0, number: int = 0) -> np.ndarray:
    """A SUBMIT_ORDER command made by hand, as another hand than the strategy's would send it."""
    terms = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC, "client_id": client_id}
    owner = {"account": ACCOUNT, "bot": BOT, "instrument": number, "version": 1}
    return command(InputKind.SUBMIT_ORDER, side=side, price_ticks=price, qty_lots=lots, **terms, **owner)


def funded(host: BotHost, usdt: int = 10_000, btc: int = 0) -> BotHost:
    """The host after the opening of its account with whole USDT and BTC."""
    rows = [out(OutputKind.ACCOUNT_OPENED, bot=0), posted(Purpose.OPENING, USDT, usdt * 10**8, bot=0)]
    if btc:
        rows.append(posted(Purpose.OPENING, BTC_ASSET, btc * 10**8, bot=0))
    host.follow(outs(*rows))
    return host
