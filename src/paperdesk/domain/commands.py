"""Inputs as Python values, and how they become records: the one place where names meet bytes.

Each builder fills one row of an INPUT block (see `domain.events`) and returns nothing; the sequencer stamps `seq` and `ts_seq_ns`.
"""

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import (
    FLAG_INVERSE,
    FLAG_MALFORMED,
    FLAG_POST_ONLY,
    LEG_WORDS,
    SELF_TRADE_SHIFT,
    FillModel,
    InputKind,
    ListKind,
    SelfTrade,
    Side,
    TimeInForce,
    inputs,
)
from paperdesk.domain.instruments import Instrument, Number, OffGrid
from paperdesk.domain.reasons import Reason
from paperdesk.domain.terms import Terms, force_of, type_of, write_terms

LIMIT_FIELDS = (
    "max_order_units",
    "max_position_units",
    "max_exposure_units",
    "max_daily_loss_units",
    "max_drawdown_units",
    "cooldown_ns",
)


def command(kind: InputKind, **fields: int) -> np.ndarray:
    """One input record, shape (1,), with the named fields set; KeyError for a name the record does not have."""
    row = inputs(1)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


def define_asset(asset: Asset) -> np.ndarray:
    """Make an asset and its scale known to the fold."""
    return command(InputKind.DEFINE_ASSET, asset=asset.number, scale=asset.scale)


def define_instrument(instrument: Instrument) -> np.ndarray:
    """Make a version of an instrument known; orders that no longer fit are canceled by the fold."""
    return command(
        InputKind.DEFINE_INSTRUMENT, instrument=instrument.number, version=instrument.version, **instrument.fields()
    )


def bind_source(source: int) -> np.ndarray:
    """Say which data source the market events that follow come from (a 62-bit identity)."""
    return command(InputKind.BIND_SOURCE, source=source)


def open_account(
    account: int,
    reporting: Asset,
    source: int,
    latency_ns: int,
    equity_every_ns: int = 60_000_000_000,
    fill_model: FillModel = FillModel.EXPECTED,
) -> np.ndarray:
    """Open an account whose first epoch is bound to `source`; orders take `latency_ns` to reach the venue, which fills them by a model."""
    return command(
        InputKind.OPEN_ACCOUNT,
        account=account,
        asset=reporting.number,
        source=source,
        latency_ns=latency_ns,
        equity_every_ns=equity_every_ns,
        fill_model=fill_model,
    )


def deposit(account: int, asset: Asset, amount_units: int) -> np.ndarray:
    """Add to the opening balances of the current epoch (only before its first order)."""
    return command(InputKind.DEPOSIT, account=account, asset=asset.number, amount_units=amount_units)


def declare_conversion(account: int, asset: Asset, instrument: Instrument, inverse: bool = False) -> np.ndarray:
    """Value `asset` in the account's reporting asset through an instrument (inverse: the reporting asset is its base)."""
    return command(
        InputKind.DECLARE_CONVERSION,
        account=account,
        asset=asset.number,
        instrument=instrument.number,
        flags=FLAG_INVERSE if inverse else 0,
    )


def register_bot(account: int, bot: int) -> np.ndarray:
    """Let a bot (number ≥ 1) trade in an account; 0 is the account's owner and always there."""
    return command(InputKind.REGISTER_BOT, account=account, bot=bot)


def set_limits(account: int, bot: int, limits: Mapping[str, int]) -> np.ndarray:
    """Set all risk limits of a bot (bot 0: of the account). Units are of the reporting asset; 0 is no limit."""
    return command(
        InputKind.SET_LIMITS, account=account, bot=bot, **{name: limits.get(name, 0) for name in LIMIT_FIELDS}
    )


def set_latencies(account: int, seed: int, latencies_ns: Sequence[int]) -> np.ndarray:
    """Let what an account sends take a drawn time: LATENCY_POINTS rising quantiles, the shortest first; none: a fixed latency again."""
    row = command(InputKind.SET_LATENCIES, account=account, latency_seed=seed, n_latencies=len(latencies_ns))
    row["latencies_ns"][0, : len(latencies_ns)] = latencies_ns
    return row


def set_fee_tiers(account: int, tiers: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Fees by what an account traded in thirty days: (volume from which on, maker, taker), the first from 0; units of the reporting asset, 10⁻⁸."""
    row = command(InputKind.SET_FEE_TIERS, account=account, n_tiers=len(tiers))
    for place, (volume, maker, taker) in enumerate(tiers):
        row["tier_volume_units"][0, place] = volume
        row["tier_maker_e8"][0, place] = maker
        row["tier_taker_e8"][0, place] = taker
    return row


def set_self_trade(account: int, mode: SelfTrade) -> np.ndarray:
    """What orders of an account do from now on, where they name no mode themselves, that would meet one another."""
    return command(InputKind.SET_SELF_TRADE, account=account, flags=mode << SELF_TRADE_SHIFT)


def submit_order(account: int, bot: int, instrument: Instrument, intent: "Intent") -> np.ndarray:
    """An order as a command. Numbers off the grid still become a command, so that their refusal is numbered and logged."""
    row = command(
        InputKind.SUBMIT_ORDER,
        account=account,
        bot=bot,
        instrument=instrument.number,
        version=instrument.version,
        side=intent.side,
        order_type=intent.order_type,
        time_in_force=intent.time_in_force,
        flags=FLAG_POST_ONLY if intent.post_only else 0,
        client_id=intent.client_id,
    )
    try:
        write_terms(row, intent.terms, instrument)
        row["qty_lots"] = instrument.to_lots(intent.quantity)
        row["price_ticks"] = 0 if intent.price is None else instrument.to_ticks(intent.price)
        row["trigger_ticks"] = 0 if intent.trigger is None else instrument.to_ticks(intent.trigger)
    except OffGrid as refusal:
        row["flags"] |= FLAG_MALFORMED
        row["defect"] = int(refusal.reason)
    return row


def submit_list(account: int, bot: int, instrument: Instrument, kind: ListKind, legs: "Sequence[Intent]") -> np.ndarray:
    """Orders that hang together as one command: an OCO two, the profit and then the stop; an OTO the working and the pending one; an OTOCO all three.

    ValueError where the number of legs is not the kind's, or one has a quote quantity.
    """
    if len(legs) != (3 if kind == ListKind.OTOCO else 2):
        raise ValueError(f"an {kind.name} list has {3 if kind == ListKind.OTOCO else 2} orders, not {len(legs)}")
    if any("quote_quantity" in leg.terms for leg in legs):
        raise ValueError("an order of a list has a quantity, no quote_quantity")
    row = command(
        InputKind.SUBMIT_LIST,
        account=account,
        bot=bot,
        instrument=instrument.number,
        version=instrument.version,
        list_kind=kind,
    )
    for place, leg in enumerate(legs):
        order = submit_order(account, bot, instrument, leg)
        for name in LEG_WORDS:
            row[f"leg_{name}"][0, place] = order[name][0]
    return row


def cancel_order(account: int, bot: int, order_id: int) -> np.ndarray:
    """Ask for the end of one order; it reaches the venue after the account's latency and may lose to a fill."""
    return command(InputKind.CANCEL_ORDER, account=account, bot=bot, order_id=order_id)


def amend_order(account: int, bot: int, order_id: int, lots: int) -> np.ndarray:
    """Ask for a smaller quantity of one order, which keeps its place; `lots` as `amended_lots` tells them."""
    row = command(InputKind.AMEND_ORDER, account=account, bot=bot, order_id=order_id, qty_lots=max(0, lots))
    if lots < 0:
        row["flags"], row["defect"] = FLAG_MALFORMED, -lots
    return row


def amended_lots(instrument: Instrument, quantity: Number) -> int:
    """A new quantity in lots; of what cannot be one the reason, negative, so that its refusal is numbered and logged."""
    try:
        lots = instrument.to_lots(quantity)
    except OffGrid as refusal:
        return -int(refusal.reason)
    return lots if lots > 0 else -int(Reason.INVALID_QUANTITY)


def cancel_all(account: int, bot: int, instrument: int = -1) -> np.ndarray:
    """Ask for the end of all live orders of a bot (bot 0: of the account), on one instrument or on all (-1)."""
    return command(InputKind.CANCEL_ALL, account=account, bot=bot, instrument=instrument)


def kill(account: int = -1, bot: int = -1) -> np.ndarray:
    """Stop all new orders and cancel live ones: of one bot, of one account (bot -1), or of the whole desk (both -1)."""
    return command(InputKind.KILL, account=account, bot=bot)


def resume(account: int = -1, bot: int = -1) -> np.ndarray:
    """Lift a kill of the same scope."""
    return command(InputKind.RESUME, account=account, bot=bot)


def reset_account(account: int, source: int) -> np.ndarray:
    """End the account's epoch (orders canceled, balances returned to capital) and begin a new one bound to `source`."""
    return command(InputKind.RESET_ACCOUNT, account=account, source=source)


def stop_bot(account: int, bot: int) -> np.ndarray:
    """Record that a bot was stopped (error, timeout): its live orders are canceled and it may send no more."""
    return command(InputKind.STOP_BOT, account=account, bot=bot)


class Intent:
    """What a decider wants: side, quantity and terms, in decimals or on the grid. Not yet a command."""

    __slots__ = (
        "client_id",
        "order_type",
        "post_only",
        "price",
        "quantity",
        "side",
        "terms",
        "time_in_force",
        "trigger",
    )

    def __init__(
        self,
        side: Side,
        quantity: Number = 0,
        price: Number | None = None,
        trigger: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        client_id: int = 0,
        **terms: Unpack[Terms],
    ) -> None:
        """No price: at the market; a price: a limit. With a trigger a stop, or a take-profit. Without a time in force: `force_of`."""
        self.side = side
        self.quantity = quantity
        self.price = price
        self.trigger = trigger
        self.post_only = post_only
        self.client_id = client_id
        self.order_type = type_of(price is not None, trigger is not None, terms)
        self.time_in_force = force_of(self.order_type, terms) if time_in_force is None else time_in_force
        self.terms = terms
