"""Order lists as answers tell them."""

from typing import Literal

from paperdesk.api.models_accounts import Answer

ListKindText = Literal["oco", "oto", "otoco"]


class ListPlace(Answer):
    """An order's place in an order list; an order of its own has none."""

    id: str
    """The list's first order."""
    kind: ListKindText
    leg: int
    """From 0."""
    pending: bool
    """It waits for the list's first order to be filled whole, in no market and without funds."""
