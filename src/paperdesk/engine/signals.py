"""Signals: what a bot wants to hold of an instrument, numbered and logged whether or not an order follows."""

from typing import Any, Final

from paperdesk.domain.events import OutputKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.engine.accounts import address_reason, refuse

SIGNAL_STATED: Final = int(OutputKind.SIGNAL_STATED)
UNSUPPORTED_COMBINATION: Final = int(Reason.UNSUPPORTED_COMBINATION)
LAST_REASON: Final = 2**15


@kernel
def signal_reason(s: Any, e: Any) -> int:
    """Why a signal is not taken: it names an order to follow (its client id), or the reason why none follows."""
    unknown = address_reason(s, e)
    if unknown != 0:
        return unknown
    if (e.client_id > 0) == (e.defect > 0) or e.client_id < 0 or e.defect < 0 or e.defect >= LAST_REASON:
        return UNSUPPORTED_COMBINATION
    return 0


@kernel
def state_signal(s: Any, e: Any) -> None:
    """SIGNAL: gets its number; nothing else changes."""
    reason = signal_reason(s, e)
    if reason != 0:
        refuse(s, e, reason)
        return
    row = emit(s, SIGNAL_STATED)
    row.account = e.account
    row.bot = e.bot
    row.instrument = e.instrument
    row.version = e.version
    row.reason = e.defect
    row.wanted_units = e.wanted_units
    row.held_units = e.held_units
    row.seen_ticks = e.seen_ticks
    row.signal_id = s.accounts[e.account].next_signal
    row.client_id = e.client_id
    row.cause = e.cause
    apply_signal(s, row)


@kernel
def apply_signal(s: Any, row: Any) -> None:
    """The number of a stated signal is used up."""
    s.accounts[row.account].next_signal = row.signal_id + 1
