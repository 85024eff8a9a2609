"""Parquet recordings whose rows are inputs one by one: bars, trades, quotes. Everything is done on whole columns.

A file is known by its columns, never by its name:

    bars    ts (open time), open, high, low, close, volume          [venue, symbol]
    trades  ts and/or local_ts, price, amount                       [trade_id, side: the taker's]
    quotes  ts and/or local_ts, bid_price, bid_amount, ask_price, ask_amount

Symbol and venue come from columns of that name or from the file's metadata. Bars are known from their close on. Bar
volumes are sums that some sources rounded to float32: they alone are taken down to whole lots; nothing else is
rounded.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from paperdesk.domain.events import InputKind, Side, inputs
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import MAX_DECIMALS, SIZE_DECIMALS, column_decimals, column_steps
from paperdesk.feeds.port import BLOCK_ROWS, RecordingRefused, Refusals
from paperdesk.feeds.recording import LATEST_NS, Found, digest_of, split_symbol, to_ns

INTERVALS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SIDES: Final = {
    "buy": int(Side.BUY),
    "b": int(Side.BUY),
    "sell": int(Side.SELL),
    "a": int(Side.SELL),
    "s": int(Side.SELL),
}
PRICES: Final = ("open", "high", "low", "close")
KINDS: Final = {
    "bars": {"ts", "open", "high", "low", "close", "volume"},
    "quotes": {"bid_price", "bid_amount", "ask_price", "ask_amount"},
    "trades": {"price", "amount"},
}


class Rows(NamedTuple):
    """Inputs as columns, shape (n,) each, sorted as they stand in the file."""

    event_ns: np.ndarray
    seq_ns: np.ndarray
    columns: dict[str, np.ndarray]
    side: np.ndarray | None = None


def read_table(path: Path) -> tuple[pl.DataFrame, dict[str, str]]:
    """The table and its metadata; RecordingRefused where the file is damaged."""
    try:
        return pl.read_parquet(path, memory_map=False), dict(pl.read_parquet_metadata(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RecordingRefused(f"{path.name} cannot be read as Parquet ({error}). Copy the file again") from None


def kind_of(columns: set[str]) -> str | None:
    """bars, quotes or trades, told by the columns; None for anything else."""
    if "ts" not in columns and "local_ts" not in columns:
        return None
    return next((kind for kind, needed in KINDS.items() if needed <= columns), None)


def market_of(path: Path, venue: str, symbol: str, hint: str = "") -> Found:
    """A market from the names in a file's metadata, such as ("binanceusdm (inferred)", "BTC/USDT:USDT").

    Where they are missing, the file's name decides, then `hint`, the one symbol that was asked for.
    """
    named = symbol or name_in(path) or hint
    pair, _, settle = named.partition(":")
    parts = split_symbol(pair)
    if parts is None:
        raise RecordingRefused(
            f"{path.name}: it is not said which market this is "
            "(no usable `symbol` in columns, metadata or name); ask for one with --symbols"
        )
    base, quote = parts
    name = f"{base}/{quote}" + (f":{settle.upper()}" if settle else "")
    inverse = bool(settle) and settle.upper() == base
    return Found(
        name,
        base,
        quote,
        venue.split(" ")[0],
        inverse=inverse,
        perpetual=bool(settle) and not inverse,
        names={base + quote},
    )


def name_in(path: Path) -> str:
    """The market that a file's name speaks of ("bitstamp_BTCUSD_20150501.log.zst" → "BTC/USD"), or nothing."""
    for token in path.name.split(".")[0].split("_"):
        parts = split_symbol(token) if token.isupper() and token.isalnum() else None
        if parts is not None and len(parts[0]) >= 2:
            return "/".join(parts)
    return ""


def times_ns(column: pl.Series) -> np.ndarray:
    """A time column as int64 nanoseconds; whole numbers are told by their size, as everywhere."""
    if column.null_count():
        raise RecordingRefused(f"the time column {column.name} has {column.null_count()} empty cells")
    if isinstance(column.dtype, pl.Datetime):
        values = column.dt.replace_time_zone(None).cast(pl.Datetime("ns")).to_physical().to_numpy()
    elif column.dtype.is_integer():
        values = column.cast(pl.Int64).to_numpy()
    else:
        raise RecordingRefused(
            f"the time column {column.name} is of type {column.dtype}; expected times or whole numbers"
        )
    latest = int(values.max(initial=0))
    if values.min(initial=0) < 0 or latest > LATEST_NS:
        raise RecordingRefused(f"the time column {column.name} holds times before 1970 or after 2116")
    factor = to_ns(latest) // latest if latest and column.dtype.is_integer() else 1
    return np.ascontiguousarray(values * factor, dtype=np.int64)


def floats(table: pl.DataFrame, name: str) -> np.ndarray:
    """A number column as float64, empty cells as NaN."""
    try:
        return table[name].cast(pl.Float64).to_numpy().astype(np.float64)
    except pl.exceptions.PolarsError:
        raise RecordingRefused(f"the column {name} does not hold numbers") from None


class Table:
    """A Parquet file of bars, trades or quotes, of one market or of several."""

    def __init__(self, path: Path, table: pl.DataFrame, metadata: Mapping[str, str], hint: str = "") -> None:
        kind = kind_of(set(table.columns))
        assert kind is not None
        self.path, self._what = path, kind
        self.kind = f"Parquet {kind}"
        self.digest = digest_of(path)
        self.notes: list[str] = []
        self.found: dict[str, Found] = {}
        self._parts: dict[str, pl.DataFrame] = {}
        for (venue, symbol), part in _by_market(table, metadata):
            found = market_of(path, venue, symbol, hint)
            if found.symbol in self.found:
                raise RecordingRefused(f"{path.name} holds {found.symbol} of several venues; split it by venue")
            self._look(found, part, metadata)
            self.found[found.symbol] = found
            self._parts[found.symbol] = part

    def _look(self, found: Found, part: pl.DataFrame, metadata: Mapping[str, str]) -> None:
        names = {
            "bars": (PRICES, ("volume",)),
            "trades": (("price",), ("amount",)),
            "quotes": (("bid_price", "ask_price"), ("bid_amount", "ask_amount")),
        }
        prices, sizes = names[self._what]
        columns = [floats(part, name) for name in prices]
        found.price_decimals = max(column_decimals(column, MAX_DECIMALS) for column in columns)
        found.largest_price = max((largest(column) for column in columns), default=0.0)
        columns = [floats(part, name) for name in sizes]
        found.size_decimals = max(column_decimals(column, SIZE_DECIMALS) for column in columns)
        found.largest_size = max((largest(column) for column in columns), default=0.0)
        if self._what == "bars":
            found.bars, found.interval_ns = len(part), _interval(part, metadata)
            if not found.interval_ns:
                raise RecordingRefused(
                    f"{self.path.name}: the interval of the bars is not known (one row, no `timeframe` in the metadata)"
                )
        elif self._what == "trades":
            found.trades = len(part)
            if "side" not in part.columns:
                self.notes.append(f"{found.symbol}: the trades of {self.path.name} do not say who was the aggressor")
        else:
            found.quotes = len(part)

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        wanted = [symbol for symbol in self.found if symbol in instruments]
        for symbol in self.found:
            if symbol not in instruments:
                refusals[symbol, Reason.UNKNOWN_SYMBOL] += len(self._parts[symbol])
        read = {"bars": self._bars, "trades": self._trades, "quotes": self._quotes}[self._what]
        kind = {"bars": InputKind.BAR, "trades": InputKind.TRADE, "quotes": InputKind.QUOTE}[self._what]
        made = [(instruments[symbol], read(symbol, instruments[symbol], refusals)) for symbol in wanted]
        yield from _merged(
            [(instrument, _in_order(rows, instrument, refusals)) for instrument, rows in made], int(kind)
        )

    def _bars(self, symbol: str, instrument: Instrument, refusals: Refusals) -> Rows:
        part, interval = self._parts[symbol], self.found[symbol].interval_ns
        start = times_ns(part["ts"])
        texts = [floats(part, name) for name in PRICES]
        volume = floats(part, "volume")
        steps = [column_steps(column, instrument.tick) for column in texts]
        lots, volume_good = column_steps(volume, instrument.lot, floor=True)
        o, h, low, c = (column for column, _ in steps)
        with np.errstate(invalid="ignore"):
            numbers = (
                np.logical_and.reduce([np.isfinite(column) & (column > 0) for column in texts])
                & (volume >= 0)
                & volume_good
            )
            sane = numbers & (texts[2] <= np.minimum(texts[0], texts[3])) & (texts[1] >= np.maximum(texts[0], texts[3]))
        on_grid = np.logical_and.reduce([good for _, good in steps])
        fresh = _first_of_each(start)
        keep = _keep(symbol, refusals, {Reason.DUPLICATE: fresh, Reason.BAD_EVENT: sane, Reason.OFF_GRID: on_grid})
        columns = {"open_ticks": o, "high_ticks": h, "low_ticks": low, "close_ticks": c, "volume_lots": lots}
        columns["interval_ns"] = np.full(len(o), interval, np.int64)
        return _kept(Rows(start, start + interval, columns), keep)

    def _trades(self, symbol: str, instrument: Instrument, refusals: Refusals) -> Rows:
        part = self._parts[symbol]
        event, seq = _two_times(part)
        price, amount = floats(part, "price"), floats(part, "amount")
        ticks, price_good = column_steps(price, instrument.tick)
        lots, size_good = column_steps(amount, instrument.lot)
        checks: dict[Reason, np.ndarray] = {}
        ids = np.zeros(len(part), np.int64)
        if "trade_id" in part.columns and part["trade_id"].dtype.is_integer():
            ids = part["trade_id"].fill_null(0).cast(pl.Int64).to_numpy()
            checks[Reason.DUPLICATE] = _first_of_each(ids)
        with np.errstate(invalid="ignore"):
            checks[Reason.BAD_EVENT] = np.isfinite(price) & np.isfinite(amount) & (price > 0) & (amount > 0)
        checks[Reason.OFF_GRID] = price_good & size_good
        side = np.zeros(len(part), np.int64)
        if "side" in part.columns:
            side = (
                part["side"]
                .cast(pl.String)
                .str.to_lowercase()
                .replace_strict(SIDES, default=0, return_dtype=pl.Int64)
                .to_numpy()
            )
        rows = Rows(event, seq, {"trade_price_ticks": ticks, "trade_qty_lots": lots, "trade_id": ids}, side)
        return _kept(rows, _keep(symbol, refusals, checks))

    def _quotes(self, symbol: str, instrument: Instrument, refusals: Refusals) -> Rows:
        part = self._parts[symbol]
        event, seq = _two_times(part)
        bid, ask = floats(part, "bid_price"), floats(part, "ask_price")
        bid_size, ask_size = floats(part, "bid_amount"), floats(part, "ask_amount")
        with np.errstate(invalid="ignore"):
            numbers = np.logical_and.reduce(
                [np.isfinite(column) & (column >= 0) for column in (bid, ask, bid_size, ask_size)]
            )
            sane = (
                numbers
                & ((bid < ask) | (bid_size == 0) | (ask_size == 0))
                & ((bid > 0) | (bid_size == 0))
                & ((ask > 0) | (ask_size == 0))
            )
        made = [column_steps(bid, instrument.tick), column_steps(bid_size, instrument.lot)]
        made += [column_steps(ask, instrument.tick), column_steps(ask_size, instrument.lot)]
        good = np.logical_and.reduce([usable for _, usable in made])
        names = ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots")
        rows = Rows(event, seq, {name: steps for name, (steps, _) in zip(names, made, strict=True)})
        return _kept(rows, _keep(symbol, refusals, {Reason.BAD_EVENT: sane, Reason.OFF_GRID: good}))


def _by_market(table: pl.DataFrame, metadata: Mapping[str, str]) -> list[tuple[tuple[str, str], pl.DataFrame]]:
    keys = [name for name in ("venue", "symbol") if name in table.columns]
    if not keys:
        return [((metadata.get("venue", ""), metadata.get("symbol", "")), table)]
    out = []
    for values, part in table.partition_by(keys, as_dict=True, maintain_order=True).items():
        named: dict[str, Any] = dict(zip(keys, values, strict=True))
        out.append(
            (
                (
                    str(named.get("venue") or metadata.get("venue", "")),
                    str(named.get("symbol") or metadata.get("symbol", "")),
                ),
                part,
            )
        )
    return out


def largest(column: np.ndarray) -> float:
    """The largest finite value, 0 if there is none."""
    finite = column[np.isfinite(column)]
    return float(finite.max()) if len(finite) else 0.0


def _interval(part: pl.DataFrame, metadata: Mapping[str, str]) -> int:
    """From the metadata's `timeframe` ("5m"), else the smallest step between opens; 0 where neither says."""
    text = metadata.get("timeframe", "")
    if text[:-1].isdigit() and text[-1:].lower() in INTERVALS:
        return int(text[:-1]) * INTERVALS[text[-1].lower()] * 1_000_000_000
    steps = np.diff(np.unique(times_ns(part["ts"])))
    return int(steps.min()) if len(steps) else 0


def _two_times(part: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The venue's time and ours; each stands in for the other where it is missing."""
    event = times_ns(part["ts"]) if "ts" in part.columns else None
    local = times_ns(part["local_ts"]) if "local_ts" in part.columns else None
    first = event if event is not None else local
    assert first is not None
    return first, local if local is not None else first


def _first_of_each(values: np.ndarray) -> np.ndarray:
    """Which rows hold their value for the first time."""
    first = np.zeros(len(values), bool)
    first[np.unique(values, return_index=True)[1]] = True
    return first


def _keep(symbol: str, refusals: Refusals, checks: Mapping[Reason, np.ndarray]) -> np.ndarray:
    """Which rows pass all checks; each that fails is counted once, under the first check that it fails."""
    keep: np.ndarray | None = None
    for reason, passed in checks.items():
        failed = ~passed if keep is None else keep & ~passed
        count = int(failed.sum())
        if count:
            refusals[symbol, reason] += count
        keep = passed.copy() if keep is None else keep & passed
    assert keep is not None
    return keep


def _kept(rows: Rows, keep: np.ndarray) -> Rows:
    if keep.all():
        return rows
    columns = {name: column[keep] for name, column in rows.columns.items()}
    return Rows(rows.event_ns[keep], rows.seq_ns[keep], columns, None if rows.side is None else rows.side[keep])


def _in_order(rows: Rows, instrument: Instrument, refusals: Refusals) -> Rows:
    """Times that fall back are lifted to the time already reached, and counted."""
    if not len(rows.seq_ns):
        return rows
    reached = np.maximum.accumulate(rows.seq_ns)
    back = int((rows.seq_ns < reached).sum())
    if back:
        refusals[instrument.symbol, Reason.TIME_BACKWARDS] += back
    return rows._replace(seq_ns=reached)


def _merged(parts: list[tuple[Instrument, Rows]], kind: int) -> Iterator[np.ndarray]:
    """Blocks of all parts, by time; equal times in the order of the parts."""
    parts = [(instrument, rows) for instrument, rows in parts if len(rows.seq_ns)]
    if not parts:
        return
    numbers = np.concatenate([np.full(len(rows.seq_ns), instrument.number) for instrument, rows in parts])
    seq = np.concatenate([rows.seq_ns for _, rows in parts])
    event = np.concatenate([rows.event_ns for _, rows in parts])
    columns = {name: np.concatenate([rows.columns[name] for _, rows in parts]) for name in parts[0][1].columns}
    side = (
        np.concatenate([rows.side for _, rows in parts if rows.side is not None])
        if parts[0][1].side is not None
        else None
    )
    order = np.argsort(seq, kind="stable") if len(parts) > 1 else None
    for start in range(0, len(seq), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS) if order is None else order[start : start + BLOCK_ROWS]
        times = seq[part]
        block = inputs(len(times))
        block["kind"], block["version"] = kind, 1
        block["instrument"], block["ts_seq_ns"], block["ts_event_ns"] = numbers[part], times, event[part]
        if side is not None:
            block["side"] = side[part]
        for name, column in columns.items():
            block[name] = column[part]
        yield block
