"""`paperdesk explain`: finds the order or signal that is meant, and tells its story (`api/story.py`, `api/signals.py`)."""

import re
from typing import Final

from paperdesk.api.signals import signal_story
from paperdesk.api.story import NoOrder, story
from paperdesk.app.errors import EXIT_IO, EXIT_USAGE, DeskError
from paperdesk.app.home import Home
from paperdesk.app.inputs_told import Teller
from paperdesk.store.database import open_database
from paperdesk.store.errors import StoreError

NAMED: Final = re.compile(
    r"(?:(?P<run>[^:]+):)?(?:(?P<what>PAPER|SIGNAL)-)?(?P<account>\d{1,9})-(?P<number>\d{1,18})",
    re.ASCII | re.IGNORECASE,
)


def explained(home: Home, text: str) -> str:
    """The story of an order such as `PAPER-0-12` or a signal such as `SIGNAL-0-3` of the newest run, or of `RUN:PAPER-0-12`."""
    match = NAMED.fullmatch(text.strip())
    if match is None:
        raise DeskError(
            f"{text!r} is no order or signal; write PAPER-ACCOUNT-NUMBER, such as PAPER-0-12, or SIGNAL-0-3, with RUN: before it for an older run.",
            EXIT_USAGE,
        )
    what = (match["what"] or "PAPER").upper()
    if not home.database.exists():
        raise DeskError(
            f"There is no database in {home.root}; `paperdesk up` makes one, `paperdesk db rebuild` makes it from the logs."
        )
    runs = home.runs()
    run = match["run"] or (runs or [""])[-1]
    if run not in runs:
        known = ", ".join(runs[-5:]) or "none"
        raise DeskError(f"There is no run {run!r} in {home.root}; the latest are: {known}.")
    try:
        with open_database(home.database, create=False) as database, database.engine.connect() as connection:
            told = Teller(home, connection, run)
            tell = signal_story if what == "SIGNAL" else story
            return "\n".join(tell(connection, run, int(match["account"]), int(match["number"]), told))
    except NoOrder as error:
        raise DeskError(
            f"{error} An order or signal of another run is named with it, such as {run}:{what}-0-1."
        ) from error
    except StoreError as error:
        raise DeskError(str(error), EXIT_IO) from error
