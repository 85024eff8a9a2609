"""How the desk says no to its settings: one exception, one exit code, one form of message."""

from __future__ import annotations

from typing import NoReturn

EXIT_REFUSED = 78
"""The exit code of a refused configuration (EX_CONFIG in sysexits.h)."""


class SettingsRefused(ValueError):  # noqa: N818  a refusal is the word used everywhere
    """The settings cannot be used; the message says what, where, why, and what to do next.

    The command line prints the message to standard error and exits with `exit_code`.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, message: str) -> None:
        """`message` is complete and safe to show: it never holds a credential's value."""
        super().__init__(message)
        self.message = message


def refuse(what: str, *, where: str, why: str, remedy: str) -> NoReturn:
    """Raises `SettingsRefused` with a message in four lines."""
    raise SettingsRefused(
        f"Paperdesk did not start: {what}.\n  where:      {where}\n  why:        {why}.\n  what to do: {remedy}."
    )
