"""What an account is worth: marks, declared conversions, equity, pnl, exposure. All integers, floored.

A price that is missing or stale makes a figure *not computable* (the first value of each pair is False): it is never taken as zero.
"""

from typing import Any, Final

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import MAX_UNITS, mul_div_floor, product_fits
from paperdesk.ledger.journal import FREE, RESERVED

VALUE_BOUND: Final = 2**60


@kernel
def fresh_mark(s: Any, instrument: int) -> int:
    """Mark price in ticks, or 0 if there is none or it is older than the instrument's `stale_after_ns`."""
    market = s.markets[instrument]
    if market.mark_ticks == 0 or s.ts_seq_ns - market.mark_ns > s.instruments[instrument].stale_after_ns:
        return 0
    ticks: int = market.mark_ticks
    return ticks


@kernel
def scaled(units: int, times: int, per: int) -> tuple[bool, int]:
    """(fits, ⌊units · times / per⌋) for units ≥ 0; anything beyond the desk's bounds does not fit."""
    assert units >= 0 and times > 0 and per > 0, "scaling takes positive factors"
    if not product_fits(units // per + 1, times, MAX_UNITS):
        return False, 0
    value = mul_div_floor(units, times, per)
    return value <= VALUE_BOUND, value


@kernel
def quote_value(s: Any, instrument: int, base_units: int) -> tuple[bool, int]:
    """Value of base units (signed) at the mark, in quote units."""
    definition = s.instruments[instrument]
    mark = fresh_mark(s, instrument)
    if mark == 0 or not product_fits(mark, definition.num, MAX_UNITS):
        return base_units == 0, 0
    fits, value = scaled(abs(base_units), mark * definition.num, definition.den * definition.base_units_per_lot)
    return fits, (value if base_units >= 0 else -value)


@kernel
def reporting_value(s: Any, account: int, asset: int, units: int) -> tuple[bool, int]:
    """Value of units (signed) of an asset in the account's reporting asset, through its declared conversion."""
    if asset == s.accounts[account].reporting:
        return abs(units) <= VALUE_BOUND, units
    conversion = s.conversions[account, asset]
    if units == 0:
        return True, 0
    if conversion.declared == 0:
        return False, 0
    instrument = conversion.instrument
    definition = s.instruments[instrument]
    mark = fresh_mark(s, instrument)
    if mark == 0 or not product_fits(mark, definition.num, MAX_UNITS):
        return False, 0
    price, per = mark * definition.num, definition.den * definition.base_units_per_lot
    fits, value = scaled(abs(units), per, price) if conversion.inverse == 1 else scaled(abs(units), price, per)
    return fits, (value if units >= 0 else -value)


@kernel
def account_equity(s: Any, account: int) -> tuple[bool, int]:
    """Free plus reserved of all assets, in the reporting asset."""
    if s.accounts[account].source != s.source:
        return False, 0
    equity = 0
    for asset in range(s.n_assets):
        total = s.balances[account, asset, FREE] + s.balances[account, asset, RESERVED]
        assert total >= 0, "free and reserved are never negative"
        if total > 0:
            known, value = reporting_value(s, account, asset, total)
            equity += value
            if not known or equity > MAX_UNITS:
                return False, 0
    return True, equity


@kernel
def bot_pnl(s: Any, bot: int) -> tuple[bool, int]:
    """Realized plus unrealized of a bot over all instruments, in the reporting asset of its account."""
    account = s.bots[bot].account
    if s.accounts[account].source != s.source:
        return False, 0
    pnl = 0
    for instrument in range(s.n_instruments):
        position = s.bot_positions[bot, instrument]
        if position.qty_units == 0 and position.cost_units == 0 and position.realized_units == 0:
            continue
        known, value = quote_value(s, instrument, position.qty_units)
        if not known:
            return False, 0
        settled = position.realized_units - position.cost_units
        if abs(settled) > MAX_UNITS or abs(value + settled) > VALUE_BOUND:
            return False, 0
        result = value + settled
        known, value = reporting_value(s, account, s.instruments[instrument].quote_asset, result)
        pnl += value
        if not known or abs(pnl) > MAX_UNITS:
            return False, 0
    return True, pnl


@kernel
def position_value(s: Any, account: int, instrument: int, base_units: int) -> tuple[bool, int]:
    """|base units| at the mark, in the account's reporting asset."""
    known, value = quote_value(s, instrument, abs(base_units))
    if not known:
        return False, 0
    return reporting_value(s, account, s.instruments[instrument].quote_asset, value)


@kernel
def worst_units(position: Any, base_units_per_lot: int) -> int:
    """The larger of the two holdings that filling all live buys, or all live sells, would lead to (absolute base units)."""
    assert position.open_buy_lots >= 0 and position.open_sell_lots >= 0, "open lots are counted, never negative"
    up = abs(position.qty_units + position.open_buy_lots * base_units_per_lot)
    down = abs(position.qty_units - position.open_sell_lots * base_units_per_lot)
    return max(up, down)


@kernel
def account_exposure(s: Any, account: int) -> tuple[bool, int]:
    """Σ over instruments of what the account's position there could grow to with its live orders, at the mark, in the reporting asset."""
    total = 0
    for instrument in range(s.n_instruments):
        known, value = position_value(
            s,
            account,
            instrument,
            worst_units(s.account_positions[account, instrument], s.instruments[instrument].base_units_per_lot),
        )
        total += value
        if not known or total > MAX_UNITS:
            return False, 0
    return True, total


@kernel
def bot_exposure(s: Any, bot: int) -> tuple[bool, int]:
    """The same for one bot."""
    total = 0
    for instrument in range(s.n_instruments):
        known, value = position_value(
            s,
            s.bots[bot].account,
            instrument,
            worst_units(s.bot_positions[bot, instrument], s.instruments[instrument].base_units_per_lot),
        )
        total += value
        if not known or total > MAX_UNITS:
            return False, 0
    return True, total
