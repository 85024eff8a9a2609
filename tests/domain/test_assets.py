"""Assets: the smallest unit of each, chosen once; amounts in and out without a trace of rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.domain.assets import CHEAP_ASSETS, CHEAP_SCALE, DEFAULT_SCALE, Asset, scale_of


def test_scales() -> None:
    """8 by default, coarser for assets whose whole unit is worth next to nothing, or as the user declares."""
    assert scale_of("BTC") == DEFAULT_SCALE == 8
    assert scale_of("SHIB") == CHEAP_SCALE == 2
    assert scale_of("BTC", {"BTC": 10, "ETH": 3}) == 10
    assert scale_of("SHIB", {"BTC": 10}) == CHEAP_SCALE
    assert scale_of("XYZ", {"XYZ": 0}) == 0
    assert {"SHIB", "PEPE", "FLOKI", "BONK"} <= CHEAP_ASSETS


@pytest.mark.parametrize("scale", [-1, 13])
def test_declared_scales_have_bounds(scale: int) -> None:
    """A scale out of range is refused with its asset and the bounds."""
    with pytest.raises(ValueError, match=f"the scale of ABC must lie between 0 and 12, not {scale}"):
        scale_of("ABC", {"ABC": scale})


@given(st.integers(-(2**62), 2**62), st.integers(0, 12))
def test_units_survive_the_way_out_and_in(units: int, scale: int) -> None:
    """Units → decimal → text → units is the identity, and the text has no exponent."""
    asset = Asset(0, "ABC", scale)
    text = asset.text(units)
    assert "E" not in text
    assert asset.to_units(Decimal(text)) == units
    assert asset.to_units(asset.to_decimal(units)) == units


def test_text_is_exact() -> None:
    """All decimals are shown, also zeros."""
    assert Asset(1, "USDT", 8).text(1_000_000_000_000) == "10000.00000000"
    assert Asset(1, "USDT", 8).text(-1) == "-0.00000001"
    assert Asset(2, "SHIB", 2).text(5) == "0.05"
    assert Asset(3, "IDR", 0).text(7) == "7"


def test_an_amount_finer_than_the_unit_is_refused() -> None:
    """Nothing is rounded on the way in."""
    with pytest.raises(ValueError, match="finer than the smallest unit, 10\\^-2"):
        Asset(2, "SHIB", 2).to_units(Decimal("0.001"))
    assert Asset(2, "SHIB", 2).to_units(Decimal("0.0100")) == 1


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_an_amount_must_be_finite(text: str) -> None:
    """NaN and infinity are no amounts."""
    with pytest.raises(ValueError, match="not a finite amount"):
        Asset(0, "BTC", 8).to_units(Decimal(text))
