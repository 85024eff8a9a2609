"""Where definitions come from: a file the user names, a sidecar, the recording itself, or, last and said aloud, the
data.

A definition says tick, lot and filters. Inferred ones take the smallest decimal grid that holds every price and
size of the recording; they have no filters. Fees are never in public market data: they are the venue's base tier,
or 0.1 %, and stated as an assumption.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from paperdesk.domain.assets import Asset, scale_of
from paperdesk.domain.instruments import Instrument, exact, from_exchange_filters
from paperdesk.domain.units import MAX_ORDER_UNITS
from paperdesk.feeds.grid import SIZE_DECIMALS, fitting_decimals
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import Found
from paperdesk.venue.book import TICKS_BOUND

Fees = tuple[Decimal, Decimal]
BASE_FEES: Final[dict[str, Fees]] = {
    "binance": (Decimal("0.001"), Decimal("0.001")),
    "okx": (Decimal("0.0008"), Decimal("0.001")),
    "kraken": (Decimal("0.0025"), Decimal("0.004")),
    "coinbase": (Decimal("0.004"), Decimal("0.006")),
    "bybit": (Decimal("0.001"), Decimal("0.001")),
}
"""Base tiers of spot venues, (maker, taker)."""
DEFAULT_FEES: Final = (Decimal("0.001"), Decimal("0.001"))
TICKS_STALE_NS: Final = 60_000_000_000
BARS_STALE: Final = 3
"""Bars are stale after this many intervals."""
HEADROOM: Final = 4
"""Sizes are given a lot such that the largest seen stays this far below what an order may hold."""


class Entry(NamedTuple):
    """One market's definition as a file gives it: an exchangeInfo entry, or tick, lot and smallest order alone."""

    exchange: Mapping[str, Any] | None
    tick: Decimal = Decimal(0)
    lot: Decimal = Decimal(0)
    smallest: Decimal = Decimal(0)
    fees: Fees | None = None


class Definitions:
    """Definitions by the venue's own symbol ("BTCUSDT"), for one venue or for any ("")."""

    def __init__(self, entries: Mapping[tuple[str, str], Entry], origin: str) -> None:
        self.entries = entries
        self.origin = origin

    def of(self, found: Found) -> Entry | None:
        """The definition of a market; None where there is none."""
        family = found.venue.split(" ")[0]
        for name in [*sorted(found.names), found.base + found.quote, found.symbol]:
            for venue in (family, ""):
                entry = self.entries.get((venue, plain(name)))
                if entry is not None:
                    return entry
        return None


def plain(name: str) -> str:
    """A symbol without its marks, upper case: BTC-USDT → BTCUSDT."""
    return name.upper().replace("/", "").replace("-", "").replace("_", "")


def entries_of(content: Any) -> dict[tuple[str, str], Entry]:
    """Definitions in decoded JSON: {"symbols": [...]} or {"ETH/BTC": {"info": {...}, "maker": 0.001, ...}}; empty
    where it is neither.
    """
    out: dict[tuple[str, str], Entry] = {}
    if not isinstance(content, dict):
        return out
    if isinstance(content.get("symbols"), list):
        for entry in content["symbols"]:
            if isinstance(entry, dict) and isinstance(entry.get("symbol"), str) and entry.get("filters"):
                out["", plain(entry["symbol"])] = Entry(entry)
        return out
    for entry in content.values():
        info = entry.get("info") if isinstance(entry, dict) else None
        if isinstance(info, dict) and isinstance(info.get("symbol"), str) and info.get("filters"):
            maker, taker = entry.get("maker"), entry.get("taker")
            fees = (exact(maker), exact(taker)) if maker is not None and taker is not None else None
            out["", plain(info["symbol"])] = Entry(info, fees=fees)
    return out


class Desk(NamedTuple):
    """What building definitions takes from the user."""

    definitions: Sequence[Definitions]
    scales: Mapping[str, int] | None
    fees: Fees | None


BAR_DECIMALS: Final = 12
"""Decimals of tick and lot together where they are inferred from bars: an order worth 10^6 then has 10^18 tick-lots, which can be counted."""


def build(markets: Sequence[Found], desk: Desk) -> tuple[list[Instrument], list[Asset], list[str]]:
    """Instruments (numbered in the given order), their assets, and what a person should know about them."""
    names = list(dict.fromkeys(name for found in markets for name in (found.base, found.quote)))
    assets = [Asset(number, name, scale_of(name, desk.scales)) for number, name in enumerate(names)]
    by_name = {asset.name: asset for asset in assets}
    notes: list[str] = []
    instruments = []
    for number, found in enumerate(markets):
        instrument = _define(number, found, by_name[found.base], by_name[found.quote], desk, notes)
        try:
            instrument.fields()
        except ValueError as error:
            raise RecordingRefused(
                f"{error}. Declare it under `scales` in the settings file, or give --instruments"
            ) from None
        instruments.append(instrument)
    return instruments, assets, notes


def _define(number: int, found: Found, base: Asset, quote: Asset, desk: Desk, notes: list[str]) -> Instrument:
    entry, origin = None, ""
    for definitions in desk.definitions:
        entry, origin = definitions.of(found), definitions.origin
        if entry is not None:
            break
    if entry is None and found.definition is not None:
        entry, origin = Entry(found.definition), "the recording"
    fees = _fees(found, desk.fees, entry, notes)
    changes: dict[str, Any] = {
        "symbol": found.symbol,
        "maker_fee": fees[0],
        "taker_fee": fees[1],
        "stale_after_ns": _stale_after(found),
    }
    if found.perpetual:
        notes.append(f"{found.symbol}: perpetual prices, traded here as if spot: no leverage, no funding")
    if entry is None:
        return _infer(number, found, base, quote, notes)._replace(**changes)
    if entry.exchange is not None:
        try:
            instrument = from_exchange_filters(number, found.venue, base, quote, entry.exchange, **changes)
        except (ValueError, ArithmeticError, TypeError) as error:
            raise RecordingRefused(
                f"{found.symbol}: the definition in {origin} cannot be used ({error}); give another with --instruments"
            ) from None
    else:
        instrument = Instrument(
            number,
            1,
            "",
            found.venue,
            base,
            quote,
            entry.tick.normalize(),
            entry.lot.normalize(),
            min_quantity=entry.smallest,
            origin="declared",
        )._replace(**changes)
    notes.append(f"{found.symbol}: tick {instrument.tick:f}, lot {instrument.lot:f} from {origin}")
    return instrument


def _infer(number: int, found: Found, base: Asset, quote: Asset, notes: list[str]) -> Instrument:
    price_decimals = fitting_decimals(found.price_decimals, found.largest_price, TICKS_BOUND)
    size_decimals = fitting_decimals(
        min(found.size_decimals, SIZE_DECIMALS, base.scale), found.largest_size, MAX_ORDER_UNITS // HEADROOM
    )
    if found.bars and found.bars == found.events():
        # Nothing but bars: their volumes are taken down to whole lots, so the lot may be coarse enough for orders of a million.
        size_decimals = min(size_decimals, max(0, BAR_DECIMALS - price_decimals))
    tick, lot = Decimal(1).scaleb(-price_decimals), Decimal(1).scaleb(-size_decimals)
    notes.append(f"{found.symbol}: tick {tick:f}, lot {lot:f} inferred from the data; no filters are known")
    if price_decimals < found.price_decimals:
        notes.append(
            f"{found.symbol}: some prices are finer than tick {tick:f}, the finest countable one; they are not used"
        )
    return Instrument(number, 1, found.symbol, found.venue, base, quote, tick, lot, origin="inferred")


def _fees(found: Found, given: Fees | None, entry: Entry | None, notes: list[str]) -> Fees:
    if given is not None:
        return given
    if entry is not None and entry.fees is not None:
        return entry.fees
    family = found.venue.split(" ")[0]
    fees, source = BASE_FEES.get(family, DEFAULT_FEES), "base tier" if family in BASE_FEES else "no table for it"
    notes.append(
        f"{found.symbol}: fees assumed: maker {fees[0] * 100:f} %, taker {fees[1] * 100:f} % "
        f"({found.venue or 'unknown venue'}, {source})"
    )
    return fees


def _stale_after(found: Found) -> int:
    only_bars = found.bars and not (found.trades or found.aggregates or found.quotes or found.updates)
    return BARS_STALE * found.interval_ns if only_bars and found.interval_ns else TICKS_STALE_NS
