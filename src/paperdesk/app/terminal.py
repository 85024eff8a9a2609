"""Where people read."""

import sys

from rich.console import Console


def stderr_console(as_json: bool) -> Console:
    """Where people read: standard output, or standard error when standard output carries JSON."""
    return Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
