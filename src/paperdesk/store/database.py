"""The projections' database: a SQLite file that can be thrown away and rebuilt from the log.

The log is the authority; this file is for people and screens. It is kept in write-ahead mode with synchronous=NORMAL (a
power cut may lose the last rows, which are caught up from the log), with foreign keys, and its schema comes from the
migrations that are shipped inside the package. Whatever SQLite answers comes out as a StoreError that says what to do.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from paperdesk.store.errors import StoreError, why

BUSY_MS: Final = 5000
MIGRATIONS: Final = Path(__file__).parent / "migrations"

CAUSES: Final = (
    ("locked", "another process holds it", "close that process (a desk, a database viewer) and try again"),
    ("busy", "another process holds it", "close that process (a desk, a database viewer) and try again"),
    ("readonly", "it is read-only", "make the file and its folder writable, or choose another home with --home"),
    ("disk is full", "the disk is full", "free some space, or move the home folder to a larger disk with --home"),
    ("unable to open", "it cannot be opened", "check that its folder exists and that you may read and write it"),
    (
        "not a database",
        "the file is no SQLite database",
        "move it away and run `paperdesk db rebuild`: the logs hold all of it",
    ),
    ("malformed", "the file is damaged", "move it away and run `paperdesk db rebuild`: the logs hold all of it"),
    ("i/o error", "the disk reports an input/output error", "check the disk's health before you start again"),
)


class SchemaOutdated(StoreError):  # noqa: N818  a fact, named as one
    """The file has an older schema; `upgrade` brings it to this version's."""


def store_error(path: Path, error: Exception) -> StoreError:
    """SQLite's answer in plain words, with what to do."""
    told = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    for word, cause, remedy in CAUSES:
        if word in told.lower():
            return StoreError(f"The database {path} cannot be used: {cause}; {remedy}.")
    return StoreError(
        f"The database {path} refused what was asked ({told}); run `paperdesk db check`, and `paperdesk db rebuild` "
        "if it finds anything."
    )


@contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """Turns what SQLite and the operating system answer into StoreError."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        raise store_error(path, error) from error
    except OSError as error:
        raise StoreError(f"The database {path} cannot be used: {why(error)}.") from error


class Database:
    """An open database of projections. Made by `open_database`; also a context manager."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self.engine = engine

    def connection(self, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
        """A connection of its own, in autocommit mode: the caller writes BEGIN and COMMIT and closes it."""
        with plain_words(self.path):
            return connect(self.path, busy_ms)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(path: Path | str, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A plain connection with the settings every connection has."""
    connection = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)
    try:
        for setting in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {setting}").close()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _engine(path: Path | None, busy_ms: int) -> Engine:
    """An engine whose transactions begin when SQLAlchemy says so (DDL included); None is a database in memory."""
    target: Path | str = ":memory:" if path is None else path
    pool: dict[str, Any] = {"poolclass": StaticPool} if path is None else {}
    engine = create_engine("sqlite://", creator=lambda: connect(target, busy_ms), **pool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_path_separator", "os")
    return config


def revisions() -> list[str]:
    """All schema versions this program knows, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def _migrate(engine: Engine) -> None:
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.in_transaction():
            connection.commit()


def _version(engine: Engine, path: Path) -> str | None:
    """The schema version of a file, None for an empty one; StoreError if it is not ours, or newer than we are."""
    with engine.connect() as connection:
        version = MigrationContext.configure(connection).get_current_revision()
        if version is None and inspect(connection).get_table_names():
            raise StoreError(
                f"{path} is a database, but not one of Paperdesk; choose another home with --home. Nothing was changed."
            )
    known = revisions()
    if version is not None and version not in known:
        raise StoreError(
            f"The database {path} has schema {version}, which this version of Paperdesk (schema {known[-1]}) does not "
            "know: a newer version wrote it. Use that version, or move the file away and run `paperdesk db rebuild`. "
            "Nothing was changed."
        )
    return version


def open_database(path: Path, create: bool = True, busy_ms: int = BUSY_MS) -> Database:
    """Open the projections at `path`; an empty or missing file gets the schema if `create`.

    StoreError where the file is missing, locked for longer than `busy_ms`, read-only, damaged, not ours or newer;
    SchemaOutdated where it is older.
    """
    if not create and not path.is_file():
        raise StoreError(f"There is no database at {path}; `paperdesk db rebuild` makes one from the logs.")
    engine = _engine(path, busy_ms)
    try:
        with plain_words(path):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            version = _version(engine, path)
            if version is None and not create:
                raise StoreError(f"The database {path} is empty; `paperdesk db rebuild` fills it from the logs.")
            if version is None:
                _migrate(engine)
            elif version != revisions()[-1]:
                raise SchemaOutdated(
                    f"The database {path} has the older schema {version}; update it with `paperdesk db upgrade`."
                )
    except StoreError:
        engine.dispose()
        raise
    return Database(path, engine)


def upgrade(path: Path, busy_ms: int = BUSY_MS) -> tuple[str | None, str]:
    """Bring a database to this version's schema, made if missing; (schema before, schema now). One transaction."""
    engine = _engine(path, busy_ms)
    try:
        with plain_words(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            before = _version(engine, path)
            _migrate(engine)
            return before, revisions()[-1]
    finally:
        engine.dispose()


def fresh_schema() -> list[tuple[str, str, str, str]]:
    """(type, name, table, SQL) of everything that a new database has, in order of type and name."""
    engine = _engine(None, BUSY_MS)
    try:
        _migrate(engine)
        with engine.connect() as connection:
            return read_schema(connection.connection.driver_connection)  # type: ignore[arg-type]
    finally:
        engine.dispose()


def read_schema(connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    """The same of an open database."""
    sql = """SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master
        WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY type, name"""
    return connection.execute(sql).fetchall()
