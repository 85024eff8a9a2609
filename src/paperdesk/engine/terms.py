"""Commands about an account's terms of trade: drawn latencies, fees by tier, what its orders do among themselves.

What is accepted of latencies and fees is taken from the input itself.
"""

from typing import Any, Final

from paperdesk.domain.events import FEE_TIERS, FLAG_SELF_TRADE, LATENCY_POINTS, SELF_TRADE_SHIFT, OutputKind, SelfTrade
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.engine.accounts import INVALID_AMOUNT, UNKNOWN_ACCOUNT, is_open, refuse

LATENCY_SET, FEE_TIERS_SET = int(OutputKind.LATENCY_SET), int(OutputKind.FEE_TIERS_SET)
SELF_TRADE_SET: Final = int(OutputKind.SELF_TRADE_SET)
LONGEST_NS: Final = 60_000_000_000
WHOLE_E8: Final = 100_000_000
FIRST_MODE, LAST_MODE = int(min(SelfTrade)), int(max(SelfTrade))


@kernel
def latency_reason(s: Any, e: Any) -> int:
    """Why latencies cannot be set: they rise from 0 to a minute, or there are none (a fixed one again)."""
    if not is_open(s, e.account):
        return UNKNOWN_ACCOUNT
    if (e.n_latencies != 0 and e.n_latencies != LATENCY_POINTS) or e.latency_seed < 0:
        return INVALID_AMOUNT
    for place in range(e.n_latencies):
        if (
            e.latencies_ns[place] < (0 if place == 0 else e.latencies_ns[place - 1])
            or e.latencies_ns[place] > LONGEST_NS
        ):
            return INVALID_AMOUNT
    return 0


@kernel
def take_latencies(s: Any, e: Any) -> None:
    """The effect of an accepted SET_LATENCIES."""
    owner = s.accounts[e.account]
    owner.n_latencies, owner.latency_seed = e.n_latencies, e.latency_seed
    for place in range(LATENCY_POINTS):
        s.latencies[e.account, place] = e.latencies_ns[place] if place < e.n_latencies else 0


@kernel
def set_latencies(s: Any, e: Any) -> None:
    """SET_LATENCIES: what is sent from now on takes a drawn time."""
    reason = latency_reason(s, e)
    if reason != 0:
        refuse(s, e, reason)
        return
    row = emit(s, LATENCY_SET)
    row.account = e.account
    take_latencies(s, e)


@kernel
def tiers_reason(s: Any, e: Any) -> int:
    """Why fee tiers cannot be set: thresholds rise from 0, rates lie between nothing and everything."""
    if not is_open(s, e.account):
        return UNKNOWN_ACCOUNT
    if e.n_tiers < 0 or e.n_tiers > FEE_TIERS:
        return INVALID_AMOUNT
    for tier in range(e.n_tiers):
        volume, maker, taker = e.tier_volume_units[tier], e.tier_maker_e8[tier], e.tier_taker_e8[tier]
        if volume < 0 or (tier == 0 and volume != 0) or (tier > 0 and volume <= e.tier_volume_units[tier - 1]):
            return INVALID_AMOUNT
        if min(maker, taker) < 0 or max(maker, taker) > WHOLE_E8:
            return INVALID_AMOUNT
    return 0


@kernel
def take_tiers(s: Any, e: Any) -> None:
    """The effect of an accepted SET_FEE_TIERS."""
    owner = s.accounts[e.account]
    owner.n_tiers = e.n_tiers
    for tier in range(FEE_TIERS):
        row, given = s.tiers[e.account, tier], tier < e.n_tiers
        row.volume_units = e.tier_volume_units[tier] if given else 0
        row.maker_e8 = e.tier_maker_e8[tier] if given else 0
        row.taker_e8 = e.tier_taker_e8[tier] if given else 0


@kernel
def set_fee_tiers(s: Any, e: Any) -> None:
    """SET_FEE_TIERS: fees follow from what the account traded in the thirty days before today."""
    reason = tiers_reason(s, e)
    if reason != 0:
        refuse(s, e, reason)
        return
    row = emit(s, FEE_TIERS_SET)
    row.account = e.account
    take_tiers(s, e)


@kernel
def set_self_trade(s: Any, e: Any) -> None:
    """SET_SELF_TRADE: what orders sent from now on do that name no mode themselves."""
    mode = (e["flags"] & FLAG_SELF_TRADE) >> SELF_TRADE_SHIFT
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
    elif mode < FIRST_MODE or mode > LAST_MODE:
        refuse(s, e, INVALID_AMOUNT)
    else:
        row = emit(s, SELF_TRADE_SET)
        row.account = e.account
        row.flags = mode << SELF_TRADE_SHIFT
        apply_self_trade(s, row)


@kernel
def apply_self_trade(s: Any, row: Any) -> None:
    """The effect of SELF_TRADE_SET."""
    s.accounts[row.account].self_trade = (row["flags"] & FLAG_SELF_TRADE) >> SELF_TRADE_SHIFT
