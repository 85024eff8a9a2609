"""What the outside world answers when it does not answer: one exception with a reason, and the words for it; counters.

A request that the list refuses and one that the world fails end the same way for a caller, with `NoAnswer`, told
apart by its reason: NOT_ON_THE_LIST and its neighbours mean that nothing was sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from paperdesk.domain.reasons import TEXTS, Reason
from paperdesk.safety.allowlist import ELSEWHERE, Entry

LONGEST_WAIT_S: Final = 3 * 86_400
"""The longest ban that Binance gives."""
DEFAULT_WAIT_S: Final = {429: 60, 418: 120}
"""How long to wait where the venue does not say; Binance's shortest ban is two minutes."""
REFUSED_HERE: Final = frozenset(
    [Reason.NOT_ON_THE_LIST, Reason.BAD_ADDRESS, Reason.CREDENTIAL_GIVEN, Reason.FRAME_REFUSED]
)
"""Reasons that mean: nothing was sent."""
SHOWN_CHARS: Final = 160


class NoAnswer(Exception):  # noqa: N818  not an error of ours
    """There is no answer; the message says what happened, why, and what to do. `wait_s`: how long the venue asked not
    to be asked again (0: it did not say).
    """

    def __init__(self, reason: Reason, what: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{what}: {TEXTS[reason].meaning}. {TEXTS[reason].remedy}")
        self.reason = reason
        self.wait_s = wait_s


class Count(NamedTuple):
    """One counter, for metrics."""

    host: str
    entry: str
    verdict: str
    calls: int


class Counters:
    """Calls by host, entry and verdict. Hosts and entries are those of the list, or "other" and "none"; a verdict is
    `allowed`, `answered`, or the name of a reason: there is a bounded number of each.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, host: str, entry: Entry | None, verdict: Reason | str) -> None:
        """Counts one."""
        word = verdict.name.lower() if isinstance(verdict, Reason) else verdict
        self._counts[host, entry.name if entry is not None else "none", word] += 1

    def rows(self) -> Sequence[Count]:
        """All counters above zero, in order of their names."""
        return [Count(*key, calls) for key, calls in sorted(self._counts.items())]

    def of(self, verdict: Reason | str) -> int:
        """How many of one verdict, whatever host and entry."""
        word = verdict.name.lower() if isinstance(verdict, Reason) else verdict
        return sum(count for key, count in self._counts.items() if key[2] == word)


def shown(text: str) -> str:
    """Text of others as a message may show it: one line of printable ASCII, cut."""
    plain = re.sub(r"[^!-~]+", " ", text).strip()
    return plain if len(plain) <= SHOWN_CHARS else plain[:SHOWN_CHARS] + "…"


def wait_told(status: int, retry_after: str | None) -> float:
    """Seconds to wait by a Retry-After header of whole seconds; the default where it says nothing usable."""
    if retry_after is not None and re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(min(int(retry_after), LONGEST_WAIT_S))
    return float(DEFAULT_WAIT_S.get(status, 0))


def of_status(entry: Entry, status: int, retry_after: str | None, location: str | None, body: bytes) -> NoAnswer:
    """What an answer means whose status is not 200 (or, for a stream, not 101)."""
    who, words = f"{entry.venue} ({entry.host}) answered {status}", shown(body[:400].decode("utf-8", "replace"))
    page = body.lstrip()[:1] == b"<"
    if 300 <= status < 400:
        return NoAnswer(Reason.REDIRECTED, f"{who} and pointed to {shown(location or 'nothing')!r}")
    if status in (451, 403):
        others = " or ".join(ELSEWHERE.get(entry.venue, ()))
        firewall = "" if status == 451 else ", or its firewall stopped us"
        return NoAnswer(
            Reason.REGION_REFUSED,
            f"{who}{firewall}; another venue to try is {others} (where this version has a feed for it)",
        )
    if status in (429, 418):
        wait = wait_told(status, retry_after)
        reason = Reason.RATE_LIMITED if status == 429 else Reason.VENUE_BANNED_US
        return NoAnswer(reason, f"{who}, and nothing is asked for {wait:.0f} s", wait)
    if page and status < 500:
        return NoAnswer(Reason.NOT_JSON, f"{who} with a web page")
    wait = wait_told(status, retry_after)
    return NoAnswer(Reason.VENUE_ERROR, who + (f", {words!r}" if words and not page else ""), wait)


def check_json(entry: Entry, body: bytes) -> None:
    """NoAnswer where a body is plainly no JSON object or list."""
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return
    what = "a web page" if start == b"<" else "nothing" if not start else "no JSON"
    raise NoAnswer(Reason.NOT_JSON, f"{entry.venue} ({entry.host}) answered with {what}")
