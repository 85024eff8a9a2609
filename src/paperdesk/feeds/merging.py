"""Several streams of blocks become one, by time, on whole columns."""

from collections.abc import Iterator, Sequence

import numpy as np

from paperdesk.domain.events import INPUT, INPUT_BYTES
from paperdesk.feeds.port import BLOCK_ROWS

_ROW = np.dtype((np.void, INPUT_BYTES))


def joined(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks of inputs one after the other, shape (n,).

    numpy's own concatenation is not used: it lays the record's fields out anew, and they share their bytes.
    """
    rows = [np.ascontiguousarray(block).view(_ROW) for block in blocks]
    return np.concatenate(rows).view(INPUT) if rows else np.zeros(0, INPUT)


def merge(streams: Sequence[Iterator[np.ndarray]]) -> Iterator[np.ndarray]:
    """Several streams of blocks as one, by ts_seq_ns; at equal times the earlier stream goes first. Each stream must
    be in order.
    """
    heads: dict[int, np.ndarray] = {}
    for index, stream in enumerate(streams):
        block = next(stream, None)
        if block is not None:
            heads[index] = block
    rest = np.zeros(0, INPUT)
    while heads:
        until = min(int(block["ts_seq_ns"][-1]) for block in heads.values())
        first = min(index for index, block in heads.items() if int(block["ts_seq_ns"][-1]) == until)
        taken = []
        for index in sorted(heads):
            block = heads[index]
            count = int(np.searchsorted(block["ts_seq_ns"], until, "right" if index <= first else "left"))
            taken.append(block[:count])
            heads[index] = block[count:]
            if count == len(block):
                following = next(streams[index], None)
                if following is None:
                    del heads[index]
                else:
                    heads[index] = following
        rows = joined([rest, *taken])
        held = len(rest)
        order = np.argsort(rows["ts_seq_ns"][held:], kind="stable")
        rows[held:] = rows[held:][order]
        whole_rows = len(rows) - len(rows) % BLOCK_ROWS
        for start in range(0, whole_rows, BLOCK_ROWS):
            yield rows[start : start + BLOCK_ROWS]
        rest = rows[whole_rows:]
    if len(rest):
        yield rest
