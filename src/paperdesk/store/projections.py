"""From outputs of the fold to rows in SQL: in bulk, each output once, in transactions that know how far they reach.

`Projector.take` and `note` collect what the log has made durable; `flush` writes it in one transaction together with
`applied_seq`, so that a crash anywhere leaves rows that reach exactly to some input, and catching up is taking the log
again: what was applied is passed over. Everything here can be rebuilt (`check.rebuild`).
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.domain.events import OUTPUT
from paperdesk.domain.orders import LIVE, OrderStatus
from paperdesk.store import tables
from paperdesk.store.database import BUSY_MS, Database, plain_words
from paperdesk.store.errors import StoreError
from paperdesk.store.following import WRITTEN, Follower
from paperdesk.store.order_rows import PAPER, STATUS_TEXT, Order
from paperdesk.store.reading import Grid, decimal_text, reason_name

Rows = np.ndarray[Any, Any]
FLUSH_OUTPUTS: Final = 200_000
"""More outputs than this are not kept waiting, whoever forgets to flush."""
PASSING: Final = frozenset({"status", "ended", "result", "definitions", "past"})
"""What a manifest says about how far a run is, or keeps for the engine alone: not part of what the log can rebuild."""
LIMITS: Final = tables.LIMITS.split()
ORDER_MOVING: Final = [
    *("status", "now_lots", "filled_lots", "fills", "quote_units", "fee_units", "reserved_units", "placed_seq"),
    *("activated_seq", "activated_ticks", "triggered_seq", "triggered_ticks", "peak_ticks"),
    *("cancel_at_ns", "amend_at_ns", "amend_lots", "met_order"),
    *("reason_code", "reason", "updated_seq", "updated_ns"),
]
BALANCE_MOVING: Final = [
    "free_units",
    "reserved_units",
    "venue_units",
    "fees_units",
    "capital_units",
    "free",
    "reserved",
]
POSITION_MOVING: Final = ["qty_units", "cost_units", "realized_units", "fills"]
ACCOUNT_MOVING: Final = ["latency_ns", "equity_every_ns", "epoch", "source", "killed", *LIMITS]
BOT_MOVING: Final = ["name", "registered_seq", "killed", "stopped", "stop_text", *LIMITS]
INSTRUMENT_TEXTS: Final = ("symbol", "venue", "base", "quote", "tick", "lot", "origin")

INSERTS: Final = {name: tables.insert_sql(tables.metadata.tables[name]) for name in WRITTEN}
ORDER_INSERT: Final = tables.insert_sql(tables.orders)
ORDER_UPDATE: Final = tables.update_sql(tables.orders, ORDER_MOVING)
ACCOUNTS: Final = tables.upsert_sql(tables.accounts, ACCOUNT_MOVING)
BOTS: Final = tables.upsert_sql(tables.bots, BOT_MOVING)
BALANCES: Final = tables.upsert_sql(tables.balances, BALANCE_MOVING)
POSITIONS: Final = tables.upsert_sql(tables.positions, POSITION_MOVING)
CONVERSIONS: Final = tables.upsert_sql(tables.conversions, ["instrument", "inverse"])
NOTES: Final = {
    "asset": tables.upsert_sql(tables.assets, ["name", "scale"]),
    "instrument": tables.upsert_sql(tables.instruments, [*INSTRUMENT_TEXTS, "definition"]),
    "feed_refusal": tables.upsert_sql(tables.feed_refusals, ["reason", "count"]),
    "data_note": tables.upsert_sql(tables.data_notes, []),
}


class Projector:
    """Writes one run's projections. Not thread-safe: one owner, who calls `begin` first and `close` last."""

    def __init__(self, database: Database, run_id: str, busy_ms: int = BUSY_MS) -> None:
        """Takes up where the database stands for this run; StoreError where it cannot be read."""
        self.run_id = run_id
        self.applied_seq = 0
        """All outputs up to this input are in the database."""
        self._path = database.path
        self._connection = database.connection(busy_ms)
        self._follower = Follower(run_id)
        self._taken_seq = self._applied_outputs = self._waiting_outputs = 0
        self._notes: list[tuple[str, tuple[Any, ...]]] = []
        self._begun = False
        with plain_words(self._path):
            self._load()

    def begin(self, manifest: Mapping[str, Any]) -> None:
        """Write (or write anew) the run's own row. What only says how far the run is, is left out."""
        kept = {name: value for name, value in manifest.items() if name not in PASSING}
        text = msgspec.json.encode(kept, order="sorted").decode()
        with plain_words(self._path):
            self._connection.execute(
                "INSERT INTO runs (run, mode, manifest, killed, applied_seq, applied_outputs) "
                "VALUES (?, ?, ?, 0, 0, 0) ON CONFLICT (run) DO UPDATE SET manifest = excluded.manifest",
                (self.run_id, PAPER, text),
            ).close()
        self._begun = True

    def take(self, outputs: Rows) -> None:
        """Take outputs in log order, shape (n,) of OUTPUT, all those of an input together; what was applied already is
        passed over. StoreError where they cannot follow what came before.
        """
        if len(outputs) == 0 or int(outputs["seq"][-1]) <= self._taken_seq:
            return
        assert outputs.dtype == OUTPUT, "outputs keep the log's layout (np.concatenate does not)"
        outputs = outputs[int(np.searchsorted(outputs["seq"], self._taken_seq, side="right")) :]
        if outputs["number"][0] != 0:
            raise StoreError(
                f"The outputs of seq {int(outputs['seq'][0])} do not begin with the first; give them together."
            )
        self._follower.take(outputs.tobytes())
        self._taken_seq = int(outputs["seq"][-1])
        self._waiting_outputs += len(outputs)
        if self._waiting_outputs >= FLUSH_OUTPUTS:
            self.flush()

    def note(self, note: Mapping[str, Any]) -> None:
        """Take a note of the log: names of assets, instruments and bots, why a bot stopped, what a feed could not use.
        Others are for other readers.
        """
        kind = note.get("type")
        if kind == "asset":
            self._follower.scales[note["number"]] = note["scale"]
            self._notes.append((kind, (self.run_id, note["number"], note["name"], note["scale"])))
        elif kind == "instrument":
            texts = [str(note.get(name, "")) for name in INSTRUMENT_TEXTS]
            self._follower.grids[note["number"], note["version"]] = Grid(texts[0], texts[4], texts[5])
            definition = msgspec.json.encode(dict(note), order="sorted").decode()
            self._notes.append((kind, (self.run_id, note["number"], note["version"], *texts, definition)))
        elif kind == "feed_refusal":
            reason = int(note["reason"])
            self._notes.append((kind, (self.run_id, note["symbol"], reason, reason_name(reason), note["count"])))
        elif kind == "data_note":
            self._notes.append((kind, (self.run_id, note["text"])))
        elif kind == "bot":
            self._follower.bot(note["account"], note["bot"])[0] = note["name"]
        elif kind == "bot_stopped":
            self._follower.bot(note["account"], note["bot"])[4] = note.get("text", "")

    def flush(self) -> None:
        """Write everything taken, in one transaction. On StoreError nothing was written; a later flush tries again."""
        assert self._begun, "begin() comes first"
        with plain_words(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._write(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        self._follower.written()
        self._notes.clear()
        self.applied_seq = self._taken_seq
        self._applied_outputs += self._waiting_outputs
        self._waiting_outputs = 0

    @property
    def waiting(self) -> bool:
        """Whether outputs were taken that the database does not hold yet."""
        return self._waiting_outputs > 0

    def close(self) -> None:
        """Let go of the database. What was not flushed is not written."""
        self._connection.close()

    def _write(self, connection: sqlite3.Connection) -> None:
        run, follower = self.run_id, self._follower
        changed, grown, many = follower.changed, follower.grown, connection.executemany
        for kind, row in self._notes:
            connection.execute(NOTES[kind], row)
        many(ACCOUNTS, [(run, a, PAPER, *follower.accounts[a]) for a in sorted(changed["accounts"])])
        many(INSERTS["epochs"], grown["epochs"])
        many(CONVERSIONS, [(run, *key, *follower.conversions[key]) for key in sorted(changed["conversions"])])
        many(BOTS, [(run, *key, PAPER, *follower.bots[key]) for key in sorted(changed["bots"])])
        orders = follower.changed_orders.items()
        many(ORDER_INSERT, [(*order.fixed, *order.moving()) for _, order in orders if order.is_new])
        many(ORDER_UPDATE, [(*order.moving(), run, *key) for key, order in orders if not order.is_new])
        for name in WRITTEN[1:]:
            many(INSERTS[name], grown[name])
        many(BALANCES, [self._balance(key) for key in sorted(changed["balances"])])
        many(POSITIONS, [(run, *key, *follower.positions[key]) for key in sorted(changed["positions"])])
        reached = (follower.killed, self._taken_seq, self._applied_outputs + self._waiting_outputs, run)
        connection.execute("UPDATE runs SET killed = ?, applied_seq = ?, applied_outputs = ? WHERE run = ?", reached)

    def _balance(self, key: tuple[int, int]) -> tuple[Any, ...]:
        buckets, scale = self._follower.balances[key], self._follower.scales.get(key[1])
        texts = (None, None) if scale is None else (decimal_text(buckets[0], scale), decimal_text(buckets[1], scale))
        return (self.run_id, *key, PAPER, *buckets, *texts)

    def _read(self, table: str, names: Iterable[str], where: str = "") -> list[tuple[Any, ...]]:
        sql = f"SELECT {', '.join(names)} FROM {table} WHERE run = ?{where}"  # noqa: S608
        return self._connection.execute(sql, (self.run_id,)).fetchall()

    def _load(self) -> None:
        """What it takes to go on: names, accounts, bots, balances, positions of the current epochs, live orders."""
        follower = self._follower
        for killed, seq, outputs in self._read("runs", ("killed", "applied_seq", "applied_outputs")):
            follower.killed, self.applied_seq, self._taken_seq, self._applied_outputs = killed, seq, seq, outputs
        for number, scale in self._read("assets", ("number", "scale")):
            follower.scales[number] = scale
        for number, version, symbol, tick, lot in self._read(
            "instruments", ("number", "version", "symbol", "tick", "lot")
        ):
            follower.grids[number, version] = Grid(symbol, tick, lot)
        for account, *rest in self._read("accounts", ("account", *tables.columns(tables.accounts)[3:])):
            follower.accounts[account] = rest
        for account, bot, *rest in self._read("bots", ("account", "bot", *BOT_MOVING)):
            follower.bots[account, bot] = rest
        for account, asset, *units in self._read("balances", ("account", "asset", *BALANCE_MOVING[:5])):
            follower.balances[account, asset] = units
        for account, epoch, bot, instrument, *units in self._read("positions", tables.columns(tables.positions)[1:]):
            if follower.accounts[account][5] == epoch:
                follower.positions[account, epoch, bot, instrument] = units
        live = ", ".join(f"'{STATUS_TEXT[status]}'" for status in sorted(LIVE))
        for row in self._read("orders", tables.columns(tables.orders), f" AND status IN ({live})"):
            order = _loaded(row)
            follower.orders[row[1], row[2]] = order


def _loaded(row: tuple[Any, ...]) -> Order:
    """A live order from its row."""
    named = dict(zip(tables.columns(tables.orders), row, strict=True))
    order = Order(row[: -len(ORDER_MOVING)], named["now_lots"], named["submitted_ns"], named["arrive_ns"])
    order.status = OrderStatus[named["status"].upper()]
    for name in ORDER_MOVING[2 : ORDER_MOVING.index("reason_code")]:
        setattr(order, name, named[name])
    order.reason, order.updated_seq, order.updated_ns = named["reason_code"], named["updated_seq"], named["updated_ns"]
    order.is_new = False
    return order
