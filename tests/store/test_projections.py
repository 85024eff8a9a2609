"""Rows from outputs: the same as the fold's own state, each output once, whatever the cuts; nothing but paper."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.oracle.records import to_record
from tests.oracle.streams import Stream
from tests.store.material import Record, outputs_of, quoted_run, random_run

from paperdesk.domain.events import OUTPUT, OutputKind
from paperdesk.engine.fold import Fold
from paperdesk.store.check import content_hash
from paperdesk.store.database import Database, connect, open_database
from paperdesk.store.errors import StoreError
from paperdesk.store.projections import Projector
from paperdesk.store.reading import Grid, decimal_text, reason_name

SEEDS = range(40)


def project(database: Database, run: str, records: tuple[Record, ...]) -> None:
    projector = Projector(database, run)
    projector.begin({"label": "TEST"})
    for kind, record in records:
        if kind == "note":
            projector.note(record)  # type: ignore[arg-type]
        elif kind == "outputs":
            projector.take(record)  # type: ignore[arg-type]
    projector.flush()
    projector.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "p.db") as database:
        yield database


def rows(database: Database, sql: str) -> list[Any]:
    with closing(database.connection()) as connection:
        return connection.execute(sql).fetchall()


def test_rows_are_what_the_fold_holds(database: Database) -> None:
    """Balances, positions and live orders of random streams, against the state of the fold that made them."""
    compared = 0
    for seed in SEEDS:
        stream, fold, projector = Stream(seed), Fold(), Projector(database, f"r{seed}")
        projector.begin({})
        for given in stream.inputs(150):
            stream.desk.take(given)
            projector.take(fold.take(to_record(given)))
        projector.flush()
        projector.close()
        state, run = fold.state[0], f"WHERE run = 'r{seed}'"
        for account, asset, *buckets in rows(
            database,
            f"""SELECT account, asset, free_units, reserved_units, venue_units, fees_units, capital_units
            FROM balances {run}""",
        ):
            assert buckets == state["balances"][account, asset].tolist(), (seed, account, asset)
        for account, bot, instrument, *position in rows(
            database,
            f"""SELECT account, bot, instrument, qty_units, cost_units, realized_units FROM positions p {run}
            AND epoch = (SELECT epoch FROM accounts a WHERE a.run = p.run AND a.account = p.account)""",
        ):
            core = state["bot_positions"][bot] if bot else state["account_positions"][account]
            assert position == list(core[instrument].tolist()[:3]), (seed, account, bot)
        live = rows(
            database,
            f"""SELECT account, order_id, filled_lots, reserved_units, bot FROM orders {run}
            AND status IN ('submitted', 'accepted', 'partially_filled') ORDER BY account, order_id""",
        )
        core_rows = [row for row in state["orders"][: int(state["n_used_rows"])] if 2 <= row["status"] <= 4]
        names = ("account", "id", "filled_lots", "reserved_units", "bot")
        assert live == sorted(tuple(int(row[name]) for name in names) for row in core_rows), seed
        compared += len(live)
    assert compared > 20


@pytest.mark.parametrize("seed", range(12))
def test_crashes_between_flushes_and_repeated_outputs_change_nothing(tmp_path: Path, seed: int) -> None:
    """The projector dies at random instants; the log is taken from its start again, or from anywhere before."""
    dice, records = Random(seed), random_run(seed)
    with open_database(tmp_path / "once.db") as database:
        project(database, "r", records)
    with open_database(tmp_path / "often.db") as database:
        for _ in range(6):
            projector = Projector(database, "r")
            projector.begin({"label": "TEST"})
            assert projector.applied_seq <= int(outputs_of(records)["seq"][-1])
            for kind, record in records[: dice.randrange(len(records))]:
                if kind == "note":
                    projector.note(record)  # type: ignore[arg-type]
                elif kind == "outputs":
                    projector.take(record)  # type: ignore[arg-type]
                    if dice.random() < 0.3:
                        projector.flush()
            projector.close()  # and what was not flushed is lost
        project(database, "r", records)
    assert content_hash(tmp_path / "once.db") == content_hash(tmp_path / "often.db"), f"seed {seed}"


def test_one_array_or_many_gives_the_same(tmp_path: Path) -> None:
    records = random_run(3)
    with open_database(tmp_path / "many.db") as database:
        project(database, "r", records)
    whole = (*(record for record in records if record[0] == "note"), ("outputs", outputs_of(records)))
    with open_database(tmp_path / "one.db") as database:
        project(database, "r", whole)  # type: ignore[arg-type]
    assert content_hash(tmp_path / "many.db") == content_hash(tmp_path / "one.db")


def test_outputs_cut_within_an_input_are_refused(database: Database) -> None:
    projector = Projector(database, "r")
    projector.begin({})
    whole = outputs_of(random_run(8))
    cut = int(np.flatnonzero(whole["number"] > 0)[0])
    with pytest.raises(StoreError, match="do not begin with the first"):
        projector.take(whole[cut:])
    fill = int(np.flatnonzero(whole["kind"] == OutputKind.FILL)[0])
    with pytest.raises(StoreError, match="has no payment"):
        projector.take(whole[: fill + 1])
    projector.close()


def test_an_illegal_move_is_refused(database: Database) -> None:
    whole = outputs_of(random_run(3)).copy()
    place = int(np.flatnonzero(whole["kind"] == OutputKind.ORDER_ACCEPTED)[0])
    whole["order_id"][place] = 999
    projector = Projector(database, "r")
    projector.begin({})
    with pytest.raises(StoreError, match=r"order PAPER-\d+-999 at seq \d+, but the order is not live"):
        projector.take(whole)
    projector.close()


def test_a_story_of_rows(database: Database) -> None:
    """The quoter's run, looked at as a person would."""
    project(database, "0001-sim", quoted_run(3000))
    fills = rows(
        database, "SELECT symbol, side, price, quantity, quote_amount, fee FROM fills ORDER BY fill_id LIMIT 1"
    )
    symbol, side, price, quantity, quote, fee = fills[0]
    assert symbol == "BTC/USDT" and side in ("BUY", "SELL")
    assert "." in price and "." in quantity and len(quote.split(".")[1]) == 8 and len(fee.split(".")[1]) == 8
    assert rows(database, "SELECT DISTINCT substr(id, 1, 8) FROM orders") == [("PAPER-0-",)]
    assert rows(database, "SELECT name, registered_seq > 0 FROM bots") == [("quoter-1", 1)]
    assert rows(database, "SELECT number, name, scale FROM assets") == [(0, "BTC", 8), (1, "USDT", 8)]
    assert rows(database, "SELECT MIN(latency_ns), MAX(latency_ns) FROM receipts") == [(1_000_000, 1_000_000)]
    assert rows(database, "SELECT DISTINCT fee_tier FROM receipts") == [(-1,)], "no tiers were set"
    assert rows(database, "SELECT SUM(volume_units) FROM receipts") == rows(
        database, "SELECT SUM(quote_units) FROM fills"
    )
    assert rows(database, "SELECT COUNT(*) FROM fills")[0] == rows(database, "SELECT SUM(fills) FROM orders")[0]


def test_notes_name_things_and_repeat_harmlessly(database: Database) -> None:
    projector = Projector(database, "r")
    projector.begin({"label": "TEST", "status": "running", "ended": ""})
    for _ in range(2):
        projector.note({"type": "feed_refusal", "symbol": "BTC/USDT", "reason": 82, "count": 7})
        projector.note({"type": "data_note", "text": "ticks were inferred"})
        projector.note({"type": "bot", "account": 0, "bot": 1, "name": "cross-1"})
        projector.note({"type": "bot_stopped", "account": 0, "bot": 1, "name": "cross-1", "text": "Traceback"})
        projector.note({"type": "resumed", "seq": 4})
        projector.flush()
    projector.close()
    assert rows(database, "SELECT * FROM reasons") == [("r", "feed", 82, "off_grid", "BTC/USDT", 7)]
    assert rows(database, "SELECT text FROM data_notes") == [("ticks were inferred",)]
    assert rows(database, "SELECT name, stop_text FROM bots") == [("cross-1", "Traceback")]
    assert rows(database, "SELECT manifest FROM runs") == [('{"label":"TEST"}',)]


def test_reasons_count_every_no(database: Database) -> None:
    for seed in SEEDS:
        project(database, f"r{seed}", random_run(seed))
    told = {what for (what,) in rows(database, "SELECT DISTINCT what FROM reasons")}
    assert told >= {
        "order_denied",
        "order_rejected",
        "order_canceled",
        "command_refused",
        "event_refused",
        "cancel_rejected",
    }
    assert rows(database, "SELECT 1 FROM refusals WHERE reason = 'user_canceled'") == []
    assert rows(database, "SELECT COUNT(*) FROM refusals") == rows(database, "SELECT SUM(count) FROM reasons")


TAMPERING = (
    "UPDATE fills SET fee_units = 0",
    "DELETE FROM fills",
    "UPDATE postings SET amount_units = amount_units + 1",
    "DELETE FROM postings",
    "UPDATE receipts SET rule = 'QUEUE'",
    "DELETE FROM receipts",
    "UPDATE equity SET equity_units = 1",
    "DELETE FROM equity",
    "DELETE FROM refusals",
    "UPDATE epochs SET source = 3",
    "DELETE FROM orders",
    "DELETE FROM balances",
    "DELETE FROM accounts",
    "DELETE FROM runs",
    "UPDATE orders SET mode = 'LIVE'",
    "UPDATE orders SET id = 'LIVE-0-1'",
    "UPDATE orders SET qty_lots = qty_lots + 1",
    "UPDATE orders SET price_ticks = 1",
    "UPDATE orders SET status = 'accepted' WHERE status = 'filled'",
    "UPDATE orders SET fills = fills - 1 WHERE fills > 0",
    "UPDATE orders SET status = 'sent'",
    "UPDATE balances SET mode = 'LIVE'",
    "UPDATE balances SET free_units = free_units + 1",
    "UPDATE balances SET free_units = -1",
    "UPDATE runs SET mode = 'LIVE'",
    "UPDATE accounts SET mode = 'LIVE'",
    "INSERT OR REPLACE INTO fills SELECT * FROM fills LIMIT 1",
    "INSERT OR REPLACE INTO postings SELECT * FROM postings LIMIT 1",
    "INSERT OR REPLACE INTO orders SELECT * FROM orders LIMIT 1",
    "UPDATE OR REPLACE fills SET fill_id = 1",
)


def test_direct_sql_cannot_change_what_only_grows(tmp_path: Path) -> None:
    """By a plain connection with SQLite's own defaults, as any viewer opens one."""
    path = tmp_path / "p.db"
    with open_database(path) as database:
        project(database, "r", quoted_run(3000))
    before = content_hash(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in TAMPERING:
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
            connection.rollback()
    assert content_hash(path) == before


@pytest.mark.parametrize(
    "table", ["orders", "fills", "receipts", "postings", "balances", "equity", "accounts", "runs", "bots"]
)
def test_a_row_that_is_not_paper_cannot_be_written(tmp_path: Path, table: str) -> None:
    """Copies of real rows under a new key, first with another mode, then with none."""
    path = tmp_path / "p.db"
    with open_database(path) as database:
        project(database, "r", quoted_run(3000))
        project(database, "s", random_run(3))
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF").close()
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for mode in ("'LIVE'", "''", "NULL", "'paper'", "x'5041504552'"):
            picked = ", ".join(mode if name == "mode" else "'t'" if name == "run" else name for name in names)
            with pytest.raises(sqlite3.IntegrityError, match=r"mode|cannot store"):
                connection.execute(f"INSERT INTO {table} SELECT {picked} FROM {table} LIMIT 1")
        picked = ", ".join("'t'" if name == "run" else name for name in names)
        connection.execute(f"INSERT INTO {table} SELECT {picked} FROM {table} LIMIT 1")


def test_numbers_read_exactly() -> None:
    assert [decimal_text(units, scale) for units, scale in ((0, 8), (-1, 8), (123, 2), (5, 0), (-1234567, 3))] == [
        *("0.00000000", "-0.00000001", "1.23", "5", "-1234.567"),
    ]
    grid = Grid("A/B", "0.05", "10")
    assert (grid.price(3), grid.quantity(7)) == ("0.15", "70")
    assert (reason_name(82), reason_name(9999)) == ("off_grid", "9999")


def test_outputs_in_another_layout_are_a_bug(database: Database) -> None:
    projector = Projector(database, "r")
    projector.begin({})
    packed = np.zeros(1, [("seq", "i8"), ("number", "i4")])
    packed["seq"] = 1
    with pytest.raises(AssertionError, match="layout"):
        projector.take(packed)
    assert OUTPUT.itemsize != packed.itemsize
    projector.close()
