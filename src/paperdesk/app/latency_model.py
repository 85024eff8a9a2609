"""Latencies that are drawn: from words, or from a file of measured milliseconds, to the quantiles that the venue draws between.

| given | quantiles |
|---|---|
| `uniform:LOW:HIGH` | on the line from LOW to HIGH |
| `lognormal:MEDIAN:SIGMA` | MEDIAN · exp(SIGMA · z), cut at 0.1 % and 99.9 % |
| a file | of what was measured, by linear interpolation between the values in order |

Numbers are milliseconds (SIGMA is none); quantiles are rounded to whole microseconds, so that the last bit of a float decides nothing.
"""

import csv
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import Final, NamedTuple

from paperdesk.app.errors import EXIT_USAGE, DeskError
from paperdesk.safety.config_values import LATENCY_WORDS, MAX_LATENCY_MS

POINTS: Final = 33
"""As `domain.layout.LATENCY_POINTS`, which is not imported: the supervisor of a desk reads options too, and imports nothing that trades."""
CUT: Final = 0.001
"""How much of each end of a log-normal distribution is cut off: it has no end of its own."""
COLUMN: Final = "latency_ms"
MOST_BYTES: Final = 64 << 20
MICROSECONDS: Final = 1_000
WAYS: Final = (
    "write uniform:LOW:HIGH or lognormal:MEDIAN:SIGMA in milliseconds, or give a file with a number of milliseconds a line, "
    f"or a CSV file with a column {COLUMN}"
)


class LatencyModel(NamedTuple):
    """Drawn latencies. `text` tells people what they are; POINTS rising quantiles in nanoseconds, the shortest first."""

    text: str
    quantiles_ns: tuple[int, ...]


def latency_model(text: str) -> LatencyModel:
    """A model as it was asked for; DeskError saying what is wrong with it and what to write."""
    parts = text.split(":")
    if text.startswith(LATENCY_WORDS):
        try:
            first, second = (float(part) for part in parts[1:])
        except ValueError:
            raise refused(text, "these are not two numbers", WAYS) from None
        if not (math.isfinite(first) and math.isfinite(second)):
            raise refused(text, "a number has no end", WAYS)
        made = uniform(first, second) if parts[0] == "uniform" else lognormal(first, second)
        return LatencyModel(text, checked(text, made))
    values = measured(Path(text))
    told = f"{len(values):,} latencies of {Path(text).name}"
    return LatencyModel(told, checked(text, quantiles(values)))


def uniform(low_ms: float, high_ms: float) -> list[float]:
    """Quantiles of what is anywhere between two numbers alike."""
    steps = POINTS - 1
    return [low_ms + (high_ms - low_ms) * place / steps for place in range(POINTS)]


def lognormal(median_ms: float, sigma: float) -> list[float]:
    """Quantiles of what is mostly short and sometimes long; the ends are those of all but the CUT on each side."""
    steps, normal = POINTS - 1, NormalDist()
    parts = [CUT, *(place / steps for place in range(1, steps)), 1 - CUT]
    with_tail = [min(sigma * normal.inv_cdf(part), 100.0) for part in parts]
    return [median_ms * math.exp(one) for one in with_tail]


def quantiles(values: Sequence[float]) -> list[float]:
    """Quantiles of what was measured: places between the values in order, on the line from one to the next."""
    ordered, steps = sorted(values), POINTS - 1
    made = []
    for place in range(POINTS):
        whole, part = divmod((len(ordered) - 1) * place, steps)
        after = ordered[min(whole + 1, len(ordered) - 1)]
        made.append(ordered[whole] + (after - ordered[whole]) * part / steps)
    return made


def checked(text: str, made_ms: Sequence[float]) -> tuple[int, ...]:
    """Quantiles in nanoseconds; DeskError where they are no latencies."""
    if any(after < before for before, after in pairwise(made_ms)):
        raise refused(text, "it falls where it should rise", "give the lower number first, and a SIGMA of 0 or more")
    if made_ms[0] < 0 or made_ms[-1] > MAX_LATENCY_MS:
        why = f"it reaches from {made_ms[0]:g} to {made_ms[-1]:g} ms"
        raise refused(text, why, f"latencies lie between 0 and {MAX_LATENCY_MS} ms; choose other numbers")
    return tuple(round(one * 1_000) * MICROSECONDS for one in made_ms)


def measured(path: Path) -> list[float]:
    """The milliseconds of a file; DeskError naming the line that is no number."""
    name = str(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise refused(name, f"the file is over {MOST_BYTES >> 20} MiB", "give a sample of what was measured")
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise refused(name, "the file is no text", WAYS) from error
    except OSError as error:
        raise refused(name, f"it is no model, and no file that can be read ({error.strerror})", WAYS) from error
    rows = list(csv.reader(lines))
    head = [cell.strip() for cell in rows[0]] if rows else []
    at = head.index(COLUMN) if COLUMN in head else 0
    values = []
    for number, row in enumerate(rows, start=1):
        if (number == 1 and COLUMN in head) or not any(cell.strip() for cell in row):
            continue
        if COLUMN not in head and len(row) > 1:
            raise refused(
                name, f"line {number} has several columns", f"name the one to take {COLUMN} in the first line"
            )
        try:
            value = float(row[at])
        except (ValueError, IndexError):
            raise refused(name, f"line {number} holds no number of milliseconds", WAYS) from None
        if not 0 <= value <= MAX_LATENCY_MS:
            raise refused(
                name, f"line {number} says {row[at].strip()}", f"latencies lie between 0 and {MAX_LATENCY_MS} ms"
            )
        values.append(value)
    if len(values) < 2:
        raise refused(
            name,
            f"it holds {len(values)} latencies",
            "measure at least 2, or give --latency-ms for one that never changes",
        )
    return values


def refused(text: str, why: str, remedy: str) -> DeskError:
    """What happened, why, what next."""
    return DeskError(f"--latency-model {text}: {why}; {remedy}.", EXIT_USAGE)
