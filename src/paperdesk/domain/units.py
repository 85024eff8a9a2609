"""Exact integers for money: the only multiplication and division that prices and balances go through.

Prices are ticks, quantities lots, money asset units; notional = ticks · lots · num / den in quote units. No value may exceed
MAX_UNITS, so that a sum of two can never overflow int64. Intermediate products are carried in 128 bits where they may not fit.
Each function says which way it rounds.
"""

from typing import Final

from paperdesk.domain.kernel import kernel

MAX_UNITS: Final = 2**62
MAX_ORDER_UNITS: Final = 2**60
"""Bound on the value of one order (quote units) and on what it moves in base units."""
FEE_SCALE: Final = 100_000_000
MAX_INT: Final = 2**63 - 1
LIMB: Final = 2**31


@kernel
def product_fits(a: int, b: int, bound: int) -> bool:
    """Whether a · b ≤ bound, for a, b ≥ 0, without overflowing."""
    assert a >= 0 and b >= 0, "factors must not be negative"
    return a == 0 or b <= bound // a


@kernel
def mul_div_floor(a: int, b: int, c: int) -> int:
    """⌊a · b / c⌋ for a, b ≥ 0, c > 0, exact through 128 bits; the quotient must fit int64 (else an assertion stops the desk)."""
    assert a >= 0 and b >= 0, "factors must not be negative"
    assert c > 0, "divisor must be positive"
    if a == 0 or b <= MAX_INT // a:
        return a * b // c
    quotient, remainder = 0, 0
    whole, rest = a // c, a % c
    assert product_fits(whole, b, MAX_INT), "quotient does not fit"
    # whole·b is exact; rest·b / c is done bit by bit, most significant bit of b first: rest < c, so nothing grows past 2·c.
    for bit in range(62, -1, -1):
        quotient = quotient * 2
        carry = 1 if remainder >= c - remainder else 0
        remainder = remainder - (c - remainder) if carry == 1 else remainder + remainder
        quotient += carry
        if (b >> bit) & 1 == 1:
            if remainder >= c - rest:
                remainder = remainder - (c - rest)
                quotient += 1
            else:
                remainder += rest
    assert quotient <= MAX_INT - whole * b, "quotient does not fit"
    return whole * b + quotient


@kernel
def mul_div_ceil(a: int, b: int, c: int) -> int:
    """⌈a · b / c⌉ for a, b ≥ 0, 0 < c ≤ MAX_UNITS."""
    assert c <= MAX_UNITS, "divisor is out of bounds"
    floor = mul_div_floor(a, b, c)
    # The remainder a·b − floor·c lies in [0, c), so it is zero exactly where both products agree modulo 2⁶².
    return floor if low_word(a, b) == low_word(floor, c) else floor + 1


@kernel
def low_word(a: int, b: int) -> int:
    """a · b modulo 2⁶², for a, b ≥ 0; built from 31-bit limbs so that nothing overflows."""
    a0, a1 = a % LIMB, a // LIMB % LIMB
    b0, b1 = b % LIMB, b // LIMB % LIMB
    middle = (a0 * b1 % LIMB + a1 * b0 % LIMB) % LIMB
    return (a0 * b0 + middle * LIMB % MAX_UNITS) % MAX_UNITS


@kernel
def fee_ceil(received_units: int, rate_e8: int) -> int:
    """Fee on what a fill brings in, rounded up (against the trader); rate in 10⁻⁸, at most 1. Exact: neither product can overflow."""
    assert 0 <= rate_e8 <= FEE_SCALE, "a fee rate lies between 0 and 1"
    assert received_units >= 0, "fees are taken from what was received"
    whole, rest = received_units // FEE_SCALE, received_units % FEE_SCALE
    return whole * rate_e8 + (rest * rate_e8 + FEE_SCALE - 1) // FEE_SCALE
