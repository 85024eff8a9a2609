"""Estimates: where the evidence leaves room, a fill model says what is believed. Integers in, integers out."""

from typing import Final

from paperdesk.domain.events import FillModel
from paperdesk.domain.kernel import kernel

WEIGHT_ONE: Final = 1024
OPTIMISTIC, EXPECTED, PESSIMISTIC = (int(model) for model in FillModel)
LEAST_WEIGHTS: Final = (WEIGHT_ONE, 512, 0)
"""By fill model: how far the place in a queue is believed to lie from the most towards the least that can stand ahead, in 1/1024."""


@kernel
def ahead_lots(model: int, most: int, least: int) -> int:
    """Lots believed to stand ahead of an order; `model` from 0. Rounded up, against the trader."""
    assert 0 <= least <= most, "the least is not more than the most"
    return most - (most - least) * LEAST_WEIGHTS[model] // WEIGHT_ONE
