"""Small sentences that every story is made of: times, and reasons with what to do about them."""

from datetime import UTC, datetime
from typing import Final

from paperdesk.domain.reasons import TEXTS, Reason

NOTHING: Final = "nothing to do"


def cause(code: int) -> str:
    """A reason as the end of a sentence, and what to do about it."""
    try:
        reason = Reason(code)
    except ValueError:
        return f"of reason {code}, which this version does not know."
    text = TEXTS[reason]
    remedy = f" What to do: {text.remedy}."
    if text.remedy.startswith(NOTHING):
        remedy = "" if text.remedy == NOTHING else f" There is {text.remedy}."
    return f"{text.meaning} ({reason.name.lower()}).{remedy}"


def time_text(ts_ns: int) -> str:
    """A time of the engine, in UTC to the millisecond."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{rest // 1_000_000:03} UTC"
