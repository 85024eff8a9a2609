"""Numbers become steps exactly, or are refused: text, float columns, and the inference of grids."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import Steps, Unusable, column_decimals, column_steps, fitting_decimals, text_decimals

STEPS = [Decimal(text) for text in ("1", "0.1", "0.00000001", "0.5", "0.25", "25", "10", "0.00025")]


@given(st.sampled_from(STEPS), st.integers(0, 2**40), st.integers(0, 8))
def test_every_multiple_of_the_step_is_read_back_however_it_is_written(step: Decimal, count: int, zeros: int) -> None:
    steps = Steps(step, 2**41)
    text = f"{step * count:f}"
    padded = text + ("" if "." in text else ".") + "0" * zeros
    assert steps[text] == count and steps[padded] == count and steps[text] == count


@given(st.sampled_from(STEPS), st.decimals(0, 10**6, places=10, allow_nan=False))
def test_nothing_is_rounded(step: Decimal, value: Decimal) -> None:
    steps = Steps(step, 2**60)
    if value % step == 0:
        assert steps[f"{value:f}"] * step == value
    else:
        with pytest.raises(Unusable) as refusal:
            steps[f"{value:f}"]
        assert refusal.value.reason is Reason.OFF_GRID


@pytest.mark.parametrize(
    "text", ["", ".", "-1", "+1", "nan", "inf", "1e40", "0x10", "1 000", "1_000", "١", "1.2.3", " 1", "1,5", "1e-40"]
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        Steps(Decimal("0.1"), 2**40)[text]


def test_exponents_are_read_and_bounds_kept() -> None:
    steps = Steps(Decimal("0.00001"), 1000)
    assert steps["1e-05"] == 1 and steps["1E-3"] == 100
    with pytest.raises(Unusable) as refusal:
        steps["0.01001"]
    assert refusal.value.reason is Reason.BAD_EVENT
    with pytest.raises(ValueError, match="above zero"):
        Steps(Decimal(0), 1)


@given(
    st.sampled_from([Decimal("1"), Decimal("0.01"), Decimal("0.00000001"), Decimal("0.5")]),
    st.lists(st.integers(0, 2**45), min_size=1),
)
def test_float_columns_of_multiples_are_read_back(step: Decimal, counts: list[int]) -> None:
    column = np.array([float(step * count) for count in counts])
    steps, usable = column_steps(column, step)
    assert usable.all() and steps.tolist() == counts


def test_float_columns_refuse_what_is_off_the_grid_or_no_number() -> None:
    column = np.array([1.0, 1.005, np.nan, np.inf, -np.inf, 1e300, 0.1 + 0.2])
    steps, usable = column_steps(column, Decimal("0.01"))
    assert usable.tolist() == [True, False, False, False, False, False, True]
    assert steps.tolist() == [100, 0, 0, 0, 0, 0, 30]


def test_only_volumes_are_taken_down_to_whole_lots() -> None:
    column = np.array([1.239, 18911.82, 0.07, np.nan])
    steps, usable = column_steps(column, Decimal("0.01"), floor=True)
    assert steps.tolist() == [123, 1891182, 7, 0] and usable.tolist() == [True, True, True, False]


def test_computed_floats_are_read_as_the_decimal_they_were_meant_to_be() -> None:
    assert column_decimals(np.array([0.00031099999999999997, 0.1 + 0.2]), 8) == 6
    assert column_decimals(np.array([5.133267879486084]), 8) == 8
    assert column_decimals(np.array([], dtype=float), 8) == 0
    assert column_decimals(np.array([3.0, np.nan]), 8) == 0


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("61837.63000000", 2), ("5", 0), ("5.000", 0), ("1e-05", 5), ("0.1x", 0), ("x", 0), ("1e99", 0)],
)
def test_decimals_of_texts(text: str, decimals: int) -> None:
    assert text_decimals(text) == decimals


def test_as_many_decimals_as_can_be_counted() -> None:
    assert fitting_decimals(8, 20_000.0, 2**40) == 7
    assert fitting_decimals(8, 1.0, 2**40) == 8
    assert fitting_decimals(3, 1e18, 2**40) == 0
