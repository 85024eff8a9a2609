"""What people and the API send to the desk's own account, as it goes to the accounts beside it: the same orders.

An order is copied with the number of the desk's own as its `client_id`, and is found by it when it is to be amended or canceled; nothing else has to be
remembered, so that a desk that was started again finds it too. Ghosts are left out of whatever stops and starts bots: they go on without
protections. What concerns the whole desk (account -1) is one input and needs no copies.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from paperdesk.app.accounts import Account
from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.orders import LIVE
from paperdesk.engine.fold import Fold

Rows = np.ndarray[Any, Any]
SUBMIT_ORDER, SUBMIT_LIST, AMEND_ORDER, CANCEL_ORDER, CANCEL_ALL, KILL, RESUME = (
    int(InputKind[name])
    for name in ("SUBMIT_ORDER", "SUBMIT_LIST", "AMEND_ORDER", "CANCEL_ORDER", "CANCEL_ALL", "KILL", "RESUME")
)
SENT: Final = (int(OutputKind.ORDER_SUBMITTED), int(OutputKind.ORDER_DENIED))
STATUSES: Final = [int(status) for status in LIVE]


def copies(fold: Fold, beside: list[Account], row: Rows, outputs: Rows) -> Iterator[Rows]:
    """The inputs that the accounts beside get, where the desk's own got `row`, shape (1,), and `outputs` came of it."""
    kind, account, bot = (int(row[name][0]) for name in ("kind", "account", "bot"))
    if account < 0:
        return
    for other in beside:
        copy = row.copy()
        copy["account"] = other.number
        if kind in (SUBMIT_ORDER, SUBMIT_LIST):
            sent = outputs[np.isin(outputs["kind"], SENT) & (outputs["account"] == account)]
            if not len(sent):  # refused before it had a number
                return
            if kind == SUBMIT_LIST:
                copy["leg_client_id"][0, : len(sent)] = sent["order_id"]
                copy["list_cause"] = 0
            else:
                copy["client_id"], copy["cause"] = sent["order_id"][0], 0
        elif kind in (CANCEL_ORDER, AMEND_ORDER):
            number = same_order(fold, other.number, int(row["order_id"][0]))
            if number == 0:
                continue
            copy["order_id"] = number
        elif kind in (KILL, RESUME):
            if other.role == "ghost" or bot <= 0:
                continue
            copy["bot"] = other.bot(bot)
        elif kind != CANCEL_ALL:
            continue
        yield copy


def same_order(fold: Fold, account: int, of: int) -> int:
    """The live order of an account that is the same as order `of` of the desk's own; 0 where there is none."""
    orders = fold.orders
    owned = (orders["account"] == account) & (orders["bot"] == 0) & (orders["client_id"] == of)
    found = orders["id"][owned & np.isin(orders["status"], STATUSES)]
    return int(found[0]) if len(found) else 0
