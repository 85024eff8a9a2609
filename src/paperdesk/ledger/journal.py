"""Double entry: the only code that changes a balance.

A row per (account, asset) has five buckets. `post` moves an amount from one bucket to another of the same row, so every row sums to
zero for ever; FREE and RESERVED are what the trader has, VENUE, FEES and CAPITAL are the other side of the books. What a posting is
for (`Purpose`) decides the two buckets; nothing else can be posted.
"""

from enum import IntEnum
from typing import Any, Final

from paperdesk.domain.events import OutputKind
from paperdesk.domain.kernel import kernel, record
from paperdesk.domain.outbox import emit
from paperdesk.domain.units import MAX_UNITS, mul_div_floor

FREE: Final = 0
RESERVED: Final = 1
VENUE: Final = 2
FEES: Final = 3
CAPITAL: Final = 4
BUCKETS: Final = 5


class Purpose(IntEnum):
    """Why money moves."""

    OPENING = 1
    RESERVE = 2
    RELEASE = 3
    PAY = 4
    RECEIVE = 5
    FEE = 6
    CLOSING = 7


SOURCE_OF: Final = (0, CAPITAL, FREE, RESERVED, RESERVED, VENUE, FREE, FREE)
TARGET_OF: Final = (0, FREE, RESERVED, FREE, VENUE, FREE, FEES, CAPITAL)

OPENING, RESERVE, RELEASE, PAY, RECEIVE, FEE, CLOSING = (int(purpose) for purpose in Purpose)
POSTING: Final = int(OutputKind.POSTING)

POSITION: Final = record(
    [
        ("qty_units", "i8"),
        ("cost_units", "i8"),
        ("realized_units", "i8"),
        ("open_buy_lots", "i8"),
        ("open_sell_lots", "i8"),
    ]
)
"""Net holding of a scope (bot or account) on one instrument: signed base units at average cost, plus the lots of its live orders."""


@kernel
def post(s: Any, purpose: int, account: int, bot: int, asset: int, amount: int, order: Any) -> None:
    """Move `amount` > 0 units of an asset between two buckets and state it; `order` is the order row it belongs to."""
    assert amount > 0, "a posting moves something"
    row = emit(s, POSTING)
    row.account = account
    row.bot = bot
    row.asset = asset
    row.order_id = order.id
    row.amount_units = amount
    row.source_bucket = SOURCE_OF[purpose]
    row.target_bucket = TARGET_OF[purpose]
    row.purpose = purpose
    apply_posting(s, row, order)


@kernel
def apply_posting(s: Any, row: Any, order: Any) -> None:
    """The posting's effect: two buckets, and what the order holds in reserve."""
    amount = row.amount_units
    buckets = s.balances[row.account, row.asset]
    source = buckets[row.source_bucket] - amount
    target = buckets[row.target_bucket] + amount
    assert row.source_bucket > RESERVED or source >= 0, "free and reserved are never negative"
    assert source >= -MAX_UNITS and target <= MAX_UNITS, "a balance is out of bounds"
    buckets[row.source_bucket] = source
    buckets[row.target_bucket] = target
    if row.purpose == RESERVE:
        order.reserved_units += amount
    elif row.purpose == RELEASE or row.purpose == PAY:
        order.reserved_units -= amount
        assert order.reserved_units >= 0, "an order cannot spend more than it holds"


@kernel
def room_units(s: Any, account: int, asset: int) -> int:
    """How many units of an asset an account can still receive before its balance is out of bounds."""
    held = s.balances[account, asset, FREE] + s.balances[account, asset, RESERVED]
    venue = s.balances[account, asset, VENUE]
    assert 0 <= held <= MAX_UNITS, "a balance is out of bounds"
    room: int = MAX_UNITS - held
    return min(room, MAX_UNITS + venue) if venue < 0 else room


@kernel
def average_buy(position: Any, pay: int, gained: int) -> int:
    """Take `gained` base units for `pay` quote units into a position at average cost; the realized change, in quote units.

    Closing a short position (more sold here than bought here: the account's own inventory) realizes; the rest opens.
    """
    assert pay >= 0 and gained >= 0, "a buy pays and gains"
    realized = 0
    if gained == 0:
        realized = -pay
    elif position.qty_units >= 0:
        position.cost_units += pay
    else:
        short = -position.qty_units
        closed = min(gained, short)
        back = -position.cost_units if closed == short else mul_div_floor(-position.cost_units, closed, short)
        part = pay if closed == gained else mul_div_floor(pay, closed, gained)
        realized = back - part
        position.cost_units += back + (pay - part)
    position.qty_units += gained
    position.realized_units += realized
    return realized


@kernel
def average_sell(position: Any, got: int, given: int) -> int:
    """Take a sale of `given` base units for `got` quote units (after fees) out of a position; the realized change, in quote units."""
    assert got >= 0 and given > 0, "a sale gives"
    realized = 0
    if position.qty_units <= 0:
        position.cost_units -= got
    else:
        held = position.qty_units
        closed = min(given, held)
        back = position.cost_units if closed == held else mul_div_floor(position.cost_units, closed, held)
        part = got if closed == given else mul_div_floor(got, closed, given)
        realized = part - back
        position.cost_units -= back + (got - part)
    position.qty_units -= given
    position.realized_units += realized
    return realized
