"""What every format of recording has in common: what was found in it, and how its bytes are read.

A recording is opened in two passes. The first looks at everything once: which markets there are, how many decimals
their prices need, whether definitions and snapshots are inside. The second, repeated at will, reduces it to blocks
of inputs.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import zstandard

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import text_decimals
from paperdesk.feeds.port import RecordingRefused, Refusals

CHUNK_BYTES: Final = 1 << 15
"""Read at once; what it unpacks to, and its lines, then stay in the processor's cache."""
LATEST_NS: Final = 2**62
LONGEST_LINE_BYTES: Final = 64 << 20
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
GZIP_MAGIC: Final = b"\x1f\x8b"
PARQUET_MAGIC: Final = b"PAR1"
QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDS", "DAI", "EUR", "GBP", "TRY", "BRL", "AUD", "CAD", "CHF",
    "RUB", "UAH", "JPY", "KRW", "IDRT", "BIDR", "BKRW", "NGN", "ZAR", "PLN", "RON", "ARS", "USD",
    "BTC", "ETH", "BNB", "XRP", "TRX", "DOGE",
)  # fmt: skip
"""Quote assets, as a venue's run-together symbol ends ("ETHBTC"); the longest that fits wins."""


@dataclass(slots=True)
class Found:
    """One market of a recording, as the first pass saw it."""

    symbol: str
    """BASE/QUOTE, or BASE/QUOTE:SETTLE for a contract."""
    base: str
    quote: str
    venue: str
    inverse: bool = False
    perpetual: bool = False
    price_decimals: int = 0
    size_decimals: int = 0
    largest_price: float = 0.0
    largest_size: float = 0.0
    trades: int = 0
    aggregates: int = 0
    quotes: int = 0
    updates: int = 0
    snapshots: int = 0
    bars: int = 0
    interval_ns: int = 0
    first_price: float = 0.0
    definition: Mapping[str, Any] | None = None
    """The venue's own definition (an exchangeInfo entry), where the recording holds it."""
    names: set[str] = field(default_factory=set)
    """What the recording itself calls the market."""
    prices: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)

    def settle_texts(self) -> None:
        """Works out decimals and largest values from the texts collected so far, and forgets the texts."""
        for texts, name in ((self.prices, "price"), (self.sizes, "size")):
            if texts:
                decimals = max(map(text_decimals, texts))
                largest = max(map(_rough, texts))
                setattr(self, f"{name}_decimals", max(decimals, getattr(self, f"{name}_decimals")))
                setattr(self, f"largest_{name}", max(largest, getattr(self, f"largest_{name}")))
                texts.clear()

    def events(self) -> int:
        """How many inputs the market will roughly give."""
        return self.trades + self.aggregates + self.quotes + self.updates + self.snapshots + self.bars


def _rough(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if value < 1e30 else 0.0


class Recording(Protocol):
    """One file (or pair of files), opened."""

    path: Path
    kind: str
    digest: bytes
    found: dict[str, Found]
    """By canonical symbol."""
    notes: list[str]

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """INPUT blocks of the wanted instruments (by canonical symbol), in order of ts_seq_ns."""


def digest_of(path: Path) -> bytes:
    """Hash over a file's bytes."""
    state = blake2b(digest_size=32)
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            state.update(chunk)
    return state.digest()


def split_symbol(name: str) -> tuple[str, str] | None:
    """("BTC", "USDT") for BTCUSDT, BTC-USDT, BTC_USDT, btc/usdt; None where no known quote asset fits."""
    upper = name.upper()
    for mark in "/-_":
        if mark in upper:
            base, _, quote = upper.partition(mark)
            return (base, quote) if base and quote and mark not in quote else None
    for quote in sorted(QUOTES, key=len, reverse=True):
        if upper.endswith(quote) and len(upper) > len(quote):
            return upper.removesuffix(quote), quote
    return None


class Truncated(Exception):  # noqa: N818  tells how a file ends; never leaves this room
    """The file ends in the middle, or its compression is damaged from here on."""


def chunks(path: Path) -> Iterator[bytes]:
    """The file's content, decompressed (zstd, gzip or plain, by its first bytes); Truncated where it breaks off."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head == ZSTD_MAGIC:
            yield from _zstd(iter(lambda: file.read(CHUNK_BYTES), b""))
        elif head[:2] == GZIP_MAGIC:
            yield from _gzip(path)
        else:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")


def _zstd(parts: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    for part in parts:
        rest = part
        while rest:
            if decoder.eof:
                decoder, fresh = zstandard.ZstdDecompressor().decompressobj(), True
            try:
                out = decoder.decompress(rest)
            except zstandard.ZstdError as error:
                raise Truncated(f"damaged compression ({error})") from None
            fresh = False
            rest = decoder.unused_data if decoder.eof else b""
            if out:
                yield out
    if not fresh and not decoder.eof:
        raise Truncated("the compressed data breaks off")


def _gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        while True:
            try:
                part = file.read(CHUNK_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise Truncated(f"damaged compression ({error})") from None
            if not part:
                return
            yield part


def lines(path: Path, refusals: Refusals | None = None) -> Iterator[list[bytes]]:
    """The file's lines in batches, without their ends, blank ones left out.

    Where the file breaks off, what came before is given, then one CORRUPT_LINE is counted (`refusals`), or
    Truncated raised (None).
    """
    rest = b""
    try:
        for chunk in chunks(path):
            batch = (rest + chunk).split(b"\n")
            rest = batch.pop()
            if len(rest) > LONGEST_LINE_BYTES:
                raise RecordingRefused(
                    f"{path.name}: no line ends within {LONGEST_LINE_BYTES >> 20} MiB; this is no recording of lines"
                )
            if not all(batch) or any(map(bytes.isspace, batch)):
                batch = [line for line in batch if line and not line.isspace()]
            if refusals is not None:
                refusals.read += len(batch)
            if batch:
                yield batch
    except Truncated:
        if rest.strip():
            yield [rest]
        if refusals is None:
            raise
        refusals["", Reason.CORRUPT_LINE] += 1
        return
    if rest.strip():
        yield [rest]


def followed(batches: Iterator[list[bytes]]) -> Iterator[tuple[list[bytes], bytes]]:
    """Batches of lines (none empty), each with the line that comes after it: nothing, after the last."""
    batch = next(batches, None)
    while batch is not None:
        following = next(batches, None)
        yield batch, following[0] if following is not None else b""
        batch = following


def head_lines(path: Path, count: int) -> list[bytes]:
    """The first lines (at most `count`), as far as the file can be read; RecordingRefused where that is nowhere."""
    out: list[bytes] = []
    try:
        for batch in lines(path):
            out += batch[: count - len(out)]
            if len(out) >= count:
                break
    except Truncated as error:
        if not out:
            raise RecordingRefused(f"{path.name} cannot be read: {error}. Copy the file again") from None
    return out


def whole(path: Path) -> bytes:
    """The whole content, decompressed; RecordingRefused where it breaks off."""
    try:
        return b"".join(chunks(path))
    except Truncated as error:
        raise RecordingRefused(f"{path.name}: {error}. Copy the file again") from None


def to_ns(time: int) -> int:
    """Seconds, milli-, micro- or nanoseconds since 1970 (told by size) in nanoseconds; ValueError beyond LATEST_NS."""
    if time < 100_000_000_000:
        ns = time * 1_000_000_000
    elif time < 100_000_000_000_000:
        ns = time * 1_000_000
    else:
        ns = time * 1_000 if time < 100_000_000_000_000_000 else time
    if not 0 <= ns <= LATEST_NS:
        raise ValueError(f"{time} is no time between 1970 and 2116")
    return ns


def decimal_ns(text: str) -> int:
    """Seconds with a fraction, as text, in nanoseconds; exact. ValueError for anything else."""
    whole_part, _, part = text.partition(".")
    digits = whole_part + (part + "000000000")[:9]
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is no time in seconds")
    return to_ns(int(digits))


def json_or_none(data: bytes) -> Any:
    """Decoded JSON, or None where it is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError):
        return None
