"""Decimals that never round by themselves: an inexact product raises; floor and ceiling are asked for by name."""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded
from math import ceil, floor

from tests.oracle.words import BUY

EXACT = Context(prec=200, traps=[Inexact, Rounded, InvalidOperation, DivisionByZero, Overflow])


def times(first: int | Decimal, *factors: int | Decimal) -> Decimal:
    """The exact product."""
    product = Decimal(first)
    for factor in factors:
        product = EXACT.multiply(product, Decimal(factor))
    return product


def up(value: Decimal) -> int:
    """⌈value⌉."""
    return ceil(value)


def down(value: Decimal) -> int:
    """⌊value⌋."""
    return floor(value)


def quotient_down(value: Decimal, divisor: Decimal) -> int:
    """⌊value / divisor⌋ for value ≥ 0 and divisor > 0."""
    assert value >= 0 and divisor > 0
    return int(EXACT.divide_int(value, divisor))


def collar(side: int, ref: int) -> int:
    """How far a market order may go from a reference price: 5 %."""
    return -(-ref * 105 // 100) if side == BUY else max(1, ref * 95 // 100)
