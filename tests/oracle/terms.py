"""Terms of trade, slowly: drawn latencies and fee tiers (sections 2 and 7 of the rule book)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.oracle import risk
from tests.oracle.things import Account, Instrument
from tests.oracle.words import DAY_NS, MAKER

if TYPE_CHECKING:
    from tests.oracle.desk import Desk

LONGEST_NS = 60 * 10**9
POINTS = 33


def draw(seed: int, counter: int, purpose: int) -> int:
    """32 bits from a Feistel network of six rounds."""
    left, right = counter // 2**16 % 2**16, counter % 2**16
    for turn in range(6):
        key = (seed // 2 ** (16 * (turn % 4)) % 2**16) ^ ((purpose * 257 + turn * 40_503) % 2**16)
        mixed = (right ^ key) * 44_257 + counter // 2**32 % 2**16 + key
        left, right = right, left ^ ((mixed // 2**7 ^ mixed // 2**15) % 2**16)
    return left * 2**16 + right


def latency(account: Account, order_id: int, purpose: int) -> int:
    """How long it takes: fixed, or on the line through the quantiles, its place known to 20 bits."""
    if not account.latencies:
        return account.latency_ns
    place = Fraction(draw(account.latency_seed, order_id, purpose) * (POINTS - 1), 2**32)
    low = place.numerator // place.denominator
    part = Fraction((place - low) * 2**20 // 1, 2**20)
    here, there = account.latencies[low], account.latencies[low + 1]
    return here + (there - here) * part // 1


def set_latencies(desk: Desk, given: dict[str, Any]) -> None:
    """Quantiles from the shortest to the longest, or none."""
    account, points = desk.accounts.get(given["account"]), given["latencies_ns"]
    if account is None:
        desk.refuse(given, "unknown_account")
    elif (
        len(points) not in (0, POINTS)
        or given["latency_seed"] < 0
        or any(not 0 <= point <= LONGEST_NS for point in points)
        or any(one > other for one, other in pairwise(points))
    ):
        desk.refuse(given, "invalid_amount")
    else:
        account.latencies, account.latency_seed = points, given["latency_seed"]
        desk.say("LATENCY_SET", account=account.number)


def set_fee_tiers(desk: Desk, given: dict[str, Any]) -> None:
    """Tiers from no volume on, or none."""
    account = desk.accounts.get(given["account"])
    tiers = list(zip(given["tier_volume_units"], given["tier_maker_e8"], given["tier_taker_e8"], strict=True))
    if account is None:
        desk.refuse(given, "unknown_account")
    elif (
        (tiers and tiers[0][0] != 0)
        or any(one[0] >= other[0] for one, other in pairwise(tiers))
        or any(not 0 <= rate <= 10**8 for _, *rates in tiers for rate in rates)
    ):
        desk.refuse(given, "invalid_amount")
    else:
        account.tiers = tiers
        desk.say("FEE_TIERS_SET", account=account.number)


def tier(desk: Desk, account: Account) -> int:
    """The last tier whose volume the account traded in the thirty days before today; -1 without tiers."""
    today = desk.now // DAY_NS
    traded = sum(units for day, units in account.volumes.items() if today - 30 <= day < today)
    return max((number for number, row in enumerate(account.tiers) if row[0] <= traded), default=-1)


def rate(desk: Desk, account: Account, instrument: Instrument, liquidity: int) -> Decimal:
    """The fee of a fill now."""
    number = tier(desk, account)
    if number < 0:
        return instrument.maker if liquidity == MAKER else instrument.taker
    return Decimal(account.tiers[number][1 if liquidity == MAKER else 2]).scaleb(-8)


def count(desk: Desk, account: Account, asset: int, quote_units: int) -> int:
    """Add a fill to what the account traded today; what it was worth, nothing where that is not known."""
    worth = risk.convert(desk, account, asset, quote_units) or 0
    day = desk.now // DAY_NS
    account.volumes[day] = account.volumes.get(day, 0) + worth
    return worth
