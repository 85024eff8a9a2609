"""Where the desk may send of its own accord: receivers of notifications, from the user's settings, as entries of the door's list.

    [door]
    senders = [{ url = "https://ntfy.example.com/my-desk", purpose = "notify" }]

An entry lets one address be POSTed to, with a JSON object that holds nothing like a credential, and nothing else. The address of an
exchange is refused, by the names below; that list can never be whole, and what holds besides is that no header and no signature of a
caller's passes, without which no exchange takes an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from paperdesk.domain.reasons import Reason
from paperdesk.safety.allowlist import ALLOWED, PLAIN, Entry, Verdict
from paperdesk.safety.credentials import credential_in_name, credential_in_value

PURPOSES: Final = ("notify",)
MOST_SENDERS: Final = 16
MOST_SENT_BYTES: Final = 64 * 1024
MOST_ANSWERED_BYTES: Final = 64 * 1024
EXCHANGE_NAMES: Final = (
    "binance bybit kraken coinbase bitget kucoin mexc huobi bitfinex bitstamp deribit bitmex hyperliquid poloniex bithumb upbit bingx "
    "whitebit phemex coinex bitmart bitrue bitflyer coincheck luno bitvavo bitpanda backpack aevo paradex woox lbank ascendex probit "
    "cryptocom okcoin bittrex hitbtc btcmarkets independentreserve coinone korbit bitso mercadobitcoin novadax indodax tokocrypto wazirx "
    "coindcx alpaca robinhood interactivebrokers ibkr oanda etoro dydx"
).split()
"""Anywhere in a host's name."""
EXCHANGE_DOMAINS: Final = (
    "okx.com okx.cab okex.com gate.io gate.com gateio.ws htx.com gemini.com crypto.com woo.org woo.network cex.io bit.com blofin.com ox.fun "
    "xt.com p2pb2b.com exmo.com exmo.me lighter.xyz vertexprotocol.com apex.exchange bitbank.cc zaif.jp"
).split()
"""These, and all beneath them."""
_SIGNED: Final = re.compile(r"signature|api_?key|listen_?key|recv_?window", re.IGNORECASE)


def entry_of(url: object, purpose: object, number: int) -> Entry:
    """The entry for one receiver, the `number`-th; ValueError with what it must be, completing `the address must be …`."""
    if purpose not in PURPOSES:
        raise ValueError(f"for a purpose that there is: {', '.join(PURPOSES)}")
    plain = PLAIN.fullmatch(url) if isinstance(url, str) and len(url) <= 1_024 else None
    if plain is None or plain["scheme"] != "https" or plain["query"] is not None:
        raise ValueError(
            "written plainly, as in https://ntfy.example.com/my-desk: https, a host in lower case without user or port, and a path of "
            "letters, digits, - and _"
        )
    host = plain["host"]
    if host.rpartition(".")[2].isdigit() or host.endswith((".local", ".localhost", ".internal")):
        raise ValueError("on a host with a public name: the door's TLS trusts names, not numbers")
    if is_exchange(host):
        raise ValueError("no exchange's: the desk has nothing to send to one")
    return Entry(
        name=f"{purpose}-{number}",
        venue="the receiver",
        scheme="https",
        host=host,
        path=plain["path"],
        purpose=str(purpose),
        method="POST",
        most_bytes=MOST_ANSWERED_BYTES,
    )


def is_exchange(host: str) -> bool:
    """Whether a host is one of the market data list, or an exchange's or broker's by its name."""
    if any(host == entry.host or host.endswith(f".{entry.host}") for entry in ALLOWED):
        return True
    bare = host.replace("-", "")
    return any(name in bare for name in EXCHANGE_NAMES) or any(
        host == domain or host.endswith(f".{domain}") for domain in EXCHANGE_DOMAINS
    )


def judge_body(body: bytes) -> Verdict | None:
    """Why a body may not leave; None where it may. It is JSON, an object, of bounded size, and names nothing that signs."""
    if len(body) > MOST_SENT_BYTES:
        return Verdict(None, Reason.NOT_ON_THE_LIST, f"a body of over {MOST_SENT_BYTES:,} bytes")
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return Verdict(None, Reason.NOT_ON_THE_LIST, "a body that is no JSON object")
    if any(_is_odd(text, is_name) for text, is_name in _texts(given)):
        return Verdict(None, Reason.CREDENTIAL_GIVEN, "the body")
    return None


def _texts(value: Any) -> Iterable[tuple[str, bool]]:
    """All names and texts in a decoded body, and whether each is a name."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            yield from ((name, True) for name in one)
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, str):
            yield one, False


def _is_odd(text: str, is_name: bool) -> bool:
    """Whether a name or a text of a body looks like what signs or opens something."""
    if is_name and (_SIGNED.search(text) or credential_in_name(text)):
        return True
    return any(credential_in_value(text[at : at + 4_096]) for at in range(0, len(text), 4_000))
