"""What a fill costs: the instrument's rates, or those of the account's tier by what it traded in the thirty UTC days before today."""

from typing import Any, Final

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import MAX_UNITS
from paperdesk.ledger.statement import reporting_value

DAY_NS: Final = 86_400_000_000_000
VOLUME_DAYS: Final = 31
"""Thirty days, and today."""
NO_TIER: Final = -1


@kernel
def traded_units(s: Any, account: int) -> int:
    """What an account traded in the thirty UTC days before today, in its reporting asset."""
    today = s.ts_seq_ns // DAY_NS
    total = 0
    for before in range(1, VOLUME_DAYS):
        day = today - before
        if day <= s.accounts[account].volume_day and day > s.accounts[account].volume_day - VOLUME_DAYS:
            total = min(MAX_UNITS, total + s.volumes[account, day % VOLUME_DAYS])
    return total


@kernel
def fee_tier(s: Any, account: int) -> int:
    """The account's tier, from 0, or NO_TIER where the instrument's own rates hold."""
    count = s.accounts[account].n_tiers
    if count == 0:
        return NO_TIER
    traded, tier = traded_units(s, account), 0
    while tier + 1 < count and s.tiers[account, tier + 1].volume_units <= traded:
        tier += 1
    return tier


@kernel
def maker_rate(s: Any, account: int, instrument: int) -> int:
    """Fee of a maker fill now, in 10⁻⁸."""
    tier = fee_tier(s, account)
    rate: int = s.instruments[instrument].maker_fee_e8 if tier == NO_TIER else s.tiers[account, tier].maker_e8
    return rate


@kernel
def taker_rate(s: Any, account: int, instrument: int) -> int:
    """Fee of a taker fill now, in 10⁻⁸."""
    tier = fee_tier(s, account)
    rate: int = s.instruments[instrument].taker_fee_e8 if tier == NO_TIER else s.tiers[account, tier].taker_e8
    return rate


@kernel
def volume_of(s: Any, account: int, asset: int, quote_units: int) -> int:
    """What a fill adds to the account's volume; nothing where its worth is not known, so that no tier is reached by what could not be valued."""
    known, units = reporting_value(s, account, asset, quote_units)
    return units if known else 0


@kernel
def forget_volume(s: Any, account: int) -> None:
    """A new epoch has traded nothing yet."""
    s.accounts[account].volume_day = 0
    for place in range(VOLUME_DAYS):
        s.volumes[account, place] = 0


@kernel
def count_volume(s: Any, account: int, units: int) -> None:
    """Add to what an account traded today; days that have passed since are empty."""
    owner, today = s.accounts[account], s.ts_seq_ns // DAY_NS
    if today > owner.volume_day:
        for day in range(max(owner.volume_day + 1, today - VOLUME_DAYS + 1), today + 1):
            s.volumes[account, day % VOLUME_DAYS] = 0
        owner.volume_day = today
    assert units >= 0, "a volume is not negative"
    place = today % VOLUME_DAYS
    s.volumes[account, place] = min(MAX_UNITS, s.volumes[account, place] + units)
