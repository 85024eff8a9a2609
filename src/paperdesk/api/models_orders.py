"""The JSON of what some orders have and most have not. Shapes and habits are those of `models.py`."""

from paperdesk.api.models_accounts import Answer


class Trail(Answer):
    """How an order follows the price: a sale the highest, a buy the lowest since it became active."""

    bips: int
    """It fires when the price has turned by so many hundredths of a percent."""
    activated_price: str | None
    """Where it began to follow; null: not yet."""
    peak_price: str | None
    """The price that it had followed to when it last told: when it became active, or when it fired."""
    fired_price: str | None
    """The price that fired it."""
