"""Rebuild and check: the same content however it came to be, and every tampering told."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.store.material import outputs_of, quoted_run, random_run

from paperdesk.domain.events import OutputKind
from paperdesk.store import tables
from paperdesk.store.check import Finding, RunRecords, check, content_hash, rebuild
from paperdesk.store.database import connect, open_database
from paperdesk.store.errors import StoreError
from paperdesk.store.projections import Projector

SEEDS = (3, 9)


def runs() -> list[RunRecords]:
    """Some random streams, and a quoter's run."""
    random: list[RunRecords] = [(f"{seed:04}-random", {"seed": seed}, random_run(seed)) for seed in SEEDS]
    return [*random, ("0100-sim", {"label": "SIMULATED"}, quoted_run(1000))]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "p.db"
    rebuild(path, runs())
    return path


@pytest.fixture
def path(built: Path, tmp_path: Path) -> Path:
    """A database of its own for each test."""
    return Path(shutil.copy(built, tmp_path / "p.db"))


def tamper(path: Path, *statements: str) -> None:
    """Change the file behind everybody's back: triggers dropped, checks and references ignored, schema put back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
        connection.commit()


def told(findings: list[Finding]) -> str:
    return "\n".join(f"{finding.severity} {finding.where}: {finding.what}" for finding in findings)


def test_a_rebuild_is_clean_and_repeats(path: Path) -> None:
    first = content_hash(path)
    assert check(path, runs()) == []
    assert rebuild(path, runs()) == first == content_hash(path)
    assert sorted(name.name for name in path.parent.iterdir() if not name.name.startswith("p.db")) == []


def test_rows_written_as_the_run_went_equal_a_rebuild(path: Path, tmp_path: Path) -> None:
    lived = tmp_path / "lived.db"
    with open_database(lived) as database:
        for run, manifest, records in runs():
            projector = Projector(database, run)
            projector.begin({**manifest, "status": "running"})
            for number, (kind, record) in enumerate(records):
                if kind == "note":
                    projector.note(record)
                elif kind == "outputs":
                    projector.take(record)
                if number % 97 == 0:
                    projector.flush()
            projector.begin({**manifest, "status": "finished"})
            projector.flush()
            projector.close()
    assert content_hash(lived) == content_hash(path)


def test_the_hash_sees_every_value(path: Path) -> None:
    before = content_hash(path)
    tamper(path, "UPDATE data_notes SET text = text", "UPDATE postings SET bot = bot")
    assert content_hash(path) == before
    tamper(path, "UPDATE postings SET bot = bot + 1 WHERE seq = (SELECT MAX(seq) FROM postings)")
    assert content_hash(path) != before


COPY_OF_A_FILL = f"INSERT INTO fills SELECT {', '.join(tables.columns(tables.fills))} FROM fills LIMIT 1".replace(
    "fill_id", "fill_id + 90000"
)
CONTENT = (
    ("UPDATE fills SET fee_units = fee_units + 1 WHERE fill_id = 1", "fee_units is"),
    ("UPDATE fills SET price = '1.00' WHERE fill_id = 1", "price is '1.00', the log says"),
    ("DELETE FROM postings WHERE number = 1", "a balance is not the sum of its postings"),
    ("DELETE FROM receipts WHERE fill_id = 1", "a fill has no receipt"),
    ("DELETE FROM equity", "a row of the log is missing"),
    ("DELETE FROM refusals", "more rows differ from the log"),
    ("UPDATE balances SET free_units = free_units + 5, capital_units = capital_units - 5", "sum of its postings"),
    ("UPDATE balances SET free_units = free_units + 5", "sum to 5, not to zero"),
    ("UPDATE orders SET filled_lots = filled_lots + 1 WHERE fills > 0", "totals are not those of its fills"),
    ("UPDATE orders SET reserved_units = 7 WHERE status = 'filled'", "reserve is not what its postings leave"),
    ("UPDATE orders SET status = 'partially_filled' WHERE status = 'canceled'", "does not go with its numbers"),
    ("DELETE FROM orders WHERE order_id = 1", "does not follow the one before"),
    ("UPDATE positions SET realized_units = realized_units + 1", "realized_units is"),
    ("UPDATE assets SET scale = 3", "scale is 3, the log says"),
    ("UPDATE runs SET manifest = '{}'", "manifest is '{}'"),
    (
        COPY_OF_A_FILL,
        "a row that the log does not know",
    ),
)


@pytest.mark.parametrize(("statement", "words"), CONTENT)
def test_changed_content_is_found(path: Path, statement: str, words: str) -> None:
    tamper(path, statement)
    findings = check(path, runs())
    assert words in told(findings), told(findings)
    assert {finding.severity for finding in findings} == {"error"}
    rebuild(path, runs())
    assert check(path, runs()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fills SET mode = 'LIVE' WHERE fill_id = 1",
        "UPDATE orders SET id = 'LIVE-' || account || '-' || order_id",
        "UPDATE orders SET status = 'sent' WHERE order_id = 1",
        "UPDATE balances SET free_units = -1 - free_units",
    ],
)
def test_rows_that_break_a_check_are_found_by_sqlite_itself(path: Path, statement: str) -> None:
    tamper(path, statement)
    assert "SQLite finds: CHECK constraint failed" in told(check(path, runs()))


SCHEMA = (
    ("DROP TRIGGER fills_are_not_changed", "trigger fills_are_not_changed is missing"),
    ("CREATE TRIGGER more AFTER INSERT ON fills BEGIN DELETE FROM refusals; END", "trigger more does not belong here"),
    ("DROP VIEW reasons", "view reasons is missing"),
    ("CREATE TABLE live_orders (id TEXT)", "table live_orders does not belong here"),
    ("ALTER TABLE fills ADD COLUMN venue_order_id TEXT", "table fills was changed"),
    ("DROP INDEX fills_by_order", "index fills_by_order is missing"),
    ("UPDATE alembic_version SET version_num = version_num || ''", ""),
)


@pytest.mark.parametrize(("statement", "words"), SCHEMA)
def test_a_changed_schema_is_found(path: Path, statement: str, words: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    findings = check(path, runs())
    assert words in told(findings)
    assert bool(findings) == bool(words)


def test_a_check_taken_out_of_the_schema_is_found(path: Path) -> None:
    """The one way to write a row that is not paper: change the schema's own text."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(mode = ''PAPER'')', '(1)') WHERE name = 'epochs'"
        )
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO epochs SELECT run, account, epoch + 90, 'LIVE', source, 1, 1 FROM epochs LIMIT 1"
        )
        connection.commit()
    text = told(check(path, runs()))
    assert "the table epochs was changed" in text and "a row that the log does not know" in text


def test_rows_behind_the_log_are_a_warning(path: Path) -> None:
    half = [(run, manifest, records[: len(records) // 2]) for run, manifest, records in runs()]  # type: ignore[index]
    rebuild(path, half[:-1])
    findings = check(path, runs()[:-1])
    assert {finding.severity for finding in findings} == {"warning"}
    assert all("the database is behind" in finding.what for finding in findings)


def test_a_run_that_the_logs_do_not_know_is_found(path: Path) -> None:
    assert "run 0100-sim: a row that the log does not know" in told(check(path, runs()[:-1]))


def test_a_log_that_cannot_be_followed_is_told_and_the_old_file_stays(path: Path) -> None:
    outputs = outputs_of(quoted_run(1000)).copy()
    outputs["order_id"][int(np.flatnonzero(outputs["kind"] == OutputKind.ORDER_ACCEPTED)[0])] = 9999
    broken: list[RunRecords] = [*runs()[:-1], ("0100-sim", {}, [("outputs", outputs)])]
    before = content_hash(path)
    with pytest.raises(StoreError, match="PAPER-0-9999"):
        rebuild(path, broken)
    assert content_hash(path) == before
    assert not list(path.parent.glob("*.rebuild*"))
    assert "the log cannot be followed" in told(check(path, broken))


def test_a_database_in_use_is_not_swapped(path: Path) -> None:
    before = content_hash(path)
    with closing(connect(path)) as reader:
        reader.execute("BEGIN").close()
        reader.execute("SELECT COUNT(*) FROM runs").fetchall()
        with pytest.raises(StoreError, match="another process holds it"):
            rebuild(path, runs()[:1])
    assert content_hash(path) == before


def test_a_damaged_database_is_told_and_rebuilt(path: Path) -> None:
    before = content_hash(path)
    data = bytearray(path.read_bytes())
    data[4096 * 5 : 4096 * 9] = bytes(4096 * 4)
    path.write_bytes(data)
    findings = check(path, runs())
    assert findings and all(finding.severity == "error" for finding in findings)
    path.write_bytes(b"no database" * 1000)
    assert "no SQLite database" in told(check(path, runs()))
    assert rebuild(path, runs()) == before
    assert check(path, runs()) == []


def test_there_is_no_database_yet(tmp_path: Path) -> None:
    assert "There is no database" in told(check(tmp_path / "p.db", runs()))
