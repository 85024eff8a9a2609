"""State as bytes: what a snapshot stores and what a hash covers. Only live rows, by id, never slots, scratch or places.

An account's bytes depend on nothing but the account and the market, so that its hash is the same alone, in company, or in another
shard. The desk's hash is that of the market section and the sorted account hashes. Changing any field of the state changes it.
"""

from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np
from numba import int64

from paperdesk.domain.events import DEPTH
from paperdesk.domain.instruments import INSTRUMENT
from paperdesk.domain.kernel import entry, rows_of
from paperdesk.engine.accounts import chain_bot
from paperdesk.engine.state import ACCOUNT, BOT, CONVERSION, MAX_ASSETS, STATE, new_state
from paperdesk.ledger.journal import BUCKETS, POSITION
from paperdesk.ledger.statement import account_equity
from paperdesk.venue.book import MARKET, is_current, used_row
from paperdesk.venue.levels import write_places
from paperdesk.venue.places import rebuild_places
from paperdesk.venue.table import ORDER

STATE_SCHEMA: Final = 1
DERIVED: Final = frozenset(
    (
        "n_outputs", "n_inbox", "n_used_rows", "n_free_rows", "n_touched", "touched", "next_tick_ns", "before_ns", "nobody", "share_seq",
        "share_lots", "n_held", "n_levels", "n_stops", "free_rows", "inbox", "held", "stops", "outbox", "n_used_levels", "n_free_levels",
        "cursor", "n_used_books", "used_at", "inbox_at", "levels", "free_levels", "level_at", "n_ready", "ready", "leg", "activated_ns",
        "n_trailing", "nearest_peak", "n_parts", "parts",
    )
)  # fmt: skip
"""Top-level fields that follow from others, or are scratch within one input."""

DERIVED_IN_ROWS: Final = {
    "accounts": ("first_order", "last_order", "touched", "first_bot"),
    "bots": ("next_bot",),
    "orders": (
        "next", "previous", "most_key", "least_key", "level", "ahead", "behind", "bound_ahead", "bound_behind", "is_bound",
        "fired_ticks", "part_due",
    ),
    "markets": ("spare", "was_ticks", "was_lots"),
}  # fmt: skip


@entry(rows_of(STATE))
def replace_all(state: Any) -> None:
    """Rebuild the places of a restored state, shape (1,), and the chains of bots."""
    s = state[0]
    rebuild_places(s)
    for bot in range(1, s.n_bots):
        if s.bots[bot].registered == 1:
            chain_bot(s, bot)


@entry(rows_of(STATE), int64, int64)
def own_book(state: Any, account: int, instrument: int) -> int:
    """`used_row` for callers outside compiled code: the row of what an account used up, made where there was none."""
    return used_row(state[0], account, instrument)


@entry(rows_of(STATE))
def places_at(state: Any) -> None:
    """`write_places` for callers outside compiled code: before rows are stored, hashed or looked at."""
    write_places(state[0])


@entry(rows_of(STATE), int64)
def equity_at(state: Any, account: int) -> tuple[bool, int]:
    """`account_equity` for callers outside compiled code."""
    known, equity = account_equity(state[0], account)
    return known, equity


@entry(rows_of(STATE), int64, int64, int64[:, ::1])
def current_entries(state: Any, account: int, instrument: int, out: Any) -> int:
    """Used liquidity of an account that still counts: rows (side, ticks, lots, picture) written to `out`; returns how many."""
    s = state[0]
    row = s.used_at[account, instrument] - 1
    if row < 0:
        return 0
    used, market = s.used[row], s.markets[instrument]
    count = 0
    for side in range(2):
        for place in range(DEPTH):
            if is_current(used, market, side, place):
                out[count, 0] = side
                out[count, 1] = used.ticks[side, place]
                out[count, 2] = used.lots[side, place]
                out[count, 3] = used.picture[side, place]
                count += 1
    return count


TERMS: Final = ("latencies", "tiers", "volumes")
"""Tables with a row an account that most accounts leave empty."""
DESK_FIELDS: Final = ("seq", "ts_seq_ns", "source", "killed", "n_assets", "n_instruments", "n_accounts", "n_bots")


def _bytes(row: Any, omitted: tuple[str, ...] = ()) -> bytes:
    copy = row.copy()
    for name in omitted:
        copy[name] = 0
    return bytes(copy.tobytes())


def market_section(state: np.ndarray[Any, Any]) -> bytes:
    """The desk's own fields, assets, instruments and markets, as msgpack of plain lists and byte strings."""
    s = state[0]
    markets = s["markets"][: int(s["n_instruments"])].copy()
    for name in DERIVED_IN_ROWS["markets"]:
        markets[name] = 0
    for market in markets:
        for side in range(2):
            shown = int(market["count"][side])
            for name in ("ticks", "lots", "shown", "traded"):
                market[name][side, shown:] = 0
    section = [
        STATE_SCHEMA,
        [int(s[name]) for name in DESK_FIELDS],
        [int(scale) for scale in s["scales"][: int(s["n_assets"])]],
        s["instruments"][: int(s["n_instruments"])].tobytes(),
        markets.tobytes(),
    ]
    return msgspec.msgpack.encode(section)


def account_section(state: np.ndarray[Any, Any], account: int) -> bytes:
    """One account: its row, balances, conversions, positions, used liquidity, bots and orders."""
    s = state[0]
    n_assets, n_instruments = int(s["n_assets"]), int(s["n_instruments"])
    balances = s["balances"][account, :n_assets]
    conversions = s["conversions"][account, :n_assets]
    bots = [
        [bot, _bytes(s["bots"][bot], DERIVED_IN_ROWS["bots"]), _positions(s["bot_positions"][bot, :n_instruments])]
        for bot in bots_of(state, account)
    ]
    section = [
        account,
        _bytes(s["accounts"][account], DERIVED_IN_ROWS["accounts"]),
        [[int(asset), balances[asset].tobytes()] for asset in np.flatnonzero(balances.any(axis=1))],
        [[int(asset), conversions[asset].tobytes()] for asset in np.flatnonzero(conversions["declared"])],
        [s[name][account].tobytes() if s[name][account].tobytes().strip(b"\0") else b"" for name in TERMS],
        _positions(s["account_positions"][account, :n_instruments]),
        _used(state, account, n_instruments),
        bots,
        [_bytes(s["orders"][slot], DERIVED_IN_ROWS["orders"]) for slot in order_slots(state, account)],
    ]
    return msgspec.msgpack.encode(section)


def order_slots(state: np.ndarray[Any, Any], account: int) -> list[int]:
    """Rows of an account's orders, by id (live ones, and done ones that a cancel is still on its way to)."""
    s, slots = state[0], []
    slot = int(s["accounts"][account]["first_order"]) - 1
    while slot >= 0:
        slots.append(slot)
        slot = int(s["orders"][slot]["next"]) - 1
    return slots


def bots_of(state: np.ndarray[Any, Any], account: int) -> list[int]:
    """Numbers of an account's bots, in order."""
    s, numbers = state[0], []
    bot = int(s["accounts"][account]["first_bot"])
    while bot > 0:
        numbers.append(bot)
        bot = int(s["bots"][bot]["next_bot"])
    return numbers


def _positions(rows: Any) -> list[list[Any]]:
    return [[place, row.tobytes()] for place, row in enumerate(rows) if any(row.tolist())]


def _used(state: np.ndarray[Any, Any], account: int, n_instruments: int) -> list[list[int]]:
    entries: list[list[int]] = []
    for instrument in range(n_instruments):
        if state[0]["used_at"][account, instrument]:
            found = np.zeros((2 * DEPTH, 4), np.int64)
            count = current_entries(state, account, instrument, found)
            entries.extend([instrument, *row] for row in found[:count].tolist())
    return sorted(entries)


def accounts_of(state: np.ndarray[Any, Any]) -> list[int]:
    """Numbers of the accounts in use."""
    s = state[0]
    return [int(account) for account in np.flatnonzero(s["accounts"]["opened"][: int(s["n_accounts"])])]


def account_hash(state: np.ndarray[Any, Any], account: int) -> str:
    """Hash of one account's section."""
    places_at(state)
    return blake2b(account_section(state, account), digest_size=32).hexdigest()


def state_hash(state: np.ndarray[Any, Any]) -> str:
    """Hash of the whole desk."""
    digest = blake2b(market_section(state), digest_size=32)
    sections = serialise(state)
    del sections["market"]
    for text in sorted(blake2b(section, digest_size=32).hexdigest() for section in sections.values()):
        digest.update(text.encode())
    return digest.hexdigest()


def serialise(state: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """The whole state in parts: "market" and one "account/N" each."""
    places_at(state)
    parts = {"market": market_section(state)}
    for account in accounts_of(state):
        parts[f"account/{account}"] = account_section(state, account)
    return parts


def restore(parts: dict[str, bytes]) -> np.ndarray[Any, Any]:
    """The state that `serialise` described; ValueError if its layout is not this version's."""
    state = new_state()
    s = state[0]
    schema, desk, scales, instruments, markets = msgspec.msgpack.decode(parts["market"])
    if schema != STATE_SCHEMA:
        raise ValueError(f"the snapshot has state layout {schema}, this version reads {STATE_SCHEMA}")
    for name, value in zip(DESK_FIELDS, desk, strict=True):
        s[name] = value
    assert len(scales) <= MAX_ASSETS, "the snapshot fits the tables"
    s["scales"][: len(scales)] = scales
    s["instruments"][: int(s["n_instruments"])] = np.frombuffer(instruments, INSTRUMENT)
    s["markets"][: int(s["n_instruments"])] = np.frombuffer(markets, MARKET)
    for name in sorted(
        (name for name in parts if name.startswith("account/")), key=lambda text: int(text.split("/")[1])
    ):
        _restore_account(state, parts[name])
    replace_all(state)
    return state


def _restore_account(state: np.ndarray[Any, Any], section: bytes) -> None:
    s = state[0]
    account, row, balances, conversions, terms, positions, used, bots, orders = msgspec.msgpack.decode(section)
    s["accounts"][account] = np.frombuffer(row, ACCOUNT)[0]
    for asset, data in balances:
        s["balances"][account, asset] = np.frombuffer(data, "i8", BUCKETS)
    for asset, data in conversions:
        s["conversions"][account, asset] = np.frombuffer(data, CONVERSION)[0]
    for name, data in zip(TERMS, terms, strict=True):
        if data:
            s[name][account] = np.frombuffer(data, STATE[name].base)
    for instrument, data in positions:
        s["account_positions"][account, instrument] = np.frombuffer(data, POSITION)[0]
    for place, (instrument, side, ticks, lots, picture) in enumerate(used):
        entry = s["used"][own_book(state, account, instrument)]
        (
            entry["ticks"][side, place % DEPTH],
            entry["lots"][side, place % DEPTH],
            entry["picture"][side, place % DEPTH],
        ) = ticks, lots, picture
    for bot, data, bot_positions in bots:
        s["bots"][bot] = np.frombuffer(data, BOT)[0]
        for instrument, position in bot_positions:
            s["bot_positions"][bot, instrument] = np.frombuffer(position, POSITION)[0]
    previous = 0
    for data in orders:
        slot = int(s["n_used_rows"])
        s["n_used_rows"] = slot + 1
        s["orders"][slot] = np.frombuffer(data, ORDER)[0]
        s["orders"][slot]["previous"] = previous
        if previous:
            s["orders"][previous - 1]["next"] = slot + 1
        else:
            s["accounts"][account]["first_order"] = slot + 1
        previous = slot + 1
    s["accounts"][account]["last_order"] = previous
