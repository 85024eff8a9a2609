"""Reduce-only orders: how much of a position is there to reduce.

The position is that of the order's bot; of the account for its owner (bot 0).
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue.kinds import BUY


@kernel
def reducible_lots(s: Any, order: Any) -> int:
    """Whole lots (rounded down) that an order, or an order command, can take of its position before it is flat."""
    position = s.account_positions[order.account, order.instrument]
    if order.bot > 0:
        position = s.bot_positions[order.bot, order.instrument]
    held = -position.qty_units if order.side == BUY else position.qty_units
    lots: int = max(0, held) // s.instruments[order.instrument].base_units_per_lot
    return lots
