"""Estimates: where the evidence leaves room, a fill model says what is believed. The only floats of the venue live here, and none leaves.

| question | optimistic | expected | pessimistic |
|---|---|---|---|
| where in a queue between the most and the least that can stand ahead | the least | half way | the most |
| how much of a trade at one's own price, where no queue is known | all | a quarter | none |
| how much of a bar's volume one can have | all | a tenth | a twentieth |
| what a taker pays beyond the next print | nothing | a tick | two ticks |
| what a taker pays beyond a bar's open or a stop's trigger | nothing | two thirds of the impact, at least a tick | all of the impact, at least a tick |

Impact is the square-root law: with Q of the V lots that a bar traded, the price moves by the bar's volatility times √(Q/V). Its volatility
is estimated from its range (Parkinson: range / 2√ln 2). Who spreads his order along the way pays two thirds of the final move on average
(∫√x = 2/3). Sources: docs/fill-models.md.
"""

import math
from typing import Final

from paperdesk.domain.events import FillModel, Side
from paperdesk.domain.kernel import kernel

OPTIMISTIC, EXPECTED, PESSIMISTIC = (int(model) for model in FillModel)
BUY: Final = int(Side.BUY)
WEIGHT_ONE: Final = 1024
LEAST_WEIGHTS: Final = (WEIGHT_ONE, 512, 0)
TOUCH_SHARES: Final = (WEIGHT_ONE, 256, 0)
BAR_SHARES: Final = (WEIGHT_ONE, 102, 51)
PRINT_TICKS: Final = (0, 1, 2)
IMPACTS: Final = (0.0, 2.0 / 3.0, 1.0)
RANGE_TO_VOLATILITY: Final = 0.6005612043932249
"""1 / 2√ln 2."""


@kernel
def part(lots: int, weight: int) -> int:
    """`weight` 1024ths of some lots, rounded down; in two steps, so that no product grows out of bounds."""
    assert lots >= 0, "lots are not negative"
    return lots // WEIGHT_ONE * weight + lots % WEIGHT_ONE * weight // WEIGHT_ONE


@kernel
def ahead_lots(model: int, most: int, least: int) -> int:
    """Lots believed to stand ahead of an order; `model` from 0. Rounded up, against the trader."""
    assert 0 <= least <= most, "the least is not more than the most"
    return most - part(most - least, LEAST_WEIGHTS[model])


@kernel
def touch_lots(model: int, lots: int) -> int:
    """How much of a trade at an order's own price it can have where no queue is known; rounded down."""
    return part(lots, TOUCH_SHARES[model])


@kernel
def bar_lots(model: int, volume: int) -> int:
    """How much of a bar's volume an account can have; rounded down."""
    return part(volume, BAR_SHARES[model])


@kernel
def impact_ticks(model: int, range_ticks: int, lots: int, volume: int) -> int:
    """Ticks by which an order's own quantity moves its price in a bar, rounded up; at least 1 but for optimists."""
    assert range_ticks >= 0 and 0 < lots <= volume, "a part of a bar's volume"
    if model + 1 == OPTIMISTIC:
        return 0
    moved = IMPACTS[model] * RANGE_TO_VOLATILITY * range_ticks * math.sqrt(lots / volume)
    return max(1, math.ceil(moved))


@kernel
def worse(side: int, ticks: int, by_ticks: int) -> int:
    """A price worse by some ticks for an order of a side (buys: higher; sells: lower, at least 1)."""
    assert ticks > 0 and by_ticks >= 0, "a price gets worse"
    return ticks + by_ticks if side == BUY else max(1, ticks - by_ticks)


@kernel
def after_print(model: int, side: int, ticks: int) -> int:
    """What a taker pays where the next print is all that is known."""
    return worse(side, ticks, PRINT_TICKS[model])
