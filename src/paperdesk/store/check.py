"""Is the database what the log says? Build it anew beside the old one, compare, and tell every difference.

`rebuild` makes a fresh file from the logs and swaps it in whole; `content_hash` is the same for the same content,
however it came to be; `check` looks at the schema, the file, the books, the orders, and compares every row with a
rebuild. The log itself is judged elsewhere (its own hashes, and the auditor).
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Table

from paperdesk.store import tables
from paperdesk.store.database import (
    connect,
    fresh_schema,
    open_database,
    plain_words,
    read_schema,
    revisions,
    store_error,
)
from paperdesk.store.errors import StoreError, why
from paperdesk.store.projections import Projector
from paperdesk.store.reading import BUCKET_NAMES

RunRecords = tuple[str, Mapping[str, Any], Iterable[tuple[str, Any]]]
"""Run id, manifest, and the run's records in log order: ("outputs", rows), ("note", dict); others are passed over."""

SHOWN: Final = 5
"""Differences told of one table before the rest is only counted."""
REBUILD: Final = "run `paperdesk db rebuild`: the logs hold all of it"
SUFFIXES: Final = ("", "-wal", "-shm", "-journal")


class Finding(NamedTuple):
    """Something that is not as it must be: what, where, and what to do."""

    severity: Literal["error", "warning"]
    what: str
    where: str
    remedy: str


def rebuild(path: Path, runs: Iterable[RunRecords]) -> str:
    """Build the database anew from logs and swap it in, whole or not at all; its content hash.

    StoreError where the old file is in use, the disk refuses, or a log cannot be followed: then the old file stays.
    """
    fresh = path.with_name(path.name + ".rebuild")
    _remove(fresh)
    try:
        _build(fresh, runs)
        digest = content_hash(fresh)
        _swap(fresh, path)
    finally:
        _remove(fresh)
    return digest


def _build(path: Path, runs: Iterable[RunRecords]) -> None:
    with open_database(path) as database:
        for run, manifest, records in runs:
            projector = Projector(database, run)
            try:
                projector.begin(manifest)
                for kind, record in records:
                    if kind == "outputs":
                        projector.take(record)
                    elif kind == "note":
                        projector.note(record)
                projector.flush()
            finally:
                projector.close()
        with plain_words(path), closing(database.connection()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def _swap(fresh: Path, path: Path) -> None:
    """Put a finished file in the place of another that nobody uses."""
    try:
        if path.is_file() and path.stat().st_size:
            _leave_alone_if_used(path)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        for suffix in SUFFIXES[1:]:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreError(f"The database {path} cannot be replaced: {why(error)}.") from error


def _leave_alone_if_used(path: Path) -> None:
    """StoreError if another process works with a database; one too damaged to tell is nobody's."""
    try:
        with closing(connect(path, busy_ms=200)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
            connection.execute("ROLLBACK").close()
    except sqlite3.OperationalError as error:
        raise store_error(path, error) from error
    except sqlite3.DatabaseError:
        return


def _remove(path: Path) -> None:
    for suffix in SUFFIXES:
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def content_hash(path: Path) -> str:
    """Hash over every row of every table in the order of its key, 64 hex digits. StoreError if it cannot be read."""
    digest = blake2b(digest_size=32)
    with plain_words(path), closing(connect(path)) as connection:
        for name, table in sorted(tables.metadata.tables.items()):
            digest.update(f"\n{name}\n".encode())
            for row in connection.execute(
                f"SELECT {', '.join(tables.columns(table))} FROM {name} ORDER BY {', '.join(tables.key(table))}"  # noqa: S608
            ):
                digest.update(repr(row).encode())
    return digest.hexdigest()


def check(path: Path, runs: Iterable[RunRecords]) -> list[Finding]:
    """Everything that is wrong with a database, worst first; empty if nothing is. Nothing is changed."""
    try:
        with (
            open_database(path, create=False) as database,
            plain_words(path),
            closing(database.connection()) as connection,
        ):
            findings = [*_schema(connection)]
            if not findings:
                findings += [*_orders(connection), *_receipts(connection), *_books(connection)]
            findings += _file(connection)
            findings += _compared(connection, path, runs)
    except StoreError as error:
        return [Finding("error", str(error), str(path), REBUILD)]
    return sorted(findings, key=lambda finding: finding.severity)


def _schema(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Differences from what the migrations make: a schema that was changed can hold anything."""
    wanted = {(kind, name): (table, sql) for kind, name, table, sql in fresh_schema()}
    found = {(kind, name): (table, sql) for kind, name, table, sql in read_schema(connection)}
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            kind, name = key
            what = "is missing" if key not in found else "does not belong here" if key not in wanted else "was changed"
            yield Finding(
                "error",
                f"the {kind} {name} {what}: rows that the schema forbids may have been written",
                f"schema, {kind} {name}",
                REBUILD,
            )
    if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(revisions()[-1],)]:
        yield Finding("error", "the schema's version was changed", "schema, table alembic_version", REBUILD)


def _file(connection: sqlite3.Connection) -> Iterator[Finding]:
    """SQLite's own view: pages, indexes, CHECK and NOT NULL of every row, references."""
    for (told,) in connection.execute("PRAGMA integrity_check(20)"):
        if told != "ok":
            yield Finding("error", f"SQLite finds: {told}", "file", REBUILD)
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(20):
        yield Finding("error", f"a row names a row of {parent} that does not exist", f"table {table}", REBUILD)


ORDER_CHECKS: Final = (
    (
        "an order's totals are not those of its fills",
        """SELECT o.run, o.id FROM orders o LEFT JOIN (SELECT run, account, order_id, SUM(qty_lots) AS lots,
        COUNT(*) AS n, SUM(quote_units) AS quote, SUM(fee_units) AS fee FROM fills GROUP BY run, account, order_id) f
        ON f.run = o.run AND f.account = o.account AND f.order_id = o.order_id
        WHERE o.filled_lots <> coalesce(f.lots, 0)
        OR o.fills <> coalesce(f.n, 0) OR o.quote_units <> coalesce(f.quote, 0) OR o.fee_units <> coalesce(f.fee, 0)""",
    ),
    (
        "an order's reserve is not what its postings leave",
        """SELECT o.run, o.id FROM orders o LEFT JOIN (SELECT run, account, order_id, SUM(CASE WHEN purpose = 'RESERVE'
        THEN amount_units WHEN purpose IN ('RELEASE', 'PAY') THEN -amount_units ELSE 0 END) AS left_units FROM postings
        WHERE order_id > 0 GROUP BY run, account, order_id) p ON p.run = o.run AND p.account = o.account
        AND p.order_id = o.order_id WHERE o.reserved_units <> coalesce(p.left_units, 0)""",
    ),
    (
        "an order's state does not go with its numbers",
        """SELECT run, id FROM orders WHERE (status IN ('denied', 'filled', 'canceled', 'expired', 'rejected')
        AND reserved_units <> 0) OR (status = 'partially_filled' AND (filled_lots = 0 OR filled_lots >= now_lots))
        OR (status IN ('denied', 'rejected', 'canceled', 'expired') AND reason_code = 0)""",
    ),
    (
        "an order's quantity is not what its decreases leave",
        """SELECT o.run, o.id FROM orders o LEFT JOIN (SELECT run, account, order_id, MIN(to_lots) AS least FROM decreases
        GROUP BY run, account, order_id) d ON d.run = o.run AND d.account = o.account AND d.order_id = o.order_id
        WHERE o.now_lots <> coalesce(d.least, CASE WHEN o.placed_seq > 0 THEN o.now_lots ELSE o.qty_lots END)""",
    ),
    (
        "an order's number does not follow the one before it in its account",
        """SELECT run, 'PAPER-' || account FROM orders GROUP BY run, account
        HAVING MIN(order_id) <> 1 OR MAX(order_id) <> COUNT(*)""",
    ),
)
RECEIPT_CHECKS: Final = (
    (
        "a fill has no receipt, or a receipt tells of another fill",
        """SELECT f.run, 'PAPER-' || f.account || '-' || f.order_id FROM fills f LEFT JOIN receipts r ON r.run = f.run
        AND r.account = f.account AND r.fill_id = f.fill_id WHERE r.fill_id IS NULL OR r.seq <> f.seq
        OR r.order_id <> f.order_id""",
    ),
    (
        "an account's fills are not numbered without holes",
        """SELECT run, 'account ' || account FROM fills GROUP BY run, account
        HAVING MIN(fill_id) <> 1 OR MAX(fill_id) <> COUNT(*)""",
    ),
)


def _found(connection: sqlite3.Connection, checks: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for what, sql in checks:
        for run, where in connection.execute(sql).fetchmany(SHOWN):
            yield Finding("error", what, f"run {run}, {where}", REBUILD)


def _orders(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Orders agree with their fills, postings and states."""
    return _found(connection, ORDER_CHECKS)


def _receipts(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Each fill has its receipt."""
    return _found(connection, RECEIPT_CHECKS)


def _books(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Balances are the sums of their postings, and each row's buckets sum to zero; counted without overflow."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for *key, source, target, amount in connection.execute(
        "SELECT run, account, asset, source_bucket, target_bucket, amount_units FROM postings"
    ):
        buckets = sums.setdefault(tuple(key), [0] * len(BUCKET_NAMES))
        buckets[BUCKET_NAMES.index(source)] -= amount
        buckets[BUCKET_NAMES.index(target)] += amount
    sql = "SELECT run, account, asset, free_units, reserved_units, venue_units, fees_units, capital_units FROM balances"
    for run, account, asset, *units in connection.execute(sql):
        where = f"run {run}, account {account}, asset {asset}"
        if sum(units) != 0:
            yield Finding("error", f"the buckets of a balance sum to {sum(units)}, not to zero", where, REBUILD)
        if sums.pop((run, account, asset), None) != units:
            yield Finding("error", "a balance is not the sum of its postings", where, REBUILD)
    for run, account, asset in sums:
        yield Finding("error", "postings have no balance", f"run {run}, account {account}, asset {asset}", REBUILD)


def _compared(connection: sqlite3.Connection, path: Path, runs: Iterable[RunRecords]) -> list[Finding]:
    """Differences from a database built anew from the logs."""
    folder = path.parent if os.access(path.parent, os.W_OK) else None
    with TemporaryDirectory(prefix=".check-", dir=folder) as name:
        fresh = Path(name) / "fresh.db"
        try:
            _build(fresh, runs)
        except StoreError as error:
            return [
                Finding("error", f"the log cannot be followed: {error}", "log", "restore the run's log from a backup")
            ]
        connection.execute("ATTACH DATABASE ? AS fresh", (str(fresh),)).close()
        try:
            behind, findings = _behind(connection)
            for table in tables.metadata.tables.values():
                findings += _table_differences(connection, table, behind)
        finally:
            connection.execute("DETACH DATABASE fresh").close()
        return findings


def _behind(connection: sqlite3.Connection) -> tuple[list[str], list[Finding]]:
    """Runs whose rows do not reach to the end of the log: that happens, and is caught up."""
    sql = """SELECT f.run, coalesce(m.applied_seq, 0), f.applied_seq
        FROM fresh.runs f LEFT JOIN main.runs m ON m.run = f.run
        WHERE coalesce(m.applied_seq, 0) < f.applied_seq"""
    rows = connection.execute(sql).fetchall()
    remedy = "start the desk on this home (it catches up), or run `paperdesk db rebuild`"
    findings = [
        Finding(
            "warning",
            f"the rows reach to seq {seq}, the log's outputs to seq {last}: the database is behind",
            f"run {run}",
            remedy,
        )
        for run, seq, last in rows
    ]
    return [run for run, _, _ in rows], findings


def _table_differences(connection: sqlite3.Connection, table: Table, behind: list[str]) -> list[Finding]:
    """Rows of one table that only one of both databases holds, those of runs that are behind left out."""
    names, keys = tables.columns(table), tables.key(table)
    columns, where = ", ".join(names), f"WHERE run NOT IN ({', '.join('?' * len(behind))})"
    sides = {}
    try:
        for side, other in (("main", "fresh"), ("fresh", "main")):
            sql = f"SELECT {columns} FROM {side}.{table.name} {where} EXCEPT SELECT {columns} FROM {other}.{table.name}"  # noqa: S608
            sides[side] = {
                row[: len(keys)]: row for row in (_by_key(names, keys, row) for row in connection.execute(sql, behind))
            }
    except sqlite3.OperationalError as error:
        return [Finding("error", f"the table cannot be compared: {error}", f"table {table.name}", REBUILD)]
    stored, logged = sides["main"], sides["fresh"]
    rest = [name for name in names if name not in keys]
    findings = []
    for key in sorted(stored.keys() | logged.keys(), key=repr)[:SHOWN]:
        if key not in logged:
            what = "a row that the log does not know"
        elif key not in stored:
            what = "a row of the log is missing"
        else:
            pairs = zip(rest, stored[key][len(keys) :], logged[key][len(keys) :], strict=True)
            what = "; ".join(
                f"{name} is {mine!r}, the log says {theirs!r}" for name, mine, theirs in pairs if mine != theirs
            )
        place = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
        findings.append(Finding("error", what, f"table {table.name}, {place}", REBUILD))
    more = len(stored.keys() | logged.keys()) - SHOWN
    if more > 0:
        findings.append(Finding("error", f"{more} more rows differ from the log", f"table {table.name}", REBUILD))
    return findings


def _by_key(names: list[str], keys: list[str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with the columns of its key in front."""
    named = dict(zip(names, row, strict=True))
    return (*(named.pop(name) for name in keys), *named.values())
