"""One experiment: the orders of a tape, asked of every model, judged on the second half; the first half fits the weight, and nothing else."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from benchmarks.fidelity import models, peers, scores, venue
from benchmarks.fidelity.asks import Ask, Stream, of_orders, streams
from benchmarks.fidelity.models import LOTS, ONE
from benchmarks.fidelity.tape import Tape

from paperdesk.domain.events import FillModel

MODELS: Final = (FillModel.OPTIMISTIC, FillModel.EXPECTED, FillModel.PESSIMISTIC)
BELIEVED: Final = (ONE, 512, 0)
WEIGHTS: Final = tuple(range(0, ONE + 1, 32))
STRATA: Final = ("all", "reached", "queued")
"""All asked; those whose price a print or the other side reached in their lives; of these, those that joined a queue."""


def strata(tape: Tape, asks: list[Ask], stream: Stream) -> dict[str, np.ndarray]:
    """The orders of each stratum, bool of shape (m,). They depend on the market and on how long an order lived, on no fill."""
    met = peers.reached(tape.views, stream)
    return {"all": np.ones(len(asks), bool), "reached": met, "queued": met & (stream.shown[stream.start[:-1]] > 0)}


def fit(tape: Tape, asks: list[Ask], stream: Stream, chosen: np.ndarray, hold: bool) -> dict[str, Any]:
    """The weight with the least error of quantity over the chosen orders, and a seeded interval of it; ties go to the nearest to the
    believed one.
    """
    true = models.truth(asks)[chosen, LOTS]
    size = np.array([ask.lots for ask in asks])[chosen]
    born = np.array([ask.born_ns for ask in asks])[chosen]
    errors = np.stack(
        [np.abs(models.answers(tape.views, asks, stream, w, hold)[chosen, LOTS] - true) / size for w in WEIGHTS],
        axis=1,
    )
    order = np.argsort(np.abs(np.array(WEIGHTS) - BELIEVED[1]), kind="stable")

    def best(sums: np.ndarray) -> np.ndarray:
        """The weight of each draw."""
        return np.array(WEIGHTS)[order][np.argmin(np.round(sums[:, order], 9), axis=1)]

    total = errors.sum(axis=0, keepdims=True)
    ties = [w for w, x in zip(WEIGHTS, np.round(total[0], 9), strict=True) if x == np.round(total.min(), 9)]
    return {
        "as_good": [min(ties), max(ties)],
        "weight": int(best(total)[0]),
        "interval": scores.bootstrap(born, errors, best),
        "orders": int(chosen.sum()),
        "error_by_weight": {w: float(x) / max(1, len(true)) for w, x in zip(WEIGHTS, total[0], strict=True)},
    }


def with_peers(tape: Tape, asks: list[Ask], stream: Stream) -> tuple[dict[str, np.ndarray], str]:
    """Their answers by name, or none and why not."""
    try:
        told = peers.answers(tape.views, asks, stream)
    except peers.NoPeer as why:
        return {}, str(why)
    return {f"hftbacktest {name}": answer for name, answer in told.items()}, peers.WANTED


def run(
    tape: Tape, lag_ns: int, ask_peers: bool, tick: Callable[[int], None] = lambda done: None, limit: int = 0
) -> dict[str, Any]:
    """All figures of one tape. `limit` > 0: only so many orders."""
    asks, mine, left_out = of_orders(tape, lag_ns)
    if limit:
        asks, mine = asks[:limit], mine[:limit]
    stream = streams(tape, asks, mine)
    groups = strata(tape, asks, stream)
    middle_ns = (
        (int(tape.views.ts_ns[0]) + asks[-1].judge_ns) // 2 if limit else (int(tape.views.ts_ns[0]) + tape.end_ns) // 2
    )
    born = np.array([ask.born_ns for ask in asks])
    ended = np.array([ask.judge_ns for ask in asks])
    second = born >= middle_ns
    fits = {hold: fit(tape, asks, stream, groups["reached"] & (ended < middle_ns), hold) for hold in (False, True)}
    told = dict(
        zip(
            (f"venue {model.name.lower()}" for model in MODELS),
            venue.answers(tape, asks, stream, MODELS, tick),
            strict=True,
        )
    )
    checks = [models.answers(tape.views, asks, stream, weight) for weight in BELIEVED]
    differing = sum(
        int((told[f"venue {m.name.lower()}"] != c).any(axis=1).sum()) for m, c in zip(MODELS, checks, strict=True)
    )
    told[f"expected, fitted w={fits[True]['weight']}"] = models.answers(tape.views, asks, stream, fits[True]["weight"])
    for name, weight in (
        ("optimistic", ONE),
        ("expected", 512),
        (f"expected, fitted w={fits[False]['weight']}", fits[False]["weight"]),
        ("pessimistic", 0),
    ):
        told[f"not held {name}"] = models.answers(tape.views, asks, stream, weight, False)
    told["touch"] = models.answers(tape.views, asks, stream, -1)
    found, peer = with_peers(tape, asks, stream) if ask_peers else ({}, "not asked")
    told |= found
    true, size = models.truth(asks), np.array([ask.lots for ask in asks])
    return {
        "left_out": left_out,
        "asked": len(asks),
        "filled_in_truth": int((true[:, LOTS] > 0).sum()),
        "by_place": [sum(ask.place == place for ask in asks) for place in range(4)],
        "judged": {name: int((group & second).sum()) for name, group in groups.items()},
        "judged_filled": {name: int((group & second & (true[:, LOTS] > 0)).sum()) for name, group in groups.items()},
        "fit": fits[True],
        "fit_not_held": fits[False],
        "fit_second_half_unused": fit(tape, asks, stream, groups["reached"] & second, True),
        "fit_whole_unused": fit(tape, asks, stream, groups["reached"], True),
        "venue_differs_from_reference": differing,
        "peer": peer,
        "models": {
            name: {group: scores.score(answer, true, size, born, chosen & second) for group, chosen in groups.items()}
            for name, answer in told.items()
        },
        "band": {
            kind: {
                group: scores.coverage(told[low], told[high], true, born, chosen & second, lag_ns)
                for group, chosen in groups.items()
            }
            for kind, low, high in (
                ("venue", "venue pessimistic", "venue optimistic"),
                ("not held", "not held pessimistic", "not held optimistic"),
            )
        },
    }  # fmt: skip
