"""How long an order takes to reach the venue: always the same, or drawn from measured or assumed latencies.

A drawn latency lies on the line through LATENCY_POINTS quantiles, at a place that follows from the account's seed, the order's number and
what is under way alone: the same in company, after a restart, and in another shard.
"""

from typing import Any, Final

from paperdesk.domain.events import LATENCY_POINTS
from paperdesk.domain.kernel import kernel

SUBMITTING: Final = 0
CANCELING: Final = 1
AMENDING: Final = 2
HALF: Final = 0xFFFF
ROUNDS: Final = 6
FRACTION_BITS: Final = 20


@kernel
def draw(seed: int, counter: int, purpose: int) -> int:
    """32 bits that look drawn: a Feistel network of six rounds over the counter, keyed by seed and purpose. No product leaves 48 bits."""
    assert seed >= 0 and counter >= 0, "a draw has a seed and a number"
    left, right = (counter >> 16) & HALF, counter & HALF
    for turn in range(ROUNDS):
        key = ((seed >> (turn % 4 * 16)) & HALF) ^ (purpose * 257 + turn * 40_503 & HALF)
        mixed = (right ^ key) * 44_257 + (counter >> 32 & HALF) + key
        left, right = right, left ^ ((mixed >> 7 ^ mixed >> 15) & HALF)
    return left << 16 | right


@kernel
def latency_ns(s: Any, account: int, order_id: int, purpose: int) -> int:
    """How long what an account sends now will take."""
    owner = s.accounts[account]
    if owner.n_latencies == 0:
        fixed: int = owner.latency_ns
        return fixed
    place = draw(owner.latency_seed, order_id, purpose) * (LATENCY_POINTS - 1)
    low, part = place >> 32, (place & 0xFFFF_FFFF) >> 32 - FRACTION_BITS
    here, there = s.latencies[account, low], s.latencies[account, low + 1]
    drawn: int = here + ((there - here) * part >> FRACTION_BITS)
    return drawn
