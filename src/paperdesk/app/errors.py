"""How the desk ends when it cannot go on: one exception for people, with an exit code from sysexits.h."""

from typing import Final

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_AGAIN: Final = 71
"""The process begins again, and goes on where it was."""
EXIT_IO: Final = 74
EXIT_LOCKED: Final = 75
EXIT_SETTINGS: Final = 78


class DeskError(Exception):
    """What happened, why, and what to do next; `exit_code` is what the process ends with."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
