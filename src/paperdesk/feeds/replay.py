"""Recordings as one feed: opened by what is in them, defined, merged by time.

    feed = open_recordings([Path("l2/binance_BTCUSDT.jsonl.zst"), Path("ohlcv")], ["BTC/USDT"])
    for block in feed.blocks(): ...

Several recordings, of several markets, become one stream in order of `ts_seq_ns`; at equal times the order of the
files decides. A market that lies in several recordings (snapshot and updates, quotes and trades, two years of bars)
is one instrument.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import InputKind
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.definitions import read_definitions
from paperdesk.feeds.detect import SIDECAR, open_paths
from paperdesk.feeds.instruments import Definitions, Desk, Fees, build, entries_of, plain
from paperdesk.feeds.merging import merge
from paperdesk.feeds.port import Label, RecordingRefused, Refusals, without_first
from paperdesk.feeds.recording import Found, Recording, digest_of, json_or_none, whole

READER_VERSION: Final = 2
"""Goes up whenever the same bytes are read as other inputs: sources of another version are other sources."""


class Replay:
    """A feed of recordings; see `port.Feed`."""

    label: Label = "REPLAY"

    def __init__(
        self,
        recordings: Sequence[Recording],
        instruments: Sequence[Instrument],
        assets: Sequence[Asset],
        notes: list[str],
        source: int,
    ) -> None:
        self.instruments, self.assets, self.notes, self.source = instruments, assets, notes, source
        self.recordings = recordings
        self.refusals = Refusals()
        wanted = {instrument.symbol for instrument in instruments}
        self.expected: int | None = sum(
            found.events() for recording in recordings for found in recording.found.values() if found.symbol in wanted
        )

    def blocks(self, skip: int = 0) -> Iterator[np.ndarray]:
        """See `port.Feed.blocks`."""
        self.refusals.clear()
        self.refusals.read = 0
        by_symbol = {instrument.symbol: instrument for instrument in self.instruments}
        streams = []
        for recording in self.recordings:
            held = {symbol: instrument for symbol, instrument in by_symbol.items() if symbol in recording.found}
            streams.append(recording.blocks(held, self.refusals))
        blocks = streams[0] if len(streams) == 1 else merge(streams)
        doubled = self._doubled(by_symbol)
        if doubled:
            blocks = self._once(blocks, doubled)
        return without_first(blocks, skip)

    def _doubled(self, by_symbol: Mapping[str, Instrument]) -> dict[int, str]:
        """Instruments whose trades lie in more than one recording."""
        counts = Counter(
            symbol
            for recording in self.recordings
            for symbol, found in recording.found.items()
            if found.trades and symbol in by_symbol
        )
        return {by_symbol[symbol].number: symbol for symbol, count in counts.items() if count > 1}

    def _once(self, blocks: Iterator[np.ndarray], doubled: Mapping[int, str]) -> Iterator[np.ndarray]:
        """Leaves out trades of those instruments whose id was seen before."""
        seen: dict[int, set[int]] = {number: set() for number in doubled}
        for block in blocks:
            keep = np.ones(len(block), bool)
            for index in np.flatnonzero(
                (block["kind"] == InputKind.TRADE) & np.isin(block["instrument"], list(doubled))
            ):
                number, trade_id = int(block["instrument"][index]), int(block["trade_id"][index])
                if trade_id and trade_id in seen[number]:
                    keep[index] = False
                    self.refusals[doubled[number], Reason.DUPLICATE] += 1
                seen[number].add(trade_id)
            if keep.any():
                yield block if keep.all() else block[keep]


def open_recordings(
    paths: Sequence[Path],
    symbols: Sequence[str],
    *,
    instruments_file: Path | None = None,
    scales: Mapping[str, int] | None = None,
    venue: str | None = None,
    fees: Fees | None = None,
) -> Replay:
    """Opens files and folders as one feed of the given symbols ("BTC/USDT", the venue's own spelling works too; none:
    all there are).

    `venue` picks one where the recordings are of several, and names it where they do not say. RecordingRefused,
    with what to do, for paths that hold nothing to replay, unknown symbols, and contracts that cannot be traded
    here.
    """
    if not paths:
        raise RecordingRefused("no recording was named; give --data PATH, a file or a folder")
    recordings, notes = open_paths(paths, symbols)
    markets = _choose(recordings, symbols, venue, notes)
    definitions = [read_definitions(instruments_file)] if instruments_file is not None else []
    definitions += [sidecar for recording in recordings if (sidecar := _sidecar(recording.path)) is not None]
    instruments, assets, more = build(markets, Desk(definitions, scales, fees))
    chosen = {found.symbol for found in markets}
    kept = [recording for recording in recordings if chosen & set(recording.found)]
    notes += [note for recording in kept for note in recording.notes]
    identity = blake2b(digest_size=8)
    for recording in kept:
        identity.update(recording.digest)
    identity.update(repr((READER_VERSION, [tuple(instrument) for instrument in instruments])).encode())
    if instruments_file is not None:
        identity.update(digest_of(instruments_file))
    source = int.from_bytes(identity.digest(), "little") % 2**62
    return Replay(kept, instruments, assets, notes + more, source)


def _sidecar(path: Path) -> Definitions | None:
    """Definitions beside a recording, `<recording>.instruments.json`, in exchangeInfo form."""
    beside = path.with_name(path.name + SIDECAR)
    if not beside.is_file():
        return None
    entries = entries_of(json_or_none(whole(beside)))
    if not entries:
        raise RecordingRefused(
            f"{beside.name} holds no definitions; expected exchangeInfo JSON. Mend it or take it away"
        )
    return Definitions(entries, beside.name)


def _choose(
    recordings: Sequence[Recording], symbols: Sequence[str], venue: str | None, notes: list[str]
) -> list[Found]:
    """The markets to trade, one `Found` a symbol (of several recordings: put together)."""
    held: dict[str, list[Found]] = {}
    if venue is not None and any(
        found.venue == venue for recording in recordings for found in recording.found.values()
    ):
        for recording in recordings:
            for symbol in [symbol for symbol, found in recording.found.items() if found.venue not in (venue, "")]:
                del recording.found[symbol]
    for recording in recordings:
        for found in recording.found.values():
            if venue is not None and not found.venue:
                found.venue = venue
            held.setdefault(found.symbol, []).append(found)
    names = {
        plain(name): symbol for symbol, founds in held.items() for found in founds for name in (symbol, *found.names)
    }
    names |= {plain(symbol): symbol for symbol in held}
    listing = ", ".join(sorted(held)) or "nothing"
    chosen = []
    for name in symbols or sorted(symbol for symbol, founds in held.items() if symbols or not founds[0].inverse):
        if plain(name) not in names:
            raise RecordingRefused(
                f"the recordings hold no {name}. They hold: {listing}. Name one of these with --symbols"
            )
        symbol = names[plain(name)]
        if held[symbol][0].inverse:
            raise RecordingRefused(_inverse(symbol))
        if symbol not in chosen:
            chosen.append(symbol)
    left_out = sorted(symbol for symbol, founds in held.items() if founds[0].inverse)
    if not chosen:
        raise RecordingRefused(
            _inverse(left_out[0]) if left_out else f"there is nothing to replay: the recordings hold {listing}"
        )
    if left_out:
        notes.append(f"left out, because inverse contracts are not traded here: {', '.join(left_out)}")
    return [_together(symbol, held[symbol]) for symbol in chosen]


def _inverse(symbol: str) -> str:
    return (
        f"{symbol} is an inverse contract: its size is counted in contracts of dollars and settled in coin, "
        "which a spot account cannot hold. "
        "Choose a spot or linear (USDT-margined) market"
    )


def _together(symbol: str, founds: Sequence[Found]) -> Found:
    venues = sorted({found.venue for found in founds if found.venue})
    if len(venues) > 1:
        raise RecordingRefused(
            f"{symbol} is recorded at several venues ({', '.join(venues)}), "
            "whose prices must not be mixed; give recordings of one venue, or choose one"
        )
    first = founds[0]
    if len(founds) == 1:
        return first
    whole_market = Found(
        symbol, first.base, first.quote, venues[0] if venues else "", perpetual=any(found.perpetual for found in founds)
    )
    for found in founds:
        whole_market.names |= found.names
        whole_market.definition = whole_market.definition or found.definition
        whole_market.interval_ns = max(whole_market.interval_ns, found.interval_ns)
        for name in ("price_decimals", "size_decimals", "largest_price", "largest_size"):
            setattr(whole_market, name, max(getattr(whole_market, name), getattr(found, name)))
        for name in ("trades", "aggregates", "quotes", "updates", "snapshots", "bars"):
            setattr(whole_market, name, getattr(whole_market, name) + getattr(found, name))
    return whole_market
