"""Recorded sessions: REST answers, subscriptions and frames of several connections in one file, as a recorder wrote
them.

    {"t":"header","exchange":"BINANCE",…}
    {"t":"http","conn":"…","ts":1633998512.320639,"url":"https://…/depth?symbol=NKNUSDT&limit=1000","data":"{\\"lastUpdateId\\":…}"}
    {"t":"recv","conn":"…","ts":1633998512.0633569,"data":"{\\"stream\\":\\"nknusdt@depth@100ms\\",…}"}

and in the older text form `configuration: …`, `URL -> seconds: answer`, `URL <- seconds: sent`, `URL <-> seconds`,
`seconds: frame`. Lines are grouped by connection, so they are put in order of time first. The answer with the
venue's definitions, where there is one, defines the instruments. Sessions of Binance's venues and of Bybit can be
replayed.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.binance import CORRUPT, DECODE, Reader, Scan
from paperdesk.feeds.bybit import Bybit
from paperdesk.feeds.messages import Dialect
from paperdesk.feeds.port import RecordingRefused, Refusals
from paperdesk.feeds.recording import Found, Truncated, decimal_ns, digest_of, json_or_none, lines
from paperdesk.feeds.sequenced import SequencedMarket
from paperdesk.feeds.writer import Writer

BINANCE_PLACES: Final = (
    ("dapi.", "binancecoinm"),
    ("dstream.", "binancecoinm"),
    ("fapi.", "binanceusdm"),
    ("fstream.", "binanceusdm"),
)
MICROSECOND: Final = 1_000
FRAMES_A_TURN: Final = 1_000


class Entry(msgspec.Struct, gc=False):
    """One line of the JSON form."""

    t: str
    ts: float = 0.0
    conn: str = ""
    url: str = ""
    addr: str = ""
    data: str = ""
    exchange: str = ""


ENTRY: Final = msgspec.json.Decoder(Entry).decode


class Received(NamedTuple):
    """Something that came in: when, in answer to which URL ("" for frames), and what."""

    ts_ns: int
    url: str
    data: bytes
    connection: str = ""


def is_session(head: Sequence[bytes]) -> bool:
    """Whether the first lines are those of a recorded session, in either form."""
    if not head:
        return False
    if head[0].startswith(b"configuration: ") or b" <-> " in head[0][:4000] or b" -> " in head[0][:400]:
        return True
    first = json_or_none(head[0])
    return isinstance(first, dict) and (first.get("t") == "header" or {"t", "conn", "ts"} <= set(first))


class Session:
    """A recorded session."""

    kind = "recorded session"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digest = digest_of(path)
        self.notes: list[str] = []
        self._corrupt = 0
        self._places: list[str] = []
        self._addresses: dict[str, str] = {}
        self._received = sorted(self._read(), key=lambda received: received.ts_ns)
        self._dialects: dict[str, Dialect] = {}
        places = " ".join(self._places).lower()
        self._by_name: dict[str, Found] = {}
        if "binance" in places or not places.strip():
            self.found = self._look_binance(places)
        elif "bybit" in places:
            self.found = self._look_bybit()
        else:
            raise RecordingRefused(
                f"{path.name}: a session recorded at {self._places[0][:60]}; "
                "only those of Binance's venues and of Bybit can be replayed"
            )
        if not self.found:
            raise RecordingRefused(f"{path.name}: a recorded session in which no market data came")

    def _read(self) -> Iterator[Received]:
        try:
            for batch in lines(self.path):
                for line in batch:
                    try:
                        received = self._json(line) if line.startswith(b"{") else self._text(line.decode())
                    except CORRUPT:
                        self._corrupt += 1
                        continue
                    if received is not None:
                        yield received
        except Truncated as error:
            self._corrupt += 1
            self.notes.append(f"{self.path.name}: {error}; what came before is used")

    def _json(self, line: bytes) -> Received | None:
        entry = ENTRY(line)
        self._places += [place for place in (entry.exchange, entry.addr, entry.url) if place]
        if entry.t == "connect":
            self._addresses[entry.conn] = entry.addr
        if entry.t not in ("http", "recv") or not entry.data:
            return None
        return Received(round(entry.ts * 1e6) * MICROSECOND, entry.url, entry.data.encode(), entry.conn)

    def _text(self, line: str) -> Received | None:
        if line.startswith("configuration: "):
            return None
        if line[:1].isdigit():
            stamp, _, data = line.partition(": ")
            return Received(decimal_ns(stamp), "", data.encode())
        place, arrow, rest = line.partition(" -> ")
        if not arrow:
            self._places.append(line.partition(" <-")[0])
            return None
        self._places.append(place)
        stamp, _, data = rest.partition(": ")
        return Received(decimal_ns(stamp), place, data.encode())

    def _look_binance(self, places: str) -> dict[str, Found]:
        venue = next((name for mark, name in BINANCE_PLACES if mark in places), "")
        if not venue and places:
            venue = "binanceus" if "binance.us" in places or "binance_us" in places else "binance"
        scan = Scan(venue)
        definitions: dict[str, Mapping[str, Any]] = {}
        for received in self._received:
            if received.url and b'"filters"' in received.data:
                content = json_or_none(received.data)
                if isinstance(content, dict) and isinstance(content.get("symbols"), list):
                    definitions |= {
                        str(entry.get("symbol")): entry for entry in content["symbols"] if isinstance(entry, dict)
                    }
                continue
            try:
                frame = DECODE(received.data)
            except CORRUPT:
                continue
            scan.see(frame.data if frame.data is not None else frame, _symbol_of(received.url))
        for name, found in scan.found.items():
            entry = definitions.get(name)
            if entry is not None and entry.get("baseAsset") and entry.get("quoteAsset"):
                found.definition, found.base, found.quote = entry, str(entry["baseAsset"]), str(entry["quoteAsset"])
        self._by_name = scan.found
        return scan.finish()

    def _look_bybit(self) -> dict[str, Found]:
        """Each connection is of one category, which its address names: spot, linear or inverse."""
        for connection, address in self._addresses.items():
            if address.endswith(("/spot", "/linear")):
                self._dialects[connection] = Bybit(settled=address.endswith("/linear"))
        for received in self._received:
            dialect = self._dialects.get(received.connection)
            if dialect is not None:
                try:
                    dialect.see(received.data)
                except CORRUPT:
                    continue
        markets = [found for dialect in self._dialects.values() for found in dialect.found.values()]
        for found in markets:
            found.settle_texts()
        return {found.symbol: found for found in markets if found.events()}

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        if self._corrupt:
            refusals["", Reason.CORRUPT_LINE] += self._corrupt
        writer = Writer(refusals)
        for dialect in self._dialects.values():
            dialect.begin(instruments, writer)
        markets = {
            name: SequencedMarket(instruments[found.symbol], writer)
            for name, found in self._by_name.items()
            if found.symbol in instruments
        }
        reader = Reader(markets, self._by_name, writer)
        for index, received in enumerate(self._received):
            try:
                if self._dialects:
                    if received.connection in self._dialects:
                        self._dialects[received.connection].take(received.data, received.ts_ns)
                elif not (received.url and b'"filters"' in received.data):
                    frame = DECODE(received.data)
                    reader.take(frame.data or frame, received.ts_ns, _symbol_of(received.url))
            except CORRUPT:
                refusals["", Reason.CORRUPT_LINE] += 1
            if index % FRAMES_A_TURN == 0:
                yield from writer.drain()
        yield from writer.finish()


def _symbol_of(url: str) -> str:
    """The `symbol` parameter of a URL, or nothing."""
    _, mark, rest = url.partition("symbol=")
    return rest.partition("&")[0].upper() if mark else ""
