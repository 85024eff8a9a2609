"""What may leave, as data: host, method, path, parameters, purpose; and the one function that compares an address with it.

An address is not repaired before it is compared: one that is not written in the plain form (lower-case host without
user or port, a path of plain segments, each parameter known and of its shape) is refused, whatever a server would
make of it. So there is nothing to smuggle: no escape, no double slash, no dot segment, no second meaning.

Source of the list: Binance's `faqs/market_data_only.md`, which names what its two keyless hosts serve; of that, what
the desk uses. Neither host takes orders or keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from paperdesk.domain.reasons import Reason
from paperdesk.safety.credentials import credential_in_name, credential_in_value

LONGEST_ADDRESS: Final = 8_192
PORT: Final = 443
SYMBOL: Final = r"[A-Z0-9]{2,30}"
STREAM: Final = (
    r"[a-z0-9]{2,30}@(?:trade|aggTrade|bookTicker|depth(?:@100ms)?|depth(?:5|10|20)(?:@100ms)?"
    r"|kline_(?:1s|1m|3m|5m|15m|30m|1h|2h|4h|6h|8h|12h|1d|3d|1w|1M))"
)
"""A public market stream; no other kind can be named, so none of a user's own can."""
TIME_MS: Final = r"1[0-9]{12}"
SUBSCRIBING: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")

PLAIN = re.compile(
    r"(?P<scheme>[a-z]{1,5})://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"(?P<path>(?:/[A-Za-z0-9_-]+)+)(?:\?(?P<query>[A-Za-z0-9_.,@/=&%-]+))?"
)
_ESCAPES = {"%5B": "[", "%5D": "]", "%22": '"', "%2C": ","}
"""The only escapes: those that a list of symbols needs."""
_CREDENTIAL_HEADER = re.compile(r"auth|cookie|key|sign|token|secret|passw|session|jwt", re.IGNORECASE)
_CREDENTIAL_PARAMETER = re.compile(r"signature|api_?key|listen_?key|recv_?window|timestamp|auth", re.IGNORECASE)
HEADERS: Final[Mapping[str, str]] = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""All that a request says beside what the protocol itself needs; a caller may repeat these and add none."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may leave. `parameters`: names and the shape of their values; `frames`: methods that a client may
    send over the stream (none: it is a request); `most_bytes`: of an answer, or of one incoming frame.
    """

    name: str
    venue: str
    scheme: str
    host: str
    path: str
    purpose: str
    parameters: dict[str, str] = {}
    frames: tuple[str, ...] = ()
    most_bytes: int = 1 << 20
    method: str = "GET"


def _request(name: str, most_bytes: int, purpose: str, **parameters: str) -> Entry:
    return Entry(
        name=name, venue="binance", scheme="https", host="data-api.binance.vision", path=f"/api/v3/{name}",
        purpose=purpose, parameters=parameters, most_bytes=most_bytes,
    )  # fmt: skip


ALLOWED: Final[tuple[Entry, ...]] = (
    _request("ping", 1 << 10, "is the venue there"),
    _request("time", 1 << 10, "the venue's clock, to measure the offset of ours"),
    _request(
        "exchangeInfo", 8 << 20, "tick, lot and filters of the markets that were asked for",
        symbol=SYMBOL, symbols=rf'\["{SYMBOL}"(?:,"{SYMBOL}"){{0,199}}\]',
    ),
    _request("depth", 4 << 20, "the book's snapshot, to which the stream's changes are added", symbol=SYMBOL, limit=r"[1-9][0-9]{0,3}"),
    _request("trades", 1 << 20, "the latest trades, to fill what a disconnect missed", symbol=SYMBOL, limit=r"[1-9][0-9]{0,3}"),
    _request(
        "klines", 2 << 20, "closed bars, to warm indicators up",
        symbol=SYMBOL, interval=r"[0-9]{1,2}[smhdwM]", limit=r"[1-9][0-9]{0,3}", startTime=TIME_MS, endTime=TIME_MS,
    ),
    Entry(
        name="stream", venue="binance", scheme="wss", host="data-stream.binance.vision", path="/stream",
        purpose="trades, best prices and book changes as they happen",
        parameters={"streams": rf"{STREAM}(?:/{STREAM}){{0,1023}}"}, frames=SUBSCRIBING, most_bytes=4 << 20,
    ),
)  # fmt: skip

ELSEWHERE: Final[Mapping[str, tuple[str, ...]]] = {"binance": ("Kraken", "Coinbase", "OKX")}
"""Venues to try where one refuses a region (whether this version has a feed for them is another matter, and said)."""


class Verdict(NamedTuple):
    """What the list says of an address: the entry that allows it, or None and the reason (and a word on it)."""

    entry: Entry | None
    reason: Reason
    detail: str = ""


def judge(
    method: str, address: object, headers: Mapping[str, str] | None = None, allowed: Iterable[Entry] = ALLOWED
) -> Verdict:
    """Compares a request with the list; nothing else decides."""
    for name, value in (headers or {}).items():
        if HEADERS.get(name) == value:
            continue
        if _CREDENTIAL_HEADER.search(name) or credential_in_value(value):
            return Verdict(None, Reason.CREDENTIAL_GIVEN, "a header")
        return Verdict(None, Reason.NOT_ON_THE_LIST, "a header of the caller's own")
    if not isinstance(address, str) or len(address) > LONGEST_ADDRESS:
        return Verdict(None, Reason.BAD_ADDRESS, f"no text of at most {LONGEST_ADDRESS} characters")
    plain = PLAIN.fullmatch(address)
    if plain is None:
        named = _names_in(address)
        if any(_is_credential(name) for name in named):
            return Verdict(None, Reason.CREDENTIAL_GIVEN, "a parameter")
        return Verdict(None, Reason.BAD_ADDRESS, "not in the plain form")
    given = _parameters(plain["query"])
    if given is None:
        return Verdict(None, Reason.BAD_ADDRESS, "its parameters cannot be told apart")
    if any(_is_credential(name) or credential_in_value(value) for name, value in given.items()):
        return Verdict(None, Reason.CREDENTIAL_GIVEN, "a parameter")
    for entry in allowed:
        if (method, plain["scheme"], plain["host"], plain["path"]) == (
            entry.method,
            entry.scheme,
            entry.host,
            entry.path,
        ):
            wrong = _wrong_parameter(entry, given)
            return Verdict(None, Reason.NOT_ON_THE_LIST, wrong) if wrong else Verdict(entry, Reason.NONE)
    return Verdict(None, Reason.NOT_ON_THE_LIST, "no entry has this method, host and path")


def host_in(address: object, allowed: Iterable[Entry] = ALLOWED) -> str:
    """The host of an address where it is one of the list's, else "other": what counters are kept by, so that nothing
    a caller writes can grow them.
    """
    plain = PLAIN.fullmatch(address) if isinstance(address, str) and len(address) <= LONGEST_ADDRESS else None
    hosts = {entry.host for entry in allowed}
    return plain["host"] if plain is not None and plain["host"] in hosts else "other"


def _is_credential(name: str) -> bool:
    return _CREDENTIAL_PARAMETER.search(name) is not None or credential_in_name(name) is not None


def _names_in(address: str) -> list[str]:
    """Names of parameters in an address of any form, for the word that is said about it."""
    return [part.partition("=")[0] for part in re.split(r"[?&#;]", address)[1:]]


def _parameters(query: str | None) -> dict[str, str] | None:
    """Names and values, unescaped; None where a name comes twice, has no value, or an escape is not one of ours."""
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, sign, value = part.partition("=")
        for escape, meant in _ESCAPES.items():
            value = value.replace(escape, meant)
        if not name or not sign or not value or name in found or "%" in name or "%" in value or "=" in value:
            return None
        found[name] = value
    return found


def _wrong_parameter(entry: Entry, given: Mapping[str, str]) -> str:
    """Which parameter does not fit the entry, or nothing."""
    for name, value in given.items():
        shape = entry.parameters.get(name)
        if shape is None:
            return "a parameter that the entry does not name"
        if re.fullmatch(shape, value) is None:
            return f"a value that is none for {name}"
    return ""
