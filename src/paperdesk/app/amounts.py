"""Amounts as people read them."""

from decimal import Decimal


def short(amount: str) -> str:
    """An exact amount without the zeros at its end."""
    text = f"{Decimal(amount):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
