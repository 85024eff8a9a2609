"""Where people read."""

import sys

from rich.console import Console


def stderr_console(as_json: bool) -> Console:
    """Where people read: standard output, or standard error when standard output carries JSON."""
    return Console(file=sys.stderr if as_json else sys.stdout, highlight=False)


def warm() -> None:
    """Say so before the core is compiled for this machine."""
    from paperdesk.domain import cache

    if cache.COLD:
        where = (
            "once for this machine and version"
            if cache.FOLDER is not None
            else "at every start: there is no cache folder to trust"
        )
        print(f"Compiling the core ({where}; half a minute or more) ...", file=sys.stderr, flush=True)
