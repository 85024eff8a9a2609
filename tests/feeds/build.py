"""What the tests of feeds share: tiny recordings written by hand, and the rules that every stream must keep."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from paperdesk.domain.events import INPUT, InputKind
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import BLOCK_ROWS, Feed
from paperdesk.feeds.replay import Replay, open_recordings

T0 = 1_700_000_000_000_000_000
"""2023-11-14 22:13:20 UTC."""
MS = 1_000_000
SECOND = 1_000 * MS
KINDS = {kind.value: kind.name for kind in InputKind}


def depth(
    first: int, last: int, bids: Sequence[Sequence[str]] = (), asks: Sequence[Sequence[str]] = (), **more: Any
) -> dict[str, Any]:
    """A depthUpdate of BTCUSDT."""
    return {
        "e": "depthUpdate",
        "E": T0 // MS,
        "s": "BTCUSDT",
        "U": first,
        "u": last,
        "b": list(bids),
        "a": list(asks),
        **more,
    }


def ticker(update: int, bid: str, bid_size: str, ask: str, ask_size: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
    """A bookTicker."""
    return {"u": update, "s": symbol, "b": bid, "B": bid_size, "a": ask, "A": ask_size}


def print_of(
    trade_id: int, price: str, size: str, seller_took: bool = False, symbol: str = "BTCUSDT"
) -> dict[str, Any]:
    """A trade."""
    return {
        "e": "trade",
        "E": T0 // MS,
        "s": symbol,
        "t": trade_id,
        "p": price,
        "q": size,
        "T": T0 // MS,
        "m": seller_took,
        "M": True,
    }


def picture(last: int, bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A REST depth answer."""
    return {"lastUpdateId": last, "bids": list(bids), "asks": list(asks)}


def wrap(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame as combined streams carry it."""
    return {"stream": "btcusdt@something", "data": frame}


BIDS = [["100.0", "1.0"], ["99.9", "2.0"]]
ASKS = [["100.1", "1.5"], ["100.3", "3.0"]]


def session() -> list[dict[str, Any]]:
    """Diffs before and after a snapshot, best prices, two trades: nothing wrong."""
    return [
        depth(95, 100, [["99.9", "9.0"]]),
        depth(101, 103, [["99.9", "2.0"]]),
        picture(102, BIDS, ASKS),
        ticker(104, "100.0", "0.7", "100.1", "1.5"),
        print_of(7, "100.0", "0.3", seller_took=True),
        depth(104, 105, [["100.0", "0.7"]]),
        print_of(8, "100.1", "0.5"),
        depth(106, 106, [], [["100.1", "1.0"], ["100.3", "0"]]),
    ]


def lines_of(frames: Iterable[dict[str, Any] | bytes], start_ns: int = T0, step_ns: int = MS) -> list[bytes]:
    """Capture lines, one millisecond apart; bytes go in as they are."""
    out = []
    for index, frame in enumerate(frames):
        if isinstance(frame, bytes):
            out.append(frame)
        else:
            out.append(f"{start_ns + index * step_ns} ".encode() + json.dumps(frame, separators=(",", ":")).encode())
    return out


def write(path: Path, lines: Iterable[bytes], compress: bool = True) -> Path:
    """Writes lines, compressed if the name says so."""
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(zstandard.ZstdCompressor().compress(content) if compress and path.suffix == ".zst" else content)
    return path


def capture(path: Path, frames: Iterable[dict[str, Any] | bytes], **options: int) -> Path:
    """Writes a Binance capture."""
    return write(path, lines_of(frames, **options))


def opened(*paths: Path, symbols: Sequence[str] = (), **options: Any) -> Replay:
    """A replay of recordings."""
    return open_recordings(list(paths), symbols, **options)


def rows_of(feed: Feed) -> np.ndarray:
    """All inputs of a feed that ends, shape (n,)."""
    return joined(list(feed.blocks()))


def kinds(rows: np.ndarray) -> list[str]:
    """The kinds of inputs, by name."""
    return [KINDS[int(kind)] for kind in rows["kind"]]


def counts(rows: np.ndarray) -> Counter[str]:
    """How many inputs of each kind."""
    values, numbers = np.unique(rows["kind"], return_counts=True)
    return Counter({KINDS[int(value)]: int(number) for value, number in zip(values, numbers, strict=True)})


def book_of(row: np.ndarray) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Bids and asks of a BOOK input as (ticks, lots)."""
    n, m = int(row["n_bids"]), int(row["n_asks"])
    bids = list(zip(row["bids_ticks"][:n].tolist(), row["bids_lots"][:n].tolist(), strict=True))
    return bids, list(zip(row["asks_ticks"][:m].tolist(), row["asks_lots"][:m].tolist(), strict=True))


def quote_of(row: np.ndarray) -> tuple[int, int, int, int]:
    """Bid, its size, ask, its size of a QUOTE input."""
    return (int(row["bid_ticks"]), int(row["bid_lots"]), int(row["ask_ticks"]), int(row["ask_lots"]))


def refused(feed: Feed) -> dict[tuple[str, Reason], int]:
    """What was refused in the last pass."""
    return {key: count for key, count in feed.refusals.items() if count}


def fingerprint(blocks: Iterable[np.ndarray]) -> str:
    """Hash over the bytes of blocks, however they are cut."""
    state = hashlib.blake2b(digest_size=16)
    for block in blocks:
        state.update(np.ascontiguousarray(block).tobytes())
    return state.hexdigest()


def assert_keeps_the_rules(blocks: Iterable[np.ndarray], instruments: int) -> Iterator[np.ndarray]:
    """Passes blocks on, asserting all that the fold would otherwise refuse, and what the port promises."""
    last = 0
    for block in blocks:
        assert block.dtype == INPUT and 1 <= len(block) <= BLOCK_ROWS
        times = block["ts_seq_ns"]
        assert int(times[0]) >= last and (np.diff(times) >= 0).all(), "time goes back"
        last = int(times[-1])
        assert (block["ts_event_ns"] > 0).all() and (block["seq"] == 0).all()
        assert ((block["instrument"] >= 0) & (block["instrument"] < instruments)).all()
        assert (block["account"] == 0).all() and (block["bot"] == 0).all()
        assert np.isin(block["kind"], [2, 3, 4, 5, 6]).all()
        _assert_sane(block)
        yield block


def _assert_sane(block: np.ndarray) -> None:
    trades = block[block["kind"] == InputKind.TRADE]
    assert (trades["trade_price_ticks"] > 0).all() and (trades["trade_qty_lots"] > 0).all()
    quotes = block[block["kind"] == InputKind.QUOTE]
    both = (quotes["bid_lots"] > 0) & (quotes["ask_lots"] > 0)
    assert (
        (quotes["bid_ticks"] < quotes["ask_ticks"])[both].all()
        and (quotes["bid_lots"] >= 0).all()
        and (quotes["ask_lots"] >= 0).all()
    )
    bars = block[block["kind"] == InputKind.BAR]
    assert (bars["low_ticks"] > 0).all() and (bars["volume_lots"] >= 0).all() and (bars["interval_ns"] > 0).all()
    assert (bars["low_ticks"] <= np.minimum(bars["open_ticks"], bars["close_ticks"])).all()
    assert (bars["high_ticks"] >= np.maximum(bars["open_ticks"], bars["close_ticks"])).all()
    books = block[block["kind"] == InputKind.BOOK]
    if not len(books):
        return
    places = np.arange(books["bids_ticks"].shape[1])
    for side, sign, count in (("bids", -1, books["n_bids"]), ("asks", 1, books["n_asks"])):
        prices, lots = books[f"{side}_ticks"], books[f"{side}_lots"]
        there = places[None, :] < count[:, None]
        assert (prices[there] > 0).all() and (lots[there] > 0).all()
        assert (prices[~there] == 0).all() and (lots[~there] == 0).all()
        assert (np.diff(prices * sign, axis=1) > 0)[there[:, 1:]].all()
    filled = (books["n_bids"] > 0) & (books["n_asks"] > 0)
    assert (books["bids_ticks"][:, 0] < books["asks_ticks"][:, 0])[filled].all(), "a crossed book"
