"""Assets and the size of their smallest unit.

Balances are integers of 10⁻ˢᶜᵃˡᵉ of an asset. The scale is a property of the asset, chosen once and recorded with the run: 8, or coarser
where a whole unit is worth less than about 0.001 USD (so that balances of trillions still fit int64). It is never derived from an
instrument.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

DEFAULT_SCALE: Final = 8
CHEAP_SCALE: Final = 2
CHEAP_ASSETS: Final = frozenset(
    "SHIB PEPE FLOKI BONK BTTC BTT LUNC XEC NFT WIN HOT DENT SPELL REEF BABYDOGE 1000SATS SATS RATS CAT NEIRO MOG TURBO VTHO "
    "IDR IDRT BIDR VND IRR IRT COP UZS".split()
)
"""Assets whose whole unit is worth less than about 0.001 USD (prices of 2021–2026); declare others with the `scales` of a settings file."""


class Asset(NamedTuple):
    """One asset: its number in the fold, its name, its scale (units per whole = 10**scale)."""

    number: int
    name: str
    scale: int

    def to_units(self, amount: Decimal) -> int:
        """Exact units of a decimal amount; ValueError if it is finer than the scale or not finite."""
        if not amount.is_finite():
            raise ValueError(f"{amount} {self.name} is not a finite amount")
        units = amount.scaleb(self.scale)
        if units != units.to_integral_value():
            raise ValueError(f"{amount} {self.name} is finer than the smallest unit, 10^-{self.scale}")
        return int(units)

    def to_decimal(self, units: int) -> Decimal:
        """The exact decimal amount of integer units."""
        return Decimal(units).scaleb(-self.scale)

    def text(self, units: int) -> str:
        """Exact decimal text without exponent, e.g. '10000.00000000'."""
        return f"{self.to_decimal(units):f}"


def scale_of(name: str, declared: Mapping[str, int] | None = None) -> int:
    """The scale of an asset: as declared by the user (0 to 12), else the policy above."""
    if declared is not None and name in declared:
        scale = declared[name]
        if not 0 <= scale <= 12:
            raise ValueError(f"the scale of {name} must lie between 0 and 12, not {scale}")
        return scale
    return CHEAP_SCALE if name in CHEAP_ASSETS else DEFAULT_SCALE
