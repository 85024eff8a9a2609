"""Opening the database: schema, versions, and what a person reads when it cannot be opened or written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from paperdesk.store import tables
from paperdesk.store.database import (
    Database,
    connect,
    fresh_schema,
    open_database,
    read_schema,
    revisions,
    store_error,
    upgrade,
)
from paperdesk.store.errors import StoreError
from paperdesk.store.projections import Projector


def test_a_new_database_has_the_schema_of_the_migrations_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "home" / "paperdesk.db"
    for _ in range(2):
        with open_database(path) as database, closing(database.connection()) as connection:
            assert read_schema(connection) == fresh_schema()
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
            assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
            with database.engine.connect() as reader:
                assert reader.execute(select(tables.orders)).all() == []


def test_tables_name_the_columns_types_and_keys_of_the_schema(tmp_path: Path) -> None:
    with open_database(tmp_path / "p.db") as database, closing(database.connection()) as connection:
        names = {name for kind, name, _, _ in read_schema(connection) if kind == "table"}
        assert names == {*tables.metadata.tables, "alembic_version"}
        for table in tables.metadata.tables.values():
            found = [row[1:4] + row[5:6] for row in connection.execute(f"PRAGMA table_info({table.name})")]
            keys = tables.key(table)
            assert found == [
                (
                    column.name,
                    "TEXT" if str(column.type) == "TEXT" else "INTEGER",
                    0 if column.nullable else 1,
                    keys.index(column.name) + 1 if column.name in keys else 0,
                )
                for column in table.columns
            ], table.name


def test_upgrade_makes_the_schema_and_says_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    head = revisions()[-1]
    assert upgrade(path) == (None, head)
    assert upgrade(path) == (head, head)
    open_database(path, create=False).close()


def set_version(path: Path, text: str) -> None:
    with closing(connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (text,))


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    upgrade(path)
    set_version(path, "9999")
    for attempt in (lambda: open_database(path), lambda: upgrade(path)):
        with pytest.raises(StoreError, match=r"schema 9999.*does not know.*newer version.*Nothing was changed"):
            attempt()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE shopping (item TEXT)")
    for attempt in (lambda: open_database(path), lambda: upgrade(path)):
        with pytest.raises(StoreError, match="not one of Paperdesk"):
            attempt()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("shopping",)]


def test_missing_empty_and_damaged_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*db rebuild"):
        open_database(tmp_path / "none.db", create=False)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty"):
        open_database(tmp_path / "empty.db", create=False)
    (tmp_path / "text.db").write_bytes(b"this is no database at all, but long enough to look at\n" * 40)
    with pytest.raises(StoreError, match=r"no SQLite database.*db rebuild"):
        open_database(tmp_path / "text.db")


def test_a_database_locked_by_another_is_said_to_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    with open_database(path) as database:
        projector = Projector(database, "r")
        projector.begin({})
        projector._connection.execute("PRAGMA busy_timeout = 10").close()
        with closing(connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another process holds it; close that process"):
                projector.flush()
            with pytest.raises(StoreError, match="another process holds it"):
                projector.begin({"again": 1})
            other.execute("ROLLBACK")
        projector.flush()
        projector.close()
    with closing(connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").close()
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="another process holds it"):
            open_database(path, busy_ms=10)


def full(database: Database) -> Projector:
    """A projector whose file may not grow any more: what a full disk does, by SQLite's own limit."""
    projector = Projector(database, "r")
    projector.begin({})
    pages = projector._connection.execute("PRAGMA page_count").fetchone()[0]
    projector._connection.execute(f"PRAGMA max_page_count = {pages}").close()
    return projector


def test_a_full_disk_is_said_to_be_full_and_a_later_flush_succeeds(tmp_path: Path) -> None:
    with open_database(tmp_path / "p.db") as database:
        projector = full(database)
        for number in range(200):
            projector.note({"type": "data_note", "text": f"{number} " + "x" * 500})
        with pytest.raises(StoreError, match="the disk is full; free some space"):
            projector.flush()
        projector._connection.execute("PRAGMA max_page_count = 1000000").close()
        projector.flush()
        assert projector._connection.execute("SELECT COUNT(*) FROM data_notes").fetchone() == (200,)
        projector.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_to_be_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=r"cannot be (used|opened)"):
        open_database(folder / "p.db")


def test_what_sqlite_answers_is_put_in_plain_words(tmp_path: Path) -> None:
    for told, cause in (
        ("attempt to write a readonly database", "read-only"),
        ("unable to open database file", "check that its folder exists"),
        ("database disk image is malformed", "damaged"),
        ("disk I/O error", "input/output error"),
        ("no such column: x", "paperdesk db check"),
    ):
        assert cause in str(store_error(tmp_path / "p.db", sqlite3.OperationalError(told)))


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        open_database(tmp_path / "home" / "p.db")
