"""Figures of the statement for tests: kernels take the whole state, shape (1,), compiled or not."""

from __future__ import annotations

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.ledger.statement import (
    account_equity,
    account_exposure,
    bot_exposure,
    bot_pnl,
    position_value,
    quote_value,
    reporting_value,
)

QUOTE_VALUE, REPORTING_VALUE, POSITION_VALUE, EQUITY, PNL, EXPOSURE, BOT_EXPOSURE = range(7)


@kernel
def figure_at(state: Any, which: int, first: int, second: int, units: int) -> tuple[bool, int]:
    """One figure: (instrument, –), (account, asset), (account, instrument), (account), (bot), (account), (bot)."""
    s = state[0]
    if which == 0:
        return quote_value(s, first, units)
    if which == 1:
        return reporting_value(s, first, second, units)
    if which == 2:
        return position_value(s, first, second, units)
    if which == 3:
        return account_equity(s, first)
    if which == 4:
        return bot_pnl(s, first)
    if which == 5:
        return account_exposure(s, first)
    return bot_exposure(s, first)


def figure(state: Any, which: int, first: int = 0, second: int = 0, units: int = 0) -> tuple[bool, int]:
    """(computable, value) of one figure."""
    known, value = figure_at(state, which, first, second, units)
    return bool(known), int(value)
