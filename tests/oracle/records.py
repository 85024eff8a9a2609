"""Dicts of the naive desk as records of the core, and back. The only place where both vocabularies meet."""

from __future__ import annotations

from typing import Any

import numpy as np

from paperdesk.domain.events import OUTPUT, FillRule, InputKind, OutputKind, inputs
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import Purpose

Row = np.ndarray[Any, Any]

LAYOUT = {name: OUTPUT.fields[name] for name in OUTPUT.names or ()} if OUTPUT.fields is not None else {}
HEAD_BYTES = LAYOUT["payload"][1]
HEAD_NAMES = [name for name in LAYOUT if LAYOUT[name][1] < HEAD_BYTES]
HEAD = np.dtype(
    {
        "names": HEAD_NAMES,
        "formats": [LAYOUT[name][0] for name in HEAD_NAMES],
        "offsets": [LAYOUT[name][1] for name in HEAD_NAMES],
        "itemsize": OUTPUT.itemsize,
    }
)
PLACES = {name: HEAD_NAMES.index(name) for name in HEAD_NAMES} | {
    name: len(HEAD_NAMES) + (offset - HEAD_BYTES) // 8
    for name, (_, offset, *_) in LAYOUT.items()
    if offset >= HEAD_BYTES
}
"""Where each name of an output lies in the tuples of `as_tuples`."""
KINDS = {kind.name: int(kind) for kind in OutputKind}
CODES = {
    "reason": {reason.name.lower(): int(reason) for reason in Reason},
    "rule": {rule.name: int(rule) for rule in FillRule},
    "purpose": {purpose.name: int(purpose) for purpose in Purpose},
}


COUNTS = {
    "latencies_ns": "n_latencies",
    "tier_volume_units": "n_tiers",
    "tier_maker_e8": "n_tiers",
    "tier_taker_e8": "n_tiers",
}
"""Lists of an input and where their length stands."""


def to_record(given: dict[str, Any]) -> Row:
    """One input, shape (1,) of INPUT."""
    block = inputs(1)
    row = block[0]
    for name, value in given.items():
        if name == "kind":
            row["kind"] = int(InputKind[value])
        elif name == "defect":
            row["defect"] = CODES["reason"][value]
        elif isinstance(value, list) and name in COUNTS:
            row[COUNTS[name]] = len(value)
            row[name][: len(value)] = value
        elif name.startswith("leg_"):
            codes = [CODES["reason"][one] for one in value] if name == "leg_defect" else value
            row[name][: len(codes)] = codes
        elif isinstance(value, list):
            count = len(value)
            if name.endswith("ticks"):
                row["n_bids" if name.startswith("bids") else "n_asks"] = count
            row[name][: min(count, 20)] = value[:20]
        else:
            row[name] = value
    return block


def as_tuples(outputs: Row) -> list[tuple[int, ...]]:
    """Outputs of the core as plain tuples; `PLACES` says where each name lies."""
    heads = outputs.view(HEAD).tolist()
    payloads = outputs["payload"].tolist()
    return [(*head, *payload) for head, payload in zip(heads, payloads, strict=True)]


def expected(said: dict[str, Any]) -> dict[int, int]:
    """What an output of the naive desk means in the core's tuple: place → value."""
    meant = {PLACES["kind"]: KINDS[said["kind"]]}
    for name, value in said.items():
        if name == "kind":
            continue
        meant[PLACES[name]] = CODES[name][value] if name in CODES else value
    return meant


def named(row: tuple[int, ...], names: dict[str, Any]) -> dict[str, Any]:
    """The core's output in the words of the naive desk, for messages."""
    words: dict[str, Any] = {"kind": OutputKind(row[PLACES["kind"]]).name}
    for name in names:
        if name in CODES:
            words[name] = next(
                (word for word, code in CODES[name].items() if code == row[PLACES[name]]), row[PLACES[name]]
            )
        elif name != "kind":
            words[name] = row[PLACES[name]]
    return words
