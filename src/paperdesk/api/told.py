"""Small words that every answer is made of: times, reasons, problems."""

import secrets
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Final

from paperdesk.api.models import Problem, Refusal
from paperdesk.domain.reasons import TEXTS, Reason

SECOND_NS: Final = 1_000_000_000


def iso(ts_ns: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC, to the millisecond (cut off, not rounded)."""
    seconds, rest = divmod(ts_ns, SECOND_NS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest // 1_000_000:03}Z"


def now_iso() -> str:
    """The machine's clock."""
    return iso(time.time_ns())


def refusal(code: int) -> Refusal | None:
    """A reason with its texts; None for 0. One from a newer log is said to be unknown."""
    if code == 0:
        return None
    try:
        reason = Reason(code)
    except ValueError:
        return Refusal(
            code=code, name=str(code), meaning="a reason that this version does not know", remedy="update Paperdesk"
        )
    return Refusal(code=code, name=reason.name.lower(), meaning=TEXTS[reason].meaning, remedy=TEXTS[reason].remedy)


def because(code: int) -> str:
    """A reason as part of a sentence: meaning and name."""
    why = refusal(code)
    return "" if why is None else f"{why.meaning} ({why.name})"


class Unanswered(Exception):  # noqa: N818  a fact, named as one
    """A request that is not answered with what it asked for: an HTTP status and the problem told."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.message)
        self.status, self.problem = status, problem


def problem(status: int, error: str, message: str, remedy: str, field: str | None = None) -> Unanswered:
    """One to raise."""
    return Unanswered(status, Problem(error=error, message=message, remedy=remedy, field=field))


def logged(error: BaseException, where: str) -> str:
    """Put a bug on stderr with its traceback; the id that it has there."""
    name = secrets.token_hex(4)
    text = "".join(traceback.format_exception(error))
    print(f"paperdesk api: error {name} at {where}:\n{text}", file=sys.stderr, flush=True)
    return name
