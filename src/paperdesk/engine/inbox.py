"""What is due: arrivals, amends, cancels and expiries, each at its own time, in (time, account, order, kind) order.

All of it fires before the input that moved time, against the market as it was.
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.engine.amending import amend_due
from paperdesk.engine.lists import arrive_list, send_ready
from paperdesk.engine.orders import cancel_due
from paperdesk.venue import matching, places
from paperdesk.venue.orders import ORDER_EXPIRED, finish

DEADLINE_PASSED = int(Reason.DEADLINE_PASSED)


@kernel
def fire_due(s: Any, ts_ns: int) -> None:
    """Fire everything that is due by `ts_ns`."""
    while s.n_inbox > 0 and places.due_ns(s, s.inbox[s.inbox_at]) <= ts_ns:
        entry = s.inbox[s.inbox_at]
        slot, what = entry // places.ENTRIES, entry % places.ENTRIES
        if what == places.ARRIVAL:
            if s.orders[slot].list_id > 0:
                arrive_list(s, slot)
            else:
                matching.arrive(s, slot)
        elif what == places.CANCEL:
            places.cut_inbox(s, 0)
            cancel_due(s, slot)
        elif what == places.AMEND:
            places.cut_inbox(s, 0)
            amend_due(s, slot)
        else:
            finish(s, slot, ORDER_EXPIRED, DEADLINE_PASSED)
        if s.n_ready > 0:
            send_ready(s)
