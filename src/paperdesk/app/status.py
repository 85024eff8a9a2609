"""Commands that look at a home without folding anything: status and purge. They start at once, even where nothing is compiled yet."""

import fcntl
import os
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from paperdesk.app.amounts import short
from paperdesk.app.errors import EXIT_IO, EXIT_LOCKED, DeskError
from paperdesk.app.home import Home
from paperdesk.store.errors import StoreError, why
from paperdesk.store.lock import LOCK_NAME, HomeLock, HomeLocked


def in_plain_words(error: StoreError) -> DeskError:
    """A store's refusal as the command line's."""
    return DeskError(str(error), EXIT_LOCKED if isinstance(error, HomeLocked) else EXIT_IO)


def counted(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def minute(seconds: float) -> str:
    """A time for people, in UTC, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def is_working(home: Home) -> bool:
    """Whether a desk holds the home's lock now; only looks, so that it works where nothing may be written."""
    try:
        descriptor = os.open(home.root / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def show_status(home: Home, as_json: bool) -> None:
    """All runs, newest last, and whether a desk works here."""
    manifests = list(home.manifests())
    working = is_working(home)
    if not manifests and not working:
        raise DeskError(f"There are no runs in {home.root} yet; `paperdesk up` begins one there.")
    if as_json:
        shown = [msgspec.structs.replace(one, definitions=[], past=[]) for one in manifests]
        print(msgspec.json.encode({"home": str(home.root), "working": working, "runs": shown}).decode())
        return
    console = Console(highlight=False)
    console.print(f"PAPER runs in {home.root}" + (" (a desk is working here now)" if working else ""), markup=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("run", "status", "begun (UTC)", "what"):
        table.add_column(column, no_wrap=column != "what", overflow="fold")
    for column in ("fills", "equity"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in manifests:
        status = row.status if row.status != "running" or working else "interrupted"
        told = row.result
        equity = told.get("equity")
        worth = f"{short(equity)} {row.reporting}" if equity else "-"
        symbols = ", ".join(row.symbols[:3]) + (" …" if len(row.symbols) > 3 else "")
        beside = "".join([", band"] * row.fill_band + [", ghost"] * row.shadow)
        what = f"{', '.join(row.strategies)} on {symbols}; {row.fill_model} fills{beside}"
        table.add_row(row.run, status, minute(row.created_s), what, f"{told['fills']:,}" if told else "-", worth)
    console.print(table)
    if any(row.status == "running" for row in manifests) and not working:
        console.print(
            "An interrupted run goes on where its log ends when the same `paperdesk up` command is given again.",
            markup=False,
        )


def purge_home(home: Home) -> None:
    """Remove what a desk made in a home."""
    if not home.root.is_dir():
        raise DeskError(f"There is no home folder {home.root}; nothing was removed.")
    runs = len(home.runs())
    try:
        with HomeLock(home.root):
            home.purge()
    except StoreError as error:
        raise in_plain_words(error) from error
    except OSError as error:
        raise DeskError(f"Not everything in {home.root} could be removed: {why(error)}.", EXIT_IO) from error
    print(f"Removed {counted(runs, 'run')} and the database from {home.root}.")
    if not any(home.root.iterdir()):
        home.root.rmdir()
