"""Exact integers: each function of `domain.units` against Python's own integers and fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperdesk.domain.units import (
    FEE_SCALE,
    MAX_INT,
    MAX_ORDER_UNITS,
    MAX_UNITS,
    fee_ceil,
    low_word,
    mul_div_ceil,
    mul_div_floor,
    product_fits,
)

UNITS = st.one_of(
    st.integers(0, MAX_UNITS),
    st.integers(0, 100),
    st.integers(0, 62).map(lambda power: 2**power),
    st.integers(0, 62).map(lambda power: 2**power - 1),
    st.integers(0, 18).map(lambda power: 10**power),
)
DIVISORS = UNITS.filter(bool)


def test_bounds_leave_room() -> None:
    """Two of the largest balances can be added; the largest order fits well below them."""
    assert 2 * MAX_UNITS - 1 <= MAX_INT
    assert MAX_ORDER_UNITS * 4 == MAX_UNITS


@given(UNITS, UNITS, UNITS)
def test_product_fits(a: int, b: int, bound: int) -> None:
    """The test of a product is right without ever making it."""
    assert product_fits(a, b, bound) == (a * b <= bound)


@given(UNITS, UNITS, DIVISORS)
@example(MAX_UNITS, MAX_UNITS, MAX_UNITS)
@example(MAX_UNITS - 1, MAX_UNITS - 1, MAX_UNITS)
@example(MAX_UNITS, 3, 2)
@example(MAX_UNITS, 2, 1)
@example(0, 0, 1)
def test_mul_div_rounds_down_and_up(a: int, b: int, c: int) -> None:
    """Floor and ceiling of a · b / c through 128 bits; a quotient that does not fit stops the desk, never wraps."""
    exact = Fraction(a * b, c)
    if floor(exact) > MAX_INT:
        with pytest.raises(AssertionError, match="quotient does not fit"):
            mul_div_floor(a, b, c)
        return
    assert mul_div_floor(a, b, c) == floor(exact)
    if floor(exact) < MAX_INT:
        assert mul_div_ceil(a, b, c) == ceil(exact)


@given(UNITS, UNITS)
def test_low_word(a: int, b: int) -> None:
    """The product's low 62 bits."""
    assert low_word(a, b) == a * b % 2**62


@given(UNITS, st.integers(0, FEE_SCALE))
@example(MAX_UNITS, FEE_SCALE)
@example(MAX_UNITS, FEE_SCALE - 1)
@example(1, 1)
@example(0, FEE_SCALE)
def test_fees_round_against_the_trader(received: int, rate: int) -> None:
    """A fee is the ceiling of received · rate, and never more than what was received."""
    fee = fee_ceil(received, rate)
    assert fee == ceil(Fraction(received * rate, FEE_SCALE))
    assert fee <= received


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        (product_fits, (-1, 1, 5), "must not be negative"),
        (mul_div_floor, (1, -1, 5), "must not be negative"),
        (mul_div_floor, (1, 1, 0), "must be positive"),
        (fee_ceil, (-1, 1), "taken from what was received"),
        (fee_ceil, (1, FEE_SCALE + 1), "between 0 and 1"),
        (fee_ceil, (1, -1), "between 0 and 1"),
    ],
)
def test_nonsense_stops(call: object, arguments: tuple[int, ...], words: str) -> None:
    """What must never happen is asserted, with words."""
    assert callable(call)
    with pytest.raises(AssertionError, match=words):
        call(*arguments)
