"""What an audit reports, and how outputs read as tuples."""

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from paperdesk.domain.events import OUTPUT_BYTES

Row = tuple[int, ...]
ROW: Final = struct.Struct("<h6b4i3q4i13q")
assert ROW.size == OUTPUT_BYTES, "one tuple is one output"
KIND, SIDE, ORDER_TYPE, TIME_IN_FORCE, FLAGS, LIQUIDITY, RULE = range(7)
INSTRUMENT, VERSION, ACCOUNT, BOT, SEQ, TS, ORDER_ID, REASON, ASSET, FEE_ASSET, NUMBER, PAYLOAD = range(7, 19)
CAUSE: Final = PAYLOAD + 7

KEPT_FINDINGS: Final = 200


class AuditFinding(NamedTuple):
    """One thing that must not be: where, against which rule of docs/venue-rules.md, and what was found."""

    seq: int
    account: int
    order_id: int
    rule: str
    what: str

    def __str__(self) -> str:
        order = f", order PAPER-{self.account}-{self.order_id}" if self.order_id > 0 else ""
        return f"seq {self.seq}, account {self.account}{order}: {self.what} (rule {self.rule})"


@dataclass(slots=True)
class AuditReport:
    """What was looked at, and what was found; `findings` keeps the first ones, `found` counts all."""

    inputs: int = 0
    outputs: int = 0
    orders: int = 0
    fills: int = 0
    postings: int = 0
    found: int = 0
    findings: list[AuditFinding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return self.found == 0
