"""The JSON of what moves: markets, events, commands and their answers, health, and every message of the stream.

Shapes and habits are those of `models.py`.
"""

from typing import Annotated, Any, Literal

import msgspec

from paperdesk.api.models import (
    Bot,
    Desk,
    Engine,
    Level,
    MarketState,
    OrderTypeText,
    Process,
    Refusal,
    Severity,
    SideText,
    State,
    StatusText,
    TimeInForceText,
)
from paperdesk.api.models_accounts import Account, Answer, SelfTradeText
from paperdesk.api.models_lists import ListKindText

# ── markets


class Trade(Answer):
    """A public print. `side`: the aggressor's; null where the venue does not say."""

    time: str
    ts_ns: str
    side: SideText | None
    price: str
    quantity: str


class Bar(Answer):
    """One minute. `open_s`: when it began, in seconds since 1970."""

    open_s: int
    open: str
    high: str
    low: str
    close: str
    volume: str


class Book(Answer):
    """A market as it is: depth (at most 20 levels a side, best first), latest trades (newest last), minute bars that changed."""

    instrument: int
    symbol: str
    time: str
    ts_ns: str
    status: MarketState
    status_reason: Refusal | None
    bids: list[Level]
    asks: list[Level]
    trades: list[Trade]
    bars: list[Bar]


class Bars(Answer):
    """Minute bars, oldest first; the last one may still be open."""

    instrument: int
    symbol: str
    interval_s: int
    bars: list[Bar]


# ── events


class OrderTerms(Answer):
    """What an event says of an order's terms."""

    side: SideText
    order_type: OrderTypeText
    time_in_force: TimeInForceText
    post_only: bool
    reduce_only: bool
    price: str | None
    trigger_price: str | None
    trail_bips: int | None
    visible_quantity: str | None
    quantity: str | None
    expire_ns: str | None


class FillTold(Answer):
    """What an event says of a fill."""

    fill: int
    side: SideText
    liquidity: Literal["maker", "taker"]
    price: str
    quantity: str
    quote_amount: str
    quote_asset: str
    fee: str
    fee_asset: str
    realized_pnl: str
    rule: str


class Event(Answer):
    """A fact. `id` is its place, seq.number: give the last one seen to `after`, and what comes next is told."""

    id: str
    seq: int
    number: int
    time: str
    ts_ns: str
    kind: str
    """An output of the fold (docs/api.md lists them), or a note of the log: bot_stopped, market, resumed …"""
    severity: Severity
    text: str
    """One sentence for people."""
    bot: int | None = None
    who: str | None = None
    instrument: int | None = None
    symbol: str | None = None
    order: str | None = None
    signal: str | None = None
    terms: OrderTerms | None = None
    fill: FillTold | None = None
    refusal: Refusal | None = None
    scope: Literal["desk", "account", "bot"] | None = None
    """Of killed and resumed."""
    note: dict[str, Any] | None = None
    """A note of the log as it stands there."""


class Events(Answer):
    """Oldest first. `lost`: what came between `after` and the first of these is no longer kept. `after`: for the next page."""

    events: list[Event]
    lost: bool
    after: str


# ── commands


Legs = Annotated[list["NewLeg"], msgspec.Meta(min_length=2, max_length=3)]
InstrumentNumber = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Nanoseconds = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,18}|[1-8][0-9]{18})$(?!\n)")]
"""Until the year 2255: what the engine can count."""
TrailBips = Annotated[int, msgspec.Meta(ge=1, le=9_999)]
Decimals = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$(?!\n)", max_length=40)]


class NewLeg(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An order of a list. Prices and quantities as decimal texts in the instrument's own units."""

    side: SideText
    order_type: OrderTypeText
    quantity: Decimals | None = None
    """All but market orders of a quote_quantity have one."""
    price: Decimals | None = None
    trigger_price: Decimals | None = None
    time_in_force: TimeInForceText | None = None
    """As usual for the type where not given: ioc for what executes at the market, else gtc."""
    post_only: bool = False
    expire_ns: Nanoseconds | None = None
    """A deadline in engine time, nanoseconds since 1970; with gtd, or with time_in_force left out."""
    reduce_only: bool = False
    trail_bips: TrailBips | None = None
    """Of a stop or take-profit: follow the price at so many hundredths of a percent; trigger_price (from which price on) may then be left out."""
    visible_quantity: Decimals | None = None
    """Of a limit order, gtc or gtd: show only so much of it at a time (an iceberg)."""
    self_trade: SelfTradeText | None = None
    """What happens where it would meet a waiting order of its own account; as the account says where not given."""


class NewOrder(NewLeg, kw_only=True, forbid_unknown_fields=True):
    """POST /orders. Prices and quantities as decimal texts in the instrument's own units."""

    instrument: InstrumentNumber
    quote_quantity: Decimals | None = None
    """Spend (buy) or receive (sell) at most so much of the quote asset, at the market."""


class Amendment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """PATCH /orders/{order_id}: a smaller quantity, what is filled included."""

    quantity: Decimals


class NewOrderList(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /order-lists. Of an oco what takes the profit and the stop, of an oto the working and the pending order, of an otoco all three, in this order."""

    instrument: InstrumentNumber
    kind: ListKindText
    legs: Legs


class CancelMany(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /orders/cancel-all: of one instrument, or of all."""

    instrument: InstrumentNumber | None = None


class Nothing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Commands whose path says it all: an empty object, or no body."""


class CommandAnswer(Answer):
    """What became of a command, once it is durable. With HTTP 422 it was refused, and `refusal` says why."""

    code: Literal["done", "refused"]
    repeated: bool
    """The key was used before: this is what was answered then, and nothing more was done."""
    seq: int
    """The input that the command became; 0 where it became none."""
    text: str
    order: str | None
    status: StatusText | None
    """Of the order as of this answer; how it goes on comes over the stream."""
    refusal: Refusal | None
    events: list[Event]
    """What it caused at once."""


# ── health and runs


class Run(Answer):
    """A run of this home."""

    run: str
    label: str
    feed: str
    created: str
    symbols: list[str]
    strategies: list[str]
    seed: int | None
    fill_model: str
    """Of its own account; a band or a ghost is not told here."""
    balances: dict[str, str]
    reporting: str
    product: str
    applied_seq: int
    current: bool


class Runs(Answer):
    """Newest first, at most 1,000."""

    runs: list[Run]


class Health(Answer):
    """GET /healthz."""

    healthy: bool
    paper: Literal[True]
    text: str
    engine: Engine
    stream_clients: int
    processes: list[Process]


# ── the stream


class Said(Answer, tag_field="type"):
    """A message of the stream; `type` says which."""


class Hello(Said, tag="hello"):
    """First: what this desk is."""

    desk: Desk


class EventSaid(Said, tag="event"):
    """A fact, in order."""

    event: Event


class Reset(Said, tag="reset"):
    """What came after the place asked for is no longer kept, or the run is another: read GET /state and go on from `after`."""

    text: str
    run: str
    after: str


class StateSaid(Said, tag="state"):
    """The account, when it changed, at most 4 times a second."""

    state: State


class MarketSaid(Said, tag="market"):
    """Markets that changed, at most 10 times a second. Trades and bars are those since the message before."""

    markets: list[Book]


class Mark(Answer):
    """What an instrument is valued at; null: no fresh price."""

    instrument: int
    mark: str | None


class PulseSaid(Said, tag="pulse"):
    """Once a second: how the desk is."""

    time: str
    seq: int
    projected_seq: int
    engine_time: str
    engine_ts_ns: str
    equity: str | None
    """Of the desk's own account."""
    accounts: list[Account]
    killed: bool
    engine: Engine
    marks: list[Mark]
    bots: list[Bot]
    feed: dict[str, Any]
    """The door's own words; empty without a door."""
    processes: list[Process]
    stream_clients: int


StreamMessage = Hello | EventSaid | Reset | StateSaid | MarketSaid | PulseSaid
