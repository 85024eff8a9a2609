"""A market that never was: seeded, endless, the same on every machine. For tests, demonstrations and trying things
out.

    feed = simulated(["BTC/USDT", "ETH/USDT"], seed=7)

Each market has a hidden value that walks at random, calm for a while and then in bursts. Orders arrive around it,
are canceled, and are taken by market orders whose sizes cluster at round numbers; whoever quotes on the wrong side
of the hidden value is taken first. The spread closes again because new orders arrive inside it.

Assumed, and not so in reality: markets move independently of each other (no arbitrage ties ETH/BTC to the others),
nobody reacts to the trader's orders, arrivals do not cluster in time, there are no outages. Profits made here mean
nothing.

Everything is integer arithmetic on words of a counter-based generator (Philox), so the stream depends on seed,
symbol and start alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np

from paperdesk.domain.assets import Asset, scale_of
from paperdesk.domain.events import DEPTH, HEAD_BYTES, INPUT_BYTES, InputKind, Side, inputs
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.kernel import entry, kernel
from paperdesk.feeds.merging import merge
from paperdesk.feeds.port import BLOCK_ROWS, Label, RecordingRefused, Refusals, without_first

VERSION: Final = 1
"""Goes up whenever the same seed gives another stream."""
START_NS: Final = 1_767_225_600_000_000_000
"""2026-01-01 00:00 UTC."""
KEPT: Final = 32
"""Levels kept a side; DEPTH of them are shown."""
BOOK_EVERY_NS: Final = 100_000_000
MEAN_PAUSE_NS: Final = 5_000_000
BAND: Final = 40
"""How many gaps from the best possible price an order may wait before it is canceled."""
WALK: Final = 5
"""Levels a market order takes at most."""
ROOM: Final = WALK + 3
"""Rows that one step may write at most."""
ROW_WORDS: Final = INPUT_BYTES // 8
PAYLOAD_WORD: Final = HEAD_BYTES // 8
STEPS: Final = 4096
FRACTION: Final = 65_536
"""The hidden value is kept in this fraction of a tick."""

# -ln((i + 1/2) / 64) · 1024, rounded: pauses between two happenings are exponential in 64 steps.
PAUSES: Final = np.array(
    [
        4968, 3844, 3320, 2976, 2719, 2513, 2342, 2195, 2067, 1953, 1851, 1758, 1672, 1594, 1520, 1452,
        1388, 1328, 1271, 1217, 1166, 1117, 1070, 1026, 983, 942, 903, 865, 828, 793, 759, 726,
        694, 663, 633, 603, 575, 547, 520, 494, 469, 444, 419, 395, 372, 349, 327, 305,
        284, 263, 243, 223, 203, 184, 165, 146, 128, 110, 92, 75, 58, 41, 24, 8,
    ],
    np.int64,
)  # fmt: skip
SIZES: Final = np.array([1, 1, 2, 2, 4, 5, 5, 8, 10, 10, 16, 20, 20, 50, 64, 100], np.int64)
"""Order sizes in tenths of the typical one: clustered at round numbers, a few large."""

NOW, VALUE, VOLATILITY, BIDS, ASKS, TRADE_ID, NEXT_BOOK, BID, BID_LOTS, ASK, ASK_LOTS = range(11)
NUMBER, CALM, UNIT, LOWEST, HIGHEST, GAP = range(6)
TRADE, QUOTE, BOOK = int(InputKind.TRADE), int(InputKind.QUOTE), int(InputKind.BOOK)
BUY, SELL = int(Side.BUY), int(Side.SELL)


class Shape(NamedTuple):
    """What a simulated market looks like: first price, tick, lot, the typical order in lots."""

    price: Decimal
    tick: Decimal
    lot: Decimal
    unit_lots: int


SHAPES: Final = {
    "BTC/USDT": Shape(Decimal(60_000), Decimal("0.1"), Decimal("0.00001"), 2_000),
    "ETH/USDT": Shape(Decimal(3_000), Decimal("0.01"), Decimal("0.0001"), 5_000),
    "SOL/USDT": Shape(Decimal(150), Decimal("0.01"), Decimal("0.001"), 10_000),
    "ETH/BTC": Shape(Decimal("0.05"), Decimal("0.000001"), Decimal("0.0001"), 5_000),
    "DOGE/USDT": Shape(Decimal("0.2"), Decimal("0.00001"), Decimal(1), 5_000),
}
OTHER: Final = Shape(Decimal(100), Decimal("0.01"), Decimal("0.001"), 5_000)
"""The shape of every other symbol."""


@kernel
def put(prices: np.ndarray, sizes: np.ndarray, count: int, price: int, lots: int, sign: int) -> int:
    """Adds lots at a price to one side, best first (`sign` 1: lower is better); the number of levels after."""
    place = 0
    while place < count and (prices[place] - price) * sign < 0:
        place += 1
    if place < count and prices[place] == price:
        sizes[place] += lots
        return count
    if place >= KEPT:
        return count
    last = min(count, KEPT - 1)
    for level in range(last, place, -1):
        prices[level] = prices[level - 1]
        sizes[level] = sizes[level - 1]
    prices[place] = price
    sizes[place] = lots
    return min(count + 1, KEPT)


@kernel
def drop(prices: np.ndarray, sizes: np.ndarray, count: int, place: int) -> int:
    """Removes one level; the number of levels after."""
    assert 0 <= place < count, "only levels that are there can be removed"
    for level in range(place, count - 1):
        prices[level] = prices[level + 1]
        sizes[level] = sizes[level + 1]
    return count - 1


@kernel
def refill(side: np.ndarray, count: int, sign: int, parameters: np.ndarray, around: int, bits: int) -> int:
    """Keeps one side (prices and sizes, shape (2, KEPT); `sign` 1: asks) full: levels too far from `around`, the best
    price that an order may have, are canceled, new ones arrive at random between, and behind the worst if need be.
    The number of levels after.
    """
    prices, sizes, gap = side[0], side[1], parameters[GAP]
    while count > 0 and (prices[count - 1] - around) * sign > BAND * gap:
        count -= 1
    tries = 0
    while count < DEPTH:
        lots = 1 + parameters[UNIT] * SIZES[bits & 15] // 10
        if tries < KEPT or count == 0:
            count = put(prices, sizes, count, max(1, around + sign * ((bits >> 4) & 31) * gap), lots, sign)
        else:
            count = put(prices, sizes, count, prices[count - 1] + sign, lots, sign)
        bits = (bits * 7_919 + 12_289) % 1_048_573
        tries += 1
    return count


@kernel
def head(row: np.ndarray, kind: int, side: int, levels: int, number: int, now_ns: int) -> None:
    """Fills the head of an input row, given as 64-bit words; `levels` is n_bids and n_asks alike."""
    row[0] = kind + side * 2**16 + levels * 2**48 + levels * 2**56
    row[1] = number + 2**32
    row[4] = now_ns
    row[5] = now_ns


@kernel
def take(
    prices: np.ndarray,
    sizes: np.ndarray,
    count: int,
    lots: int,
    side: int,
    state: np.ndarray,
    number: int,
    out: np.ndarray,
    row: int,
) -> tuple[int, int]:
    """A market order of `lots` eats into one side, a trade row for each level; (levels left, next free row)."""
    for _ in range(WALK):
        if lots <= 0 or count <= 1:
            break
        filled = min(lots, sizes[0])
        state[TRADE_ID] += 1
        head(out[row], TRADE, side, 0, number, state[NOW])
        out[row, PAYLOAD_WORD] = prices[0]
        out[row, PAYLOAD_WORD + 1] = filled
        out[row, PAYLOAD_WORD + 2] = state[TRADE_ID]
        row += 1
        lots -= filled
        sizes[0] -= filled
        if sizes[0] == 0:
            count = drop(prices, sizes, count, 0)
    return count, row


@kernel
def move(state: np.ndarray, parameters: np.ndarray, word: int) -> None:
    """Time goes on, the hidden value takes a step, volatility returns to calm or bursts."""
    state[NOW] += 1 + PAUSES[word & 63] * MEAN_PAUSE_NS // 1024
    word >>= 6
    shock = (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + ((word >> 24) & 255) - 510
    word >>= 32
    value = state[VALUE] + shock * state[VOLATILITY] // 256
    state[VALUE] = min(max(value, parameters[LOWEST] * FRACTION), parameters[HIGHEST] * FRACTION)
    calm = parameters[CALM]
    state[VOLATILITY] += (calm - state[VOLATILITY]) // 512
    if word & 16_383 == 0:
        state[VOLATILITY] = calm * (3 + ((word >> 14) & 3))


@kernel
def happen(
    state: np.ndarray, parameters: np.ndarray, bids: np.ndarray, asks: np.ndarray, bits: int, out: np.ndarray, row: int
) -> int:
    """One thing happens: an order arrives, is canceled, or takes. `bids`, `asks`: prices and sizes, shape (2, KEPT).
    Next free row.
    """
    value, gap, number = state[VALUE] // FRACTION, parameters[GAP], parameters[NUMBER]
    what, side, bits = bits & 255, (bits >> 8) & 1, bits >> 9
    lots = 1 + parameters[UNIT] * SIZES[bits & 15] // 10
    bits >>= 4
    if asks[0, 0] <= value:
        what, side = 255, 1
    elif bids[0, 0] > value:
        what, side = 255, 0
    if what >= 216:
        if side == 1:
            state[ASKS], row = take(asks[0], asks[1], state[ASKS], lots, BUY, state, number, out, row)
        else:
            state[BIDS], row = take(bids[0], bids[1], state[BIDS], lots, SELL, state, number, out, row)
        return row
    deep = 0
    while bits & 1 == 1 and deep < DEPTH - 2:
        deep += 1
        bits >>= 1
    if what < 112:
        away = deep * gap // 2 + (bits & 15) * gap // 12
        if side == 1:
            price = max(value + 1 + away, bids[0, 0] + 1)
            state[ASKS] = put(asks[0], asks[1], state[ASKS], price, lots, 1)
        else:
            price = min(value - away, asks[0, 0] - 1)
            if price >= 1:
                state[BIDS] = put(bids[0], bids[1], state[BIDS], price, lots, -1)
        return row
    book, at = (asks, ASKS) if side == 1 else (bids, BIDS)
    place = min(deep * 2 + (bits & 1), state[at] - 1)
    if bits & 2 == 0 and book[1, place] > 1:
        book[1, place] -= book[1, place] // 2
    elif state[at] > 2:
        state[at] = drop(book[0], book[1], state[at], place)
    return row


@kernel
def report(state: np.ndarray, number: int, bids: np.ndarray, asks: np.ndarray, out: np.ndarray, row: int) -> int:
    """Writes what changed: the whole visible book when its time has come, else the best prices if they are new. Next
    free row.
    """
    now = state[NOW]
    best = (bids[0, 0], bids[1, 0], asks[0, 0], asks[1, 0])
    changed = best[0] != state[BID] or best[1] != state[BID_LOTS] or best[2] != state[ASK] or best[3] != state[ASK_LOTS]
    state[BID], state[BID_LOTS], state[ASK], state[ASK_LOTS] = best
    if now >= state[NEXT_BOOK]:
        state[NEXT_BOOK] = now - now % BOOK_EVERY_NS + BOOK_EVERY_NS
        head(out[row], BOOK, 0, DEPTH, number, now)
        for level in range(DEPTH):
            out[row, PAYLOAD_WORD + level] = bids[0, level]
            out[row, PAYLOAD_WORD + DEPTH + level] = bids[1, level]
            out[row, PAYLOAD_WORD + 2 * DEPTH + level] = asks[0, level]
            out[row, PAYLOAD_WORD + 3 * DEPTH + level] = asks[1, level]
        return row + 1
    if changed:
        head(out[row], QUOTE, 0, 0, number, now)
        for place in range(4):
            out[row, PAYLOAD_WORD + place] = best[place]
        return row + 1
    return row


@entry()
def play(
    words: np.ndarray, state: np.ndarray, parameters: np.ndarray, bids: np.ndarray, asks: np.ndarray, out: np.ndarray
) -> tuple[int, int]:
    """Lets things happen until the words, two a step, or the rows of `out` are used up; (words used, rows written)."""
    used, row = 0, 0
    while used + 1 < len(words) and row + ROOM <= len(out):
        move(state, parameters, words[used])
        bits = words[used + 1]
        used += 2
        row = happen(state, parameters, bids, asks, bits, out, row)
        value = state[VALUE] // FRACTION
        highest_bid = min(value, asks[0, 0] - 1)
        state[BIDS] = refill(bids, state[BIDS], -1, parameters, highest_bid, bits % 1_048_573)
        lowest_ask = max(value, bids[0, 0]) + 1
        state[ASKS] = refill(asks, state[ASKS], 1, parameters, lowest_ask, bits // 128 % 1_048_573)
        row = report(state, parameters[NUMBER], bids, asks, out, row)
    return used, row


class Simulated:
    """A feed that never ends; see `port.Feed`."""

    label: Label = "SIMULATED"
    expected: int | None = None

    def __init__(
        self,
        instruments: Sequence[Instrument],
        assets: Sequence[Asset],
        shapes: Sequence[Shape],
        seed: int,
        start_ns: int,
    ) -> None:
        self.instruments, self.assets = instruments, assets
        self.seed, self.start_ns = seed, start_ns
        self._shapes = shapes
        self.refusals = Refusals()
        self.notes = [
            f"{instrument.symbol}: simulated market, seed {seed}; its prices are invented" for instrument in instruments
        ]
        identity = repr((VERSION, seed, start_ns, [tuple(instrument) for instrument in instruments]))
        self.source = int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "little") % 2**62

    def blocks(self, skip: int = 0) -> Iterator[np.ndarray]:
        """See `port.Feed.blocks`; the same at every call."""
        self.refusals.clear()
        streams = [
            self._market(instrument, shape) for instrument, shape in zip(self.instruments, self._shapes, strict=True)
        ]
        return without_first(streams[0] if len(streams) == 1 else merge(streams), skip)

    def _market(self, instrument: Instrument, shape: Shape) -> Iterator[np.ndarray]:
        tag = int.from_bytes(blake2b(instrument.symbol.encode(), digest_size=8).digest(), "little")
        generator = np.random.Philox(key=np.array([self.seed % 2**64, tag], np.uint64))
        first = int(shape.price / shape.tick)
        gap = max(1, first // 50_000)
        parameters = np.array(
            [instrument.number, first * 3 // 4, shape.unit_lots, max(1, first // 20), first * 20, gap], np.int64
        )
        state = np.zeros(11, np.int64)
        state[NOW], state[VALUE], state[VOLATILITY], state[NEXT_BOOK] = (
            self.start_ns,
            first * FRACTION,
            parameters[CALM],
            self.start_ns,
        )
        bids, asks = np.zeros((2, KEPT), np.int64), np.zeros((2, KEPT), np.int64)
        state[BIDS] = refill(bids, 0, -1, parameters, first, tag % 1_048_573)
        state[ASKS] = refill(asks, 0, 1, parameters, first + 1, tag // 128 % 1_048_573)
        words = np.zeros(0, np.int64)
        while True:
            if len(words) < 2:
                words = (generator.random_raw(2 * STEPS) >> np.uint64(1)).astype(np.int64)
            block = inputs(BLOCK_ROWS)
            used, rows = play(words, state, parameters, bids, asks, block.view(np.int64).reshape(BLOCK_ROWS, ROW_WORDS))
            words = words[used:]
            yield block[:rows]


def simulated(
    symbols: Sequence[str],
    seed: int,
    start_ns: int = START_NS,
    *,
    scales: Mapping[str, int] | None = None,
    fees: tuple[Decimal, Decimal] = (Decimal("0.001"), Decimal("0.001")),
) -> Simulated:
    """A simulated market of the given symbols ("BTC/USDT"; any BASE/QUOTE will do), from `start_ns` on (nanoseconds,
    UTC).

    `fees` are (maker, taker) fractions. RecordingRefused for symbols that are no BASE/QUOTE, named twice, or none
    at all.
    """
    if not symbols:
        raise RecordingRefused("name at least one symbol for the simulated market, such as --symbols BTC/USDT")
    pairs = []
    for symbol in symbols:
        base, _, quote = symbol.upper().partition("/")
        if not base.isalnum() or not quote.isalnum() or (base, quote) in pairs or base == quote:
            raise RecordingRefused(
                f"{symbol!r} is no market that can be simulated (or is named twice); write BASE/QUOTE, such as BTC/USDT"
            )
        pairs.append((base, quote))
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    assets = [Asset(number, name, scale_of(name, scales)) for number, name in enumerate(names)]
    by_name = {asset.name: asset for asset in assets}
    instruments, shapes = [], []
    for number, (base, quote) in enumerate(pairs):
        shape = SHAPES.get(f"{base}/{quote}", OTHER)
        instruments.append(
            Instrument(
                number, 1, f"{base}/{quote}", "simulated", by_name[base], by_name[quote], shape.tick,
                max(shape.lot, Decimal(1).scaleb(-by_name[base].scale)),
                maker_fee=fees[0], taker_fee=fees[1], origin="declared",
            )
        )  # fmt: skip
        shapes.append(shape)
    return Simulated(instruments, assets, shapes, seed, start_ns)
