"""Before the core is compiled for a machine, people are told that it takes a while."""

import sys

from paperdesk.domain import cache


def warm() -> None:
    """Say so before the core is compiled for this machine."""
    if cache.COLD:
        where = (
            "once for this machine and version"
            if cache.FOLDER is not None
            else "at every start: there is no cache folder to trust"
        )
        print(f"Compiling the core ({where}; one to two minutes) ...", file=sys.stderr, flush=True)
