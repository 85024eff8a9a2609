"""A bot's state as bytes and back: memory, view, bars and features, as msgpack with a schema version inside.

Memory is plain data. Whatever is not is refused by name when the snapshot is taken, so that nothing changes its
type or gets lost on the way through a restart. Decimals and large integers travel as text in extension types of
their own.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from paperdesk.strategies.api import title
from paperdesk.strategies.events import Order

if TYPE_CHECKING:
    from paperdesk.strategies.host import BotHost

SCHEMA: Final = 1
DECIMAL_CODE: Final = 1
INTEGER_CODE: Final = 2
DEEPEST: Final = 32
SMALL: Final = 2**63
ORDER_FIELDS: Final = tuple(name for name in Order.__slots__ if name != "instrument")


class SnapshotError(ValueError):
    """A state that cannot be stored or taken back; the message says which part, and what to do."""


class Envelope(msgspec.Struct):
    """The part of a snapshot that every version has."""

    schema: int


class State(msgspec.Struct):
    """One bot, whole. Integers are units, lots, ticks and nanoseconds as in the view."""

    schema: int
    strategy: str
    parameters: dict[str, Any]
    memory: dict[str, Any]
    started: bool
    ts_ns: int
    last_handle: int
    balances: dict[int, list[int]]
    orders: list[dict[str, int]]
    markets: list["MarketState"]


class MarketState(msgspec.Struct):
    """What a bot has seen of one instrument. `tick` and `lot` are the grid that its integers belong to."""

    symbol: str
    version: int
    tick: str
    lot: str
    levels: list[int]
    position_units: int
    wanted_units: int | None
    n_bars: int
    bars: list[Any]
    features: list[list[float]]


def plain(value: Any, path: str, depth: int = 0) -> Any:
    """`value` in msgpack's terms; SnapshotError naming the path and type of what is no plain data."""
    if depth > DEEPEST:
        raise SnapshotError(f"{path} is nested more than {DEEPEST} deep (or holds itself); keep the memory flat")
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes):
        return value
    if kind is int:
        return value if -SMALL <= value < SMALL else msgspec.msgpack.Ext(INTEGER_CODE, str(value).encode())
    if kind is Decimal:
        return msgspec.msgpack.Ext(DECIMAL_CODE, str(value).encode())
    if kind is list:
        return [plain(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)]
    if kind is dict:
        for key in value:
            if type(key) not in (str, int) or (type(key) is int and not -SMALL <= key < SMALL):
                raise SnapshotError(f"{path} has the key {key!r}; keys must be str or int of at most 64 bits")
        return {key: plain(item, f"{path}[{key!r}]", depth + 1) for key, item in value.items()}
    raise SnapshotError(
        f"{path} is a {kind.__name__}; memory holds plain data only: None, bool, int, float, Decimal, str, bytes, "
        "and lists and dicts of them" + (" (use a list)" if kind in (tuple, set, frozenset) else "")
    )


def revived(code: int, data: memoryview) -> Any:
    """The value of an extension type."""
    text = bytes(data).decode()
    if code == DECIMAL_CODE:
        return Decimal(text)
    if code == INTEGER_CODE:
        return int(text)
    raise SnapshotError(f"the snapshot holds an extension type {code}, which this version does not know")


def take(host: "BotHost") -> bytes:
    """The bot's state; SnapshotError if its memory is not plain data."""
    view, ctx = host.view, host.ctx
    if type(ctx.memory) is not dict:
        raise SnapshotError(f"ctx.memory is a {type(ctx.memory).__name__}; it must stay a dict: change what is in it")
    state = State(
        schema=SCHEMA,
        strategy=title(type(host.strategy)),
        parameters=plain(vars(host.strategy.parameter), "parameters"),
        memory=plain(ctx.memory, "memory"),
        started=host.started,
        ts_ns=ctx.ts_ns,
        last_handle=view.last_handle,
        balances=view.balances,
        orders=[_order_state(order) for order in view.orders.values()],
        markets=[
            MarketState(
                symbol=row.symbol,
                version=row.version,
                tick=str(row.instrument.tick),
                lot=str(row.instrument.lot),
                levels=[row.bid_ticks, row.bid_lots, row.ask_ticks, row.ask_lots, row.last_ticks],
                position_units=row.position_units,
                wanted_units=row.wanted_units,
                n_bars=row.n_bars,
                bars=[] if row.builder is None else row.builder.snapshot(),
                features=row.features.snapshot(),
            )
            for row in host.markets
        ],
    )
    return msgspec.msgpack.encode(state)


def give(host: "BotHost", data: bytes) -> None:
    """Put a stored state into a host that has just been built of the same strategy, parameters and instruments.

    SnapshotError, before anything is changed, if the bytes are damaged, newer, or belong to something else.
    """
    state = _decoded(data)
    who = title(type(host.strategy))
    if state.strategy != who:
        raise SnapshotError(f"the snapshot is of the strategy {state.strategy}, not of {who}; start a new bot for it")
    now = vars(host.strategy.parameter)
    if state.parameters != now:
        raise SnapshotError(
            f"the snapshot of {who} was taken with {_told(state.parameters)}, this run has {_told(now)}: "
            "go on with the old parameters or start a new bot"
        )
    if [row.symbol for row in state.markets] != [row.symbol for row in host.markets]:
        raise SnapshotError(
            f"the snapshot of {who} trades {', '.join(row.symbol for row in state.markets)}, this run "
            f"{', '.join(row.symbol for row in host.markets)}: the instruments of a bot cannot change"
        )
    for market, row in zip(host.markets, state.markets, strict=True):
        grid = (row.version, row.tick, row.lot)
        have = (market.version, str(market.instrument.tick), str(market.instrument.lot))
        if grid != have:
            raise SnapshotError(
                f"the snapshot of {who} knows {row.symbol} in version {grid[0]} (tick {grid[1]}, lot {grid[2]}), "
                f"the host was given version {have[0]} (tick {have[1]}, lot {have[2]}): "
                "give it the version of the snapshot's time"
            )
    host.ctx.memory = state.memory
    host.ctx.ts_ns = state.ts_ns
    host.started = state.started
    host.view.last_handle = state.last_handle
    host.view.balances.update(state.balances)
    for market, row in zip(host.markets, state.markets, strict=True):
        market.bid_ticks, market.bid_lots, market.ask_ticks, market.ask_lots, market.last_ticks = row.levels
        market.position_units, market.n_bars = row.position_units, row.n_bars
        market.wanted_units = row.wanted_units
        market.features.restore(row.features)
        if market.builder is not None:
            market.builder.restore(row.bars)
    for fields in state.orders:
        host.view.adopt(fields)
    host.find_next_close()


def _order_state(order: Order) -> dict[str, int]:
    return {"instrument": order.instrument.number, **{name: int(getattr(order, name)) for name in ORDER_FIELDS}}


def _decoded(data: bytes) -> State:
    try:
        schema = msgspec.msgpack.decode(data, type=Envelope).schema
        if schema > SCHEMA:
            raise SnapshotError(
                f"the snapshot has schema {schema}, this version reads up to {SCHEMA}: "
                "use the version that wrote it or a newer one"
            )
        return msgspec.msgpack.decode(data, type=State, ext_hook=revived)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"the snapshot of a bot cannot be read ({error}); restore an older one") from None


def _told(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "no parameters"
