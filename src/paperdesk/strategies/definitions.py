"""A new version of an instrument, read from the input that defines it.

The grid, filters and fees change, the names stay.
"""

from collections.abc import Mapping
from decimal import Decimal

from paperdesk.domain.events import TradingStatus
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.units import FEE_SCALE


def redefined(instrument: Instrument, version: int, fields: Mapping[str, int]) -> Instrument:
    """`instrument` in the version that a DEFINE_INSTRUMENT input states.

    Filters in the multiples that the fold applies.
    """
    tick = Decimal(fields["tick_mantissa"]).scaleb(fields["tick_exponent"])
    lot = Decimal(fields["lot_mantissa"]).scaleb(fields["lot_exponent"])
    return instrument._replace(
        version=version,
        tick=tick,
        lot=lot,
        maker_fee=Decimal(fields["maker_fee_e8"]) / FEE_SCALE,
        taker_fee=Decimal(fields["taker_fee_e8"]) / FEE_SCALE,
        min_price=fields["min_price_ticks"] * tick,
        max_price=fields["max_price_ticks"] * tick,
        min_quantity=fields["min_qty_lots"] * lot,
        max_quantity=fields["max_qty_lots"] * lot,
        market_min_quantity=fields["market_min_qty_lots"] * lot,
        market_max_quantity=fields["market_max_qty_lots"] * lot,
        min_notional=instrument.quote.to_decimal(fields["min_notional_units"]),
        min_notional_to_market=bool(fields["min_notional_to_market"]),
        bid_multiplier_up=Decimal(fields["bid_multiplier_up_e8"]) / FEE_SCALE,
        bid_multiplier_down=Decimal(fields["bid_multiplier_down_e8"]) / FEE_SCALE,
        ask_multiplier_up=Decimal(fields["ask_multiplier_up_e8"]) / FEE_SCALE,
        ask_multiplier_down=Decimal(fields["ask_multiplier_down_e8"]) / FEE_SCALE,
        max_notional=instrument.quote.to_decimal(fields["max_notional_units"]),
        max_notional_to_market=bool(fields["max_notional_to_market"]),
        max_orders=fields["max_orders"],
        max_algo_orders=fields["max_algo_orders"],
        min_trail_above_bips=fields["min_trail_above_bips"],
        max_trail_above_bips=fields["max_trail_above_bips"],
        min_trail_below_bips=fields["min_trail_below_bips"],
        max_trail_below_bips=fields["max_trail_below_bips"],
        max_iceberg_parts=fields["max_iceberg_parts"],
        trading_status=TradingStatus(fields["trading_status"]),
        stale_after_ns=fields["stale_after_ns"],
    )
