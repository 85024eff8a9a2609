"""Positions at average cost, as docs/venue-rules.md, section 7, counts them; for the projections."""


def averaged(qty: int, cost: int, moved: int, money: int, sale: bool = False) -> tuple[int, int, int]:
    """Average cost: (qty, cost, realized change) after `moved` base units came in for `money`.

    A sale is the same seen in a mirror (quantity and cost negated), only that closing brings the money in and gives the
    cost back. Divisions round as docs/venue-rules.md, section 7, says.
    """
    if moved == 0:
        return qty, cost, money if sale else -money
    if qty >= 0:
        return qty + moved, cost + money, 0
    closed = min(moved, -qty)
    back = -cost if closed == -qty else -cost * closed // -qty
    part = money if closed == moved else money * closed // moved
    rest = money - part
    return qty + moved, cost + back + rest, part - back if sale else back - part
