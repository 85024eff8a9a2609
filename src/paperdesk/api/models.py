"""The JSON that people, pages and bots read and write: every answer, every command, every message of the stream.

Money, prices and quantities are exact decimals as texts, in full units of what they count. Times come twice: `time` for people (ISO 8601,
UTC, milliseconds) and `ts_ns` (nanoseconds since 1970, as text: they do not fit a JavaScript number). Whatever names a moment names its
`seq` too. A figure that cannot be worked out, such as equity while a price is missing, is null, never zero.

Markets, events, commands and the stream are in `models_live.py`; `schema.py` makes the OpenAPI document out of both.
"""

from typing import Any, Final, Literal

import msgspec

from paperdesk.api.models_accounts import Account, Answer, FillModelText, SelfTradeText
from paperdesk.api.models_lists import ListPlace
from paperdesk.api.models_orders import Trail

SideText = Literal["buy", "sell"]
OrderTypeText = Literal["market", "limit", "stop_market", "stop_limit", "take_profit_market", "take_profit_limit"]
TimeInForceText = Literal["gtc", "ioc", "fok", "gtd"]
StatusText = Literal["denied", "submitted", "accepted", "partially_filled", "filled", "canceled", "expired", "rejected"]
BotState = Literal["running", "paused", "failed"]
MarketState = Literal["live", "stale", "gap"]
Severity = Literal["info", "good", "warning", "error"]
Level = tuple[str, str]
"""(price, quantity)."""


class Refusal(Answer):
    """A no with its reason, as docs/reasons.md lists them."""

    code: int
    name: str
    meaning: str
    remedy: str


class Problem(Answer):
    """Why a request was not answered: what happened, and what to do."""

    error: str
    """A fixed word, such as bad_request, not_found, conflict, busy, no_answer."""
    message: str
    remedy: str
    field: str | None = None
    """Where in the request, where it is one place."""
    refusal: Refusal | None = None
    id: str | None = None
    """Of an unexpected error: the same is in the log on stderr."""


# ── what the desk is


class Asset(Answer):
    """What is held."""

    number: int
    name: str
    scale: int
    """Decimals of its smallest unit."""


class Instrument(Answer):
    """What is traded, in its present version."""

    number: int
    version: int
    symbol: str
    venue: str
    base: str
    quote: str
    tick: str
    lot: str
    maker_fee: str
    taker_fee: str
    origin: str
    """declared, or inferred from the data."""
    status: MarketState | None
    """Whether its data can be trusted now; null before the first picture of its market."""
    status_reason: Refusal | None


class Bot(Answer):
    """A strategy in this account."""

    bot: int
    name: str
    strategy: str
    parameters: dict[str, str]
    isolated: bool
    """Whether it runs in a process of its own, behind its wall."""
    state: BotState | None
    failure: str
    """What it failed with; empty otherwise."""


class Process(Answer):
    """One process of the family."""

    name: str
    pid: int
    state: str
    restarts: int
    started: str
    rss_mb: float
    last_end: str


class Wall(Answer):
    """How a process is closed in, in words."""

    process: str
    text: str


class Engine(Answer):
    """How the engine is, as it said last."""

    heard: bool
    """Whether it said anything within the last 3 seconds."""
    silence_s: float
    busy: float
    """Part of the last second that it worked, 0 to 1."""
    commit_ms: float
    """Its longest commit within the last second."""
    rss_mb: float
    market_inputs: int
    outputs: int
    lag_inputs: int
    """How far the database is behind it."""


class Desk(Answer):
    """What this desk is and how it is."""

    paper: Literal[True]
    run: str
    label: str
    """LIVE MAINNET DATA, REPLAY or SIMULATED: where prices come from; orders are on paper always."""
    feed: str
    notice: str
    boot: str
    product: str
    created: str
    seq: int
    """The last input that the api knows of."""
    projected_seq: int
    engine: Engine
    killed: bool
    account: int
    accounts: list[Account]
    """The desk's own first, then those that the same bots trade in beside it."""
    latency: str
    """How long orders take to reach the venue, in words."""
    fees: str
    reporting: str
    assets: list[Asset]
    instruments: list[Instrument]
    bots: list[Bot]
    processes: list[Process]
    walls: list[Wall]


# ── the account


class Balance(Answer):
    """Of one asset: total = free + reserved. `value` in the reporting asset, null without a fresh price."""

    asset: str
    free: str
    reserved: str
    total: str
    value: str | None


class Position(Answer):
    """Net holding in an instrument at average cost; money in its quote asset."""

    instrument: int
    symbol: str
    base: str
    quote: str
    quantity: str
    average_cost: str | None
    """Per unit of base, fees in; null while flat. Rounded to 10 digits for people; `cost` is exact."""
    cost: str
    mark: str | None
    value: str | None
    unrealized_pnl: str | None
    realized_pnl: str
    fills: int


class Limits(Answer):
    """Risk limits, in the reporting asset; null is none."""

    max_order: str | None
    max_position: str | None
    max_exposure: str | None
    max_daily_loss: str | None
    max_drawdown: str | None
    cooldown_s: float


class BotBook(Answer):
    """What a bot holds and made."""

    bot: int
    name: str
    state: BotState | None
    failure: str
    killed: bool
    stopped: bool
    open_orders: int
    fills: int
    positions: list[Position]
    realized_pnl: str | None
    """Over all instruments, in the reporting asset; null where a price is missing."""
    unrealized_pnl: str | None
    limits: Limits


class Order(Answer):
    """An order. `filled` of `quantity`; money in the quote asset, `fee` in `fee_asset`."""

    id: str
    """PAPER-ACCOUNT-NUMBER."""
    number: int
    status: StatusText
    bot: int
    """0: the account's owner."""
    who: str
    instrument: int
    symbol: str
    side: SideText
    order_type: OrderTypeText
    time_in_force: TimeInForceText
    post_only: bool
    reduce_only: bool
    self_trade: SelfTradeText | None
    price: str | None
    trigger_price: str | None
    """With a trail the price from which on it follows the market; null: from its arrival on."""
    trail: Trail | None
    visible_quantity: str | None
    """Of an iceberg: what is shown of it at a time."""
    quantity: str | None
    """Null where what was asked for cannot be counted; for an order of a quote quantity, the most that it may fill. Smaller after a decrease."""
    sent_quantity: str | None
    """What it was sent with."""
    amend_quantity: str | None
    """The quantity that an amend on its way asks for."""
    quote_quantity: str | None
    """What a market order may spend or receive at most, where it was sent with that instead of a quantity."""
    filled: str
    average_price: str | None
    quote_amount: str
    fee: str
    fee_asset: str
    fills: int
    reserved: str
    reserved_asset: str
    triggered: bool
    list: ListPlace | None
    cancel_requested: bool
    refusal: Refusal | None
    """Why it was denied, rejected, canceled or expired."""
    seq: int
    time: str
    ts_ns: str
    arrive_ns: str
    expire_ns: str | None
    """Its deadline in engine time (gtd)."""
    updated_seq: int
    updated_time: str
    updated_ns: str


class Receipt(Answer):
    """What a fill rests on."""

    rule: str
    sentence: str
    evidence_price: str
    shown: str
    """What traded or was displayed there; of a bar, what the account can have of its volume."""
    fill_model: FillModelText
    """What the account believes where the evidence leaves room: docs/fill-models.md."""
    ahead_before: str | None
    """Quantity that stood ahead in the queue before, by that model; null where there is no queue, or no place in it is known."""
    ahead_after: str | None
    fee_rate: str
    fee_tier: int | None
    """The account's tier, from 0; null where the instrument's own rates hold."""
    latency_ms: float
    waited_ms: float
    """From the order's submission on."""


class Fill(Answer):
    """One execution of our order."""

    fill: int
    order: str
    seq: int
    number: int
    time: str
    ts_ns: str
    bot: int
    who: str
    instrument: int
    symbol: str
    side: SideText
    liquidity: Literal["maker", "taker"]
    price: str
    quantity: str
    quote_amount: str
    quote_asset: str
    fee: str
    fee_asset: str
    realized_pnl: str
    receipt: Receipt


class State(Answer):
    """The account as it is after input `seq`; prices are the engine's marks of `marks_seq`."""

    paper: Literal[True]
    run: str
    account: int
    fill_model: FillModelText
    epoch: int
    seq: int
    marks_seq: int
    time: str
    ts_ns: str
    reporting: str
    equity: str | None
    opening_equity: str | None
    day_start_equity: str | None
    peak_equity: str | None
    exposure: str | None
    realized_pnl: str | None
    unrealized_pnl: str | None
    killed: bool
    limits: Limits
    balances: list[Balance]
    positions: list[Position]
    orders: list[Order]
    """Live ones, oldest first; at most 500."""
    orders_live: int
    """How many there are."""
    bots: list[BotBook]


class Orders(Answer):
    """Newest first. `before`: give it back for the next page; null at the end."""

    orders: list[Order]
    before: int | None


class OrderStory(Answer):
    """One order with its fills and its life in sentences."""

    order: Order
    fills: list[Fill]
    story: list[str]


class Fills(Answer):
    """Newest first. `before`: give it back for the next page; null at the end."""

    fills: list[Fill]
    before: int | None


ENCODER: Final = msgspec.json.Encoder()


def encode(answer: Any) -> bytes:
    """JSON of an answer or a message."""
    return ENCODER.encode(answer)
