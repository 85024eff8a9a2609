"""User files loaded in this process, as only a test may have them."""

from __future__ import annotations

import sys
from pathlib import Path

from paperdesk.app.user_code import read_files
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.registry import load_given


def load_file(path: Path) -> type[Strategy]:
    """The strategy of a file; what it imports from its folder is found during this call alone."""
    before = list(sys.meta_path)
    try:
        return load_given(*read_files(str(path)))
    finally:
        sys.meta_path[:] = before
