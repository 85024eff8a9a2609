"""The outbox: outputs of the input that is being folded, in order. Whoever decides something states it here, then applies it."""

from typing import Any, Final

from paperdesk.domain.events import OUTPUT
from paperdesk.domain.kernel import kernel

OUTBOX_ROWS: Final = 1_048_576
PAYLOAD_WORDS: Final = OUTPUT["payload"].shape[0]


@kernel
def emit(s: Any, kind: int) -> Any:
    """A fresh output row of this kind, stamped with the current input's seq and time; all other fields are zero."""
    number = s.n_outputs
    assert number < OUTBOX_ROWS, "outbox is full"
    row = s.outbox[number]
    row.kind = kind
    row.side = 0
    row.order_type = 0
    row.time_in_force = 0
    row.flags = 0
    row.liquidity = 0
    row.rule = 0
    row.instrument = 0
    row.version = 0
    row.account = 0
    row.bot = 0
    row.seq = s.seq
    row.ts_seq_ns = s.ts_seq_ns
    row.order_id = 0
    row.reason = 0
    row.asset = 0
    row.fee_asset = 0
    row.number = number
    for word in range(PAYLOAD_WORDS):
        row.payload[word] = 0
    s.n_outputs = number + 1
    return row
