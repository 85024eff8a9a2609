"""An independent record of a run: what was tried, what was acknowledged, and what must be true of any log and state.

Nothing here asks the product what it believes. The witness stands between the loop and its journal; books are kept from
the stated postings alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from paperdesk.app.journal import RunJournal
from paperdesk.domain.events import INPUT_BYTES, OUTPUT, InputKind, OutputKind
from paperdesk.engine.drive import SEQ, SEQ_AT
from paperdesk.engine.state import MAX_ASSETS
from paperdesk.ledger.journal import BUCKETS, RESERVED, Purpose

Entry = tuple[bytes, bytes]
"""One input as stored, and its outputs."""
Rows = np.ndarray[Any, Any]

ACCOUNT_FACTS = (
    "opened epoch source reporting latency_ns equity_every_ns killed next_order next_fill epoch_orders limits".split()
)
BOT_FACTS = "registered account killed stopped limits".split()
ORDER_ESTIMATES = frozenset(
    (
        "most_lots least_lots level_lots seen_picture most_key least_key level ahead behind bound_ahead bound_behind is_bound"
        " rank rested rested_ns place next previous"
    ).split()
)
"""What another engine version estimates anew."""


class Record:
    """What is known of a run outside of it. Entries are in the order of their seq."""

    def __init__(self) -> None:
        self.acknowledged: list[Entry] = []
        self.attempted: list[Entry] = []
        """After the acknowledged ones: what may be in the log, and may be lost."""
        self.handed_on: list[bytes] = []
        """Outputs that left the desk since the last acknowledgement."""

    def hand_on(self, rows: Rows) -> None:
        """The desk's outlet: rows that it says are durable."""
        self.handed_on.append(rows.tobytes())

    def acknowledge(self) -> None:
        """A commit has succeeded: all that was tried is promised now, and its outputs have left, once and in order."""
        expected, left = b"".join(outputs for _, outputs in self.attempted), b"".join(self.handed_on)
        assert left == expected, "other outputs left the desk than were stated"
        self.acknowledged += self.attempted
        self.attempted, self.handed_on = [], []

    def forget(self) -> None:
        """The desk is gone."""
        assert self.handed_on == [], "outputs left the desk before they were durable"

    def compare(self, found: list[Entry]) -> int:
        """Hold a log against the record, and take it as the truth from now on; how many unacknowledged entries it kept."""
        promised = len(self.acknowledged)
        assert len(found) >= promised, f"{promised - len(found)} acknowledged inputs are lost (of {promised})"
        assert found[:promised] == self.acknowledged, "an acknowledged input or output was changed"
        tail = found[promised:]
        assert tail == self.attempted[: len(tail)], "the log holds something that nobody put there"
        self.acknowledged, self.attempted, self.handed_on = found, [], []
        return len(tail)


class Witness:
    """A `Journal` that notes everything on its way to the run's own."""

    def __init__(self, journal: RunJournal, record: Record) -> None:
        """Both are written to."""
        self.journal, self.record = journal, record

    def take_input(self, data: bytes) -> None:
        """See `Journal.take_input`."""
        self.record.attempted.append((data, b""))
        self.journal.take_input(data)

    def take_outputs(self, rows: Rows) -> None:
        """See `Journal.take_outputs`."""
        data, nothing = self.record.attempted[-1]
        assert nothing == b"" and len(rows) > 0, "outputs come once an input"
        self.record.attempted[-1] = (data, rows.tobytes())
        self.journal.take_outputs(rows)

    def take_note(self, note: dict[str, Any]) -> None:
        """See `Journal.take_note`."""
        self.journal.take_note(note)


class Collector:
    """A `Journal` of a desk that never ends."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def take_input(self, data: bytes) -> None:
        """See `Journal.take_input`."""
        self.entries.append((data, b""))

    def take_outputs(self, rows: Rows) -> None:
        """See `Journal.take_outputs`."""
        self.entries[-1] = (self.entries[-1][0], rows.tobytes())

    def take_note(self, note: dict[str, Any]) -> None:
        """Nothing."""


def kind_and_bot(data: bytes) -> tuple[int, int]:
    """Kind and bot of a stored input."""
    return int.from_bytes(data[:2], "little", signed=True), int.from_bytes(data[20:24], "little", signed=True)


def is_outside(data: bytes, bots: frozenset[int]) -> bool:
    """Whether an input came from the feed or from people, not from the desk or its own bots."""
    kind, bot = kind_and_bot(data)
    return (kind != InputKind.ENGINE_UPGRADED and bot not in bots) or kind == InputKind.REGISTER_BOT


def check_numbers(entries: list[Entry]) -> Rows:
    """Everything is numbered without holes, orders and fills of each account too; all outputs, shape (n,)."""
    assert [SEQ.unpack_from(data, SEQ_AT)[0] for data, _ in entries] == list(range(1, len(entries) + 1)), (
        "seq has a hole"
    )
    assert all(len(data) <= INPUT_BYTES for data, _ in entries)
    rows = np.frombuffer(b"".join(outputs for _, outputs in entries), OUTPUT)
    counts = np.array([len(outputs) // OUTPUT.itemsize for _, outputs in entries], np.int64)
    assert np.array_equal(rows["seq"], np.repeat(np.arange(1, len(entries) + 1), counts)), (
        "an output names another input"
    )
    ordered = rows[np.isin(rows["kind"], (OutputKind.ORDER_SUBMITTED, OutputKind.ORDER_DENIED))]
    fills = rows[rows["kind"] == OutputKind.FILL]
    for account in np.unique(rows["account"]).tolist():
        ids = ordered["order_id"][ordered["account"] == account]
        assert np.array_equal(ids, np.arange(1, len(ids) + 1)), f"account {account}: orders are not numbered one by one"
        ids = fills["fill_id"][fills["account"] == account]
        assert np.array_equal(ids, np.arange(1, len(ids) + 1)), f"account {account}: a fill is missing or doubled"
    return rows


def check_books(state: Rows, rows: Rows) -> None:
    """The state's balances and reserves are what the postings say, and the books balance; `rows` are all outputs."""
    postings = rows[rows["kind"] == OutputKind.POSTING]
    count = int(state[0]["n_accounts"])
    books = np.zeros((count, MAX_ASSETS, BUCKETS), np.int64)
    where, amounts = (postings["account"], postings["asset"]), postings["amount_units"]
    np.subtract.at(books, (*where, postings["source_bucket"]), amounts)
    np.add.at(books, (*where, postings["target_bucket"]), amounts)
    balances = state[0]["balances"][:count]
    assert np.array_equal(books, balances), "a balance differs from the sum of its postings"
    assert not balances.sum(axis=2).any(), "the trial balance is not zero"
    assert (balances[:, :, : RESERVED + 1] >= 0).all(), "free or reserved is negative"
    orders = state[0]["orders"][: int(state[0]["n_used_rows"])]
    orders = orders[(orders["id"] > 0) & (orders["reserved_units"] != 0)]
    instruments = state[0]["instruments"]
    asset = np.where(
        orders["side"] == 1,
        instruments["quote_asset"][orders["instrument"]],
        instruments["base_asset"][orders["instrument"]],
    )
    needed = np.zeros((count, MAX_ASSETS), np.int64)
    np.add.at(needed, (orders["account"], asset), orders["reserved_units"])
    assert np.array_equal(needed, balances[:, :, RESERVED]), "reserved differs from what the open orders hold"
    kept: dict[tuple[int, int], int] = {}
    for purpose, sign in ((Purpose.RESERVE, 1), (Purpose.RELEASE, -1), (Purpose.PAY, -1)):
        part = postings[postings["purpose"] == purpose]
        keys = zip(part["account"].tolist(), part["order_id"].tolist(), strict=True)
        for key, amount in zip(keys, part["amount_units"].tolist(), strict=True):
            kept[key] = kept.get(key, 0) + sign * amount
    held = {(int(row["account"]), int(row["id"])): int(row["reserved_units"]) for row in orders}
    assert {key: units for key, units in kept.items() if units} == held, "an order's reserve differs from its postings"


def facts(state: Rows) -> dict[str, Any]:
    """What an engine of another version must take over from the outputs: money, accounts, bots, positions, orders."""
    s = state[0]
    orders = {}
    for row in s["orders"][: int(s["n_used_rows"])]:
        if row["id"] > 0 and row["status"] > 0:
            known = {name: row[name].item() for name in row.dtype.names if name not in ORDER_ESTIMATES}
            orders[int(row["account"]), int(row["id"])] = known
    positions = {}
    for scope in ("account_positions", "bot_positions"):
        for owner, instrument in np.argwhere(s[scope].view(np.int64).reshape(*s[scope].shape, -1).any(axis=2)).tolist():
            positions[scope, owner, instrument] = s[scope][owner, instrument].item()
    return {
        "seq": int(s["seq"]),
        "ts_seq_ns": int(s["ts_seq_ns"]),
        "source": int(s["source"]),
        "killed": int(s["killed"]),
        "balances": s["balances"].tobytes(),
        "conversions": s["conversions"].tobytes(),
        "instruments": s["instruments"].tobytes(),
        **{f"accounts.{name}": s["accounts"][name].tolist() for name in ACCOUNT_FACTS},
        **{f"bots.{name}": s["bots"][name].tolist() for name in BOT_FACTS},
        "positions": positions,
        "orders": orders,
    }


def told_difference(mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """The first places where two sets of facts differ, empty where they agree."""
    for name, value in mine.items():
        other = theirs[name]
        if value != other and isinstance(value, dict):
            keys = [key for key in {**value, **other} if value.get(key) != other.get(key)][:3]
            return f"{name}: " + "; ".join(f"{key}: {value.get(key)} instead of {other.get(key)}" for key in keys)
        if value != other and isinstance(value, list):
            places = [place for place, pair in enumerate(zip(value, other, strict=True)) if pair[0] != pair[1]][:3]
            return f"{name}: " + "; ".join(f"[{place}] {value[place]} instead of {other[place]}" for place in places)
        if value != other:
            return f"{name} differs" + (f": {value} instead of {other}" if isinstance(value, int) else "")
    return ""
