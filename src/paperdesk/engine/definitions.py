"""Definitions change while orders live: assets, instrument versions, and what happens to orders that no longer fit."""

from typing import Any, Final

from paperdesk.domain.events import OutputKind, TradingStatus
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.engine.accounts import cancel_at_once, is_asset
from paperdesk.engine.state import MAX_ASSETS, MAX_INSTRUMENTS
from paperdesk.venue.filters import grid_reason
from paperdesk.venue.lists import after_list
from paperdesk.venue.orders import ORDER_CANCELED, finish, is_unfinished
from paperdesk.venue.pictures import clear_view

INSTRUMENT_CHANGED_OUTPUT: Final = int(OutputKind.INSTRUMENT_CHANGED)
EVENT_REFUSED: Final = int(OutputKind.EVENT_REFUSED)
INSTRUMENT_CHANGED, DELISTED, BAD_EVENT = int(Reason.INSTRUMENT_CHANGED), int(Reason.DELISTED), int(Reason.BAD_EVENT)
DELISTED_STATUS: Final = int(TradingStatus.DELISTED)
WRONG_SOURCE: Final = int(Reason.WRONG_SOURCE)
MAX_SCALE: Final = 12


@kernel
def refuse_event(s: Any, e: Any, reason: int) -> None:
    """State that a fact from outside was not used, and why."""
    row = emit(s, EVENT_REFUSED)
    row.instrument = e.instrument
    row.reason = reason
    row.cause = e.kind
    assert reason != 0, "a refusal has a reason"


@kernel
def define_asset(s: Any, e: Any) -> None:
    """DEFINE_ASSET: a scale is given once and never changes."""
    known = 0 <= e.asset < MAX_ASSETS and s.scales[e.asset] > 0
    if (
        e.asset < 0
        or e.asset >= MAX_ASSETS
        or e.scale < 0
        or e.scale > MAX_SCALE
        or (known and s.scales[e.asset] != e.scale + 1)
    ):
        refuse_event(s, e, BAD_EVENT)
        return
    s.scales[e.asset] = e.scale + 1
    s.n_assets = max(s.n_assets, e.asset + 1)


@kernel
def possible_definition(s: Any, e: Any) -> bool:
    """Whether a DEFINE_INSTRUMENT can be the next version of its instrument."""
    if e.instrument < 0 or e.instrument >= MAX_INSTRUMENTS:
        return False
    if not is_asset(s, e.base_asset) or not is_asset(s, e.quote_asset) or e.base_asset == e.quote_asset:
        return False
    if (
        min(e.num, e.den, e.base_units_per_lot) <= 0
        or min(e.maker_fee_e8, e.taker_fee_e8) < 0
        or max(e.maker_fee_e8, e.taker_fee_e8) > 100_000_000
    ):
        return False
    definition = s.instruments[e.instrument]
    if e.version != definition.version + 1:
        return False
    return definition.version == 0 or (
        definition.base_asset == e.base_asset and definition.quote_asset == e.quote_asset
    )


@kernel
def same_grid(definition: Any, e: Any) -> bool:
    """Whether prices and quantities keep their meaning under a new version."""
    return bool(
        definition.num == e.num
        and definition.den == e.den
        and definition.base_units_per_lot == e.base_units_per_lot
        and definition.tick_mantissa == e.tick_mantissa
        and definition.tick_exponent == e.tick_exponent
        and definition.lot_mantissa == e.lot_mantissa
        and definition.lot_exponent == e.lot_exponent
    )


@kernel
def copy_definition(definition: Any, e: Any) -> None:
    """Write an input's definition into its row."""
    definition.version = e.version
    definition.base_asset, definition.quote_asset = e.base_asset, e.quote_asset
    definition.num, definition.den, definition.base_units_per_lot = e.num, e.den, e.base_units_per_lot
    definition.trading_status = e.trading_status
    definition.min_price_ticks, definition.max_price_ticks = e.min_price_ticks, e.max_price_ticks
    definition.min_qty_lots, definition.max_qty_lots = e.min_qty_lots, e.max_qty_lots
    definition.market_min_qty_lots, definition.market_max_qty_lots = e.market_min_qty_lots, e.market_max_qty_lots
    definition.min_notional_units, definition.min_notional_to_market = e.min_notional_units, e.min_notional_to_market
    definition.maker_fee_e8, definition.taker_fee_e8 = e.maker_fee_e8, e.taker_fee_e8
    definition.stale_after_ns = e.stale_after_ns
    definition.tick_mantissa, definition.tick_exponent = e.tick_mantissa, e.tick_exponent
    definition.lot_mantissa, definition.lot_exponent = e.lot_mantissa, e.lot_exponent
    definition.bid_multiplier_up_e8, definition.bid_multiplier_down_e8 = (
        e.bid_multiplier_up_e8,
        e.bid_multiplier_down_e8,
    )
    definition.ask_multiplier_up_e8, definition.ask_multiplier_down_e8 = (
        e.ask_multiplier_up_e8,
        e.ask_multiplier_down_e8,
    )
    definition.max_notional_units, definition.max_notional_to_market = e.max_notional_units, e.max_notional_to_market
    definition.max_orders, definition.max_algo_orders = e.max_orders, e.max_algo_orders
    definition.min_trail_above_bips, definition.max_trail_above_bips = e.min_trail_above_bips, e.max_trail_above_bips
    definition.min_trail_below_bips, definition.max_trail_below_bips = e.min_trail_below_bips, e.max_trail_below_bips
    definition.max_iceberg_parts = e.max_iceberg_parts
    assert definition.num > 0 and definition.den > 0, "a definition has a price scale"


@kernel
def start_market_anew(s: Any, instrument: int) -> None:
    """Forget all that was seen of a market whose prices no longer mean the same."""
    market = s.markets[instrument]
    clear_view(market)
    market.evidence = market.trade_seen = market.last_ticks = market.mark_ticks = market.mark_ns = 0


@kernel
def take_source(s: Any, source: int) -> None:
    """Market events come from this source from now on; what another one showed is forgotten."""
    if source != s.source:
        s.source = source
        for instrument in range(s.n_instruments):
            start_market_anew(s, instrument)


@kernel
def bind_source(s: Any, e: Any) -> None:
    """BIND_SOURCE: prices of one source never meet accounts of another, so their orders end."""
    if e.source != s.source:
        for account in range(s.n_accounts):
            if s.accounts[account].source != e.source:
                cancel_at_once(s, account, 0, WRONG_SOURCE)
    take_source(s, e.source)


@kernel
def take_definition(s: Any, e: Any) -> bool:
    """Write the new version; whether the grid stayed the same (first definitions: yes)."""
    definition = s.instruments[e.instrument]
    kept = definition.version == 0 or same_grid(definition, e)
    copy_definition(definition, e)
    s.n_instruments = max(s.n_instruments, e.instrument + 1)
    if not kept:
        start_market_anew(s, e.instrument)
    return kept


@kernel
def define_instrument(s: Any, e: Any) -> None:
    """DEFINE_INSTRUMENT: orders that still fit take the new version, others are canceled with the reason."""
    if not possible_definition(s, e):
        refuse_event(s, e, BAD_EVENT)
        return
    row = emit(s, INSTRUMENT_CHANGED_OUTPUT)
    row.instrument = e.instrument
    row.version = e.version
    # Orders are canceled before a changed grid is written: their reserves were counted on the old one.
    kept = s.instruments[e.instrument].version == 0 or same_grid(s.instruments[e.instrument], e)
    if not kept:
        cancel_unfit(s, e.instrument, INSTRUMENT_CHANGED)
    take_definition(s, e)
    if e.trading_status == DELISTED_STATUS:
        cancel_unfit(s, e.instrument, DELISTED)
    elif kept:
        cancel_unfit(s, e.instrument, 0)


@kernel
def cancel_unfit(s: Any, instrument: int, reason: int) -> None:
    """Cancel an instrument's live orders for a reason; without one, only those that no longer pass its price and size filters."""
    definition = s.instruments[instrument]
    for account in range(s.n_accounts):
        slot = s.accounts[account].first_order - 1
        while slot >= 0:
            order = s.orders[slot]
            following = order.next - 1
            if order.instrument == instrument and is_unfinished(order):
                if reason != 0 or grid_reason(definition, order) != 0:
                    following = after_list(s, slot)
                    finish(s, slot, ORDER_CANCELED, reason if reason != 0 else INSTRUMENT_CHANGED)
                else:
                    order.version = definition.version
            slot = following
