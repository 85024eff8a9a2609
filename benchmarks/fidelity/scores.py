"""From answers to figures: shares with their intervals, errors of time and quantity. Seeded; nothing here knows a model."""

from collections.abc import Callable
from math import sqrt
from typing import Any, Final

import numpy as np
from benchmarks.fidelity.models import ALL_LOTS, FIRST_NS, LOTS, WHOLE_NS

BLOCK_NS: Final = 300_000_000_000
DRAWS: Final = 2_000
SEED: Final = 20150501
Z: Final = 1.959964


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share by Wilson: (0, 1) where there is nothing to look at."""
    if n == 0:
        return 0.0, 1.0
    p, zz = hits / n, Z * Z
    middle, half = p + zz / (2 * n), Z * sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0.0, (middle - half) / (1 + zz / n)), min(1.0, (middle + half) / (1 + zz / n))


def bootstrap(
    born_ns: np.ndarray, columns: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], block_ns: int = BLOCK_NS
) -> tuple[float, float]:
    """95 % interval of `figure` over sums: `columns` (n, c) are summed in blocks of time, blocks are drawn with replacement.

    `figure` takes sums of shape (DRAWS, c).
    """
    if len(born_ns) == 0:
        return float("nan"), float("nan")
    _, block = np.unique(born_ns // block_ns, return_inverse=True)
    sums = np.zeros((block.max() + 1, columns.shape[1]))
    np.add.at(sums, block, columns)
    draw = np.random.default_rng(SEED).integers(0, len(sums), (DRAWS, len(sums)))
    found = figure(sums[draw].sum(axis=1))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def ratio(sums: np.ndarray) -> np.ndarray:
    """First column by second."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[:, 0] / sums[:, 1]


def quartiles_ms(errors_ns: np.ndarray) -> list[float] | None:
    """Lower quartile, median, upper quartile in milliseconds."""
    return None if len(errors_ns) == 0 else [round(float(x) / 1e6, 1) for x in np.percentile(errors_ns, [25, 50, 75])]


def score(
    told: np.ndarray, true: np.ndarray, size: np.ndarray, born_ns: np.ndarray, chosen: np.ndarray
) -> dict[str, Any]:
    """One model against the truth, over the chosen orders (bool, shape (m,))."""
    told, true, size, born_ns = told[chosen], true[chosen], size[chosen], born_ns[chosen]
    says, did = told[:, LOTS] > 0, true[:, LOTS] > 0
    n, right = len(told), says == did
    hit, false, missed = int((says & did).sum()), int((says & ~did).sum()), int((~says & did).sum())
    both = did & (told[:, FIRST_NS] > 0)
    whole = (true[:, WHOLE_NS] > 0) & (told[:, WHOLE_NS] > 0)
    off = np.abs(told[:, LOTS] - true[:, LOTS]) / size
    concerned = says | did
    share = float(right.mean()) if n else float("nan")
    lots = told[:, LOTS].astype(float), true[:, LOTS].astype(float)
    return {
        "orders": n,
        "accuracy": share,
        "accuracy_wilson": wilson(int(right.sum()), n),
        "accuracy_blocks": bootstrap(born_ns, np.stack([right, np.ones(n)], axis=1), ratio),
        "hits": hit,
        "false_fills": false,
        "missed_fills": missed,
        "precision": hit / (hit + false) if hit + false else None,
        "recall": hit / (hit + missed) if hit + missed else None,
        "first_fill_error_ms": quartiles_ms(told[both, FIRST_NS] - true[both, FIRST_NS]),
        "whole_fill_error_ms": quartiles_ms(told[whole, WHOLE_NS] - true[whole, WHOLE_NS]),
        "never_filled_whole": int(((true[:, WHOLE_NS] > 0) & (told[:, WHOLE_NS] == 0)).sum()),
        "quantity_error": float(off[concerned].mean()) if concerned.any() else 0.0,
        "quantity_ratio": float(lots[0].sum() / lots[1].sum()) if lots[1].sum() else None,
        "quantity_ratio_blocks": bootstrap(born_ns, np.stack(lots, axis=1), ratio),
        "lots_in_the_end": int(told[:, ALL_LOTS].sum()),
    }


def coverage(
    low: np.ndarray, high: np.ndarray, true: np.ndarray, born_ns: np.ndarray, chosen: np.ndarray, lag_ns: int
) -> dict[str, Any]:
    """How often the truth lies between the pessimistic (`low`) and the optimistic (`high`) answer: the quantity; and the first fill,
    no sooner than the optimistic and no later than the pessimistic one says, give or take the lag of prints.
    """
    low, high, true, born_ns = low[chosen], high[chosen], true[chosen], born_ns[chosen]
    n = len(true)
    inside = (low[:, LOTS] <= true[:, LOTS]) & (true[:, LOTS] <= high[:, LOTS])
    filled = true[:, FIRST_NS] > 0
    late = np.where(low[:, FIRST_NS] == 0, np.iinfo(np.int64).max - lag_ns, low[:, FIRST_NS])
    soon = np.where(high[:, FIRST_NS] == 0, np.iinfo(np.int64).max, high[:, FIRST_NS])
    timely = (soon <= true[:, FIRST_NS] + lag_ns) & (true[:, FIRST_NS] <= late + lag_ns)
    return {
        "orders": n,
        "quantity": float(inside.mean()) if n else float("nan"),
        "quantity_wilson": wilson(int(inside.sum()), n),
        "quantity_blocks": bootstrap(born_ns, np.stack([inside, np.ones(n)], axis=1), ratio),
        "width": float((high[:, LOTS] != low[:, LOTS]).mean()) if n else float("nan"),
        "time": float(timely[filled].mean()) if filled.any() else None,
        "time_wilson": wilson(int(timely[filled].sum()), int(filled.sum())),
    }
