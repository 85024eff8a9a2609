"""What engine and api say to each other over their link, as msgpack.

The engine keeps the last outputs and notes in order; the api says from where on it wants them (`Subscribe`) and is sent all of them,
each once they are durable. `Market` and `Pulse` are pictures: a later one replaces an earlier one, and one that finds no room is not sent.
A `Request` is answered by one `Reply`, once what it did is durable; the same key again is answered the same way and does nothing more.

Prices are ticks, quantities lots, money asset units, times nanoseconds UTC, as in the log.
"""

from typing import Any, Final

import msgspec


class Told(msgspec.Struct, tag=True, array_like=True):
    """Anything said over the link."""


# ── engine to api


class Welcome(Told):
    """Answers `Subscribe`: what this desk is. `lost`: some of what came after the place asked for is no longer kept."""

    run: str
    boot: str
    """Identity of the engine's process: another one was started again."""
    label: str
    """LIVE MAINNET DATA, REPLAY or SIMULATED."""
    feed: str
    notice: str
    """What everybody must know about the source of prices, such as why it is simulated; may be empty."""
    seq: int
    lost: bool
    account: int
    reporting: str
    assets: list[dict[str, Any]]
    """Each as the log's note: number, name, scale."""
    instruments: list[dict[str, Any]]
    """Each as the log's note: number, version, symbol, venue, base, quote, tick, lot, maker_fee, taker_fee, origin."""
    bots: list[dict[str, Any]]
    """Each: bot (number), name, strategy, parameters (texts), isolated (whether it runs in a process of its own)."""
    wall: str
    """How the engine is closed in, in words."""
    product: str
    created_s: float
    after_seq: int = -1
    """The place that was asked for, so that an answer to an api that was here before is known as such; -1: nobody asked, an engine began."""
    accounts: list[dict[str, Any]] = []
    """Each: account (number), role (main, band, ghost), label, fill_model, bots (pairs of number and name); the desk's own first."""
    latency: str = ""
    """How long orders take to reach the venue, in words."""
    fees: str = ""
    """What fills cost, in words."""


class Outputs(Told):
    """Durable outputs in order: rows of `domain.layout.OUTPUT`, end to end."""

    rows: bytes


class Note(Told):
    """A durable note of the log, with the seq after which it stands. Types: request, bot_stopped, market, resumed, …"""

    seq: int
    note: dict[str, Any]


class MarketTold(msgspec.Struct, frozen=True, array_like=True):
    """One market as it is now."""

    instrument: int
    ts_ns: int
    status: int
    """domain.events.MarketStatus."""
    reason: int
    """domain.reasons.Reason, 0 while LIVE."""
    bids: list[tuple[int, int]]
    """(ticks, lots), best first, at most 20."""
    asks: list[tuple[int, int]]
    trades: list[tuple[int, int, int, int]]
    """Latest since the last picture, oldest first, at most 30: (ts_ns, side, ticks, lots)."""
    bars: list[tuple[int, int, int, int, int, int]]
    """One-minute bars that changed since the last picture, oldest first: (open_ns, open, high, low, close ticks, volume lots)."""


class Market(Told):
    """The markets that changed."""

    markets: list[MarketTold]


class Bars(Told):
    """One-minute bars from before, oldest first, sent after `Welcome` and when a warm-up brought them; as in MarketTold.bars."""

    instrument: int
    bars: list[tuple[int, int, int, int, int, int]]


class AccountTold(msgspec.Struct, frozen=True, array_like=True):
    """What an account is worth now; None where a price is missing or stale."""

    account: int
    equity_units: int | None


class Pulse(Told):
    """Once a second: how the desk is."""

    seq: int
    ts_seq_ns: int
    wall_ns: int
    """The machine's clock when this was said."""
    projected_seq: int
    """How far the SQL projections are."""
    market_inputs: int
    outputs: int
    commits: int
    commit_ms: float
    """The longest commit since the last pulse."""
    busy: float
    """Part of the last second that the engine spent working, 0 to 1."""
    rss_mb: float
    killed: bool
    accounts: list[AccountTold]
    marks: list[tuple[int, int]]
    """(instrument, mark price in ticks; 0: none)."""
    bots: list[tuple[int, str, str]]
    """(bot, running|paused|failed, what it failed with)."""
    feed: dict[str, Any]
    """The door's own words: connected, trouble, requests by host, path and verdict, messages, lag …; empty without a door."""


class Reply(Told):
    """To a `Request`. `code`: done (outputs tell what came of it), refused (`reason`, `text`), conflict (the key was used for something else)."""

    request: int
    code: str
    seq: int
    """The input that the command became; 0 where it became none."""
    reason: int
    text: str
    outputs: bytes
    """Rows of OUTPUT that it caused, perhaps none; the first MOST_ROWS, all of which come as `Outputs` too."""
    repeated: bool


FromEngine = Welcome | Outputs | Note | Market | Bars | Pulse | Reply


# ── api to engine


class Subscribe(Told):
    """From now on, everything durable after an input; 0: all that is kept."""

    after_seq: int


class SubmitOrder(Told):
    """Numbers as decimal texts, in the instrument's own units; what is off the grid is refused by the desk, on record."""

    instrument: int
    side: str
    """buy or sell."""
    order_type: str
    """market, limit, stop_market, stop_limit, take_profit_market or take_profit_limit."""
    quantity: str
    price: str | None = None
    trigger_price: str | None = None
    time_in_force: str | None = None
    """gtc, ioc, fok or gtd; None: as usual for the type."""
    post_only: bool = False
    expire_ns: int | None = None
    """A deadline in engine time; None: none."""
    reduce_only: bool = False
    quote_quantity: str | None = None
    """Instead of a quantity (then "0")."""
    trail_bips: int | None = None
    """Follow the price at this distance; a trigger_price is then the price from which on, and may be left out."""
    visible_quantity: str | None = None
    """Show only so much at a time; None: all."""
    self_trade: str | None = None
    """none, expire_maker, expire_taker, expire_both or decrement; None: as the account says."""


class SubmitList(Told):
    """Orders that hang together."""

    instrument: int
    kind: str
    """oco, oto or otoco."""
    legs: list[SubmitOrder]
    """In the order of docs/venue-rules.md, section 11."""


class CancelOrder(Told):
    """Ask for the end of one order."""

    order_id: int


class AmendOrder(Told):
    """Ask for a smaller quantity of one order, as decimal text."""

    order_id: int
    quantity: str


class CancelAll(Told):
    """Ask for the end of all live orders of the account, of one instrument or of all (-1)."""

    instrument: int = -1


class Kill(Told):
    """The kill switch: no new orders, live ones canceled; of one bot, or of the whole desk (-1)."""

    bot: int = -1


class Resume(Told):
    """Lifts a kill of the same scope."""

    bot: int = -1


Wanted = SubmitOrder | SubmitList | AmendOrder | CancelOrder | CancelAll | Kill | Resume


class Request(Told):
    """A command. `key`: chosen by whoever wants it done once (up to 128 characters); `request`: the api's own number, to find the answer by."""

    request: int
    key: str
    what: Wanted


FromApi = Subscribe | Request

# ── supervisor to api


class ProcessTold(msgspec.Struct, frozen=True, array_like=True):
    """One process of the family."""

    name: str
    """door, engine or api."""
    pid: int
    state: str
    """running, restarting or stopped."""
    restarts: int
    started_s: float
    rss_mb: float
    last_end: str
    """How it ended last time, in words; empty where it never did."""


class Family(Told):
    """Once a second, and at every change."""

    processes: list[ProcessTold]
    door_wall: str = ""
    """Of a door that carries notes alone, in words; one with a market tells its own in `Pulse.feed`."""
    door_calls: list[tuple[str, str, str, int]] = []
    """(host, path, verdict, how many), of the same."""
    notes: list[tuple[str, str, int]] = []
    """(receiver's host, sent|failed|dropped, how many)."""


ENCODER: Final = msgspec.msgpack.Encoder()
FROM_ENGINE: Final = msgspec.msgpack.Decoder(FromEngine)
FROM_API: Final = msgspec.msgpack.Decoder(FromApi)
FROM_SUPERVISOR: Final = msgspec.msgpack.Decoder(Family)
MOST_ROWS: Final = 500
"""Outputs of one message."""
