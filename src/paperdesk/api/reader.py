"""Reads the projections: one connection that can only read, for whatever asks, a transaction at a time.

The engine writes the file; this process has no right to. Where the file is not there yet, or SQLite refuses, the answer is a 503 that
says so, and the next request tries anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from paperdesk.api.told import problem
from paperdesk.store.database import store_error

BUSY_MS: Final = 500


class Reader:
    """The projections of a home."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened until somebody asks."""
        self.path = path
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def _connect(self) -> sqlite3.Connection:
        opened = sqlite3.connect(
            f"{self.path.as_uri()}?mode=ro",
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        opened.execute("PRAGMA query_only = ON").close()
        opened.execute("PRAGMA temp_store = MEMORY").close()  # behind the wall there is no folder for temporary files
        return opened

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """One picture of the database: everything read within belongs together."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            self._engine.dispose()
            raise problem(
                503, "database", str(store_error(self.path, error)), "ask again in a moment: the engine may be starting"
            ) from error

    def version(self) -> int:
        """Another number whenever somebody wrote."""
        with self.look() as connection:
            return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
