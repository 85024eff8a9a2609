"""Level-2 recordings without a truth: what the models, and a simulator that fills at the touch, make of the same fixed orders.

Once a second an order is sent to the best bid and one to the best ask, of each size, and canceled after each life; and a market order of
each size either way. The rules are fixed in advance and look at nothing that comes later.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.fidelity import models, venue
from benchmarks.fidelity.asks import Ask, picture_before, streams
from benchmarks.fidelity.models import FIRST_NS, LOTS
from benchmarks.fidelity.tape import BOOK, QUOTE, TRADE, Tape, Views, joined, views_of

from paperdesk.domain import commands
from paperdesk.domain.events import FillModel
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.feeds.replay import open_recordings

SECOND_NS: Final = 1_000_000_000
MODELS: Final = (FillModel.OPTIMISTIC, FillModel.EXPECTED, FillModel.PESSIMISTIC)
PASSIVE: Final = (1_000, 20_000)
"""Quote units of an order that waits."""
LIVES_S: Final = (10, 60)
TAKING: Final = (1_000, 10_000, 100_000, 1_000_000)
MARKS_S: Final = (1, 10)
BPS: Final = 10_000


def read_market(path: Path, symbol: str, seconds: int = 0) -> Tape:
    """A level-2 recording; every quote becomes the picture that the venue has after it. `seconds` > 0: only so many."""
    feed = open_recordings([path], [symbol])
    rows = joined(list(feed.blocks()))
    if seconds:
        rows = rows[rows["ts_seq_ns"] < rows["ts_seq_ns"][0] + seconds * SECOND_NS]
    rows = rows[np.isin(rows["kind"], (TRADE, BOOK, QUOTE))]
    instrument = feed.instruments[0]
    drive = Drive(Fold(), venue.Fills())
    for asset in feed.assets:
        drive.command(commands.define_asset(asset))
    drive.command(commands.define_instrument(instrument))
    market = drive.fold.state["markets"][0, instrument.number]
    for i in range(len(rows)):
        row = rows[i : i + 1]
        quoted = row["kind"][0] == QUOTE
        drive.feed(row)
        if quoted:
            row["kind"], row["n_bids"], row["n_asks"] = BOOK, *market["count"]
            for side, name in enumerate(("bids", "asks")):
                row[f"{name}_ticks"], row[f"{name}_lots"] = market["ticks"][side], market["lots"][side]
    first = int(np.flatnonzero(rows["kind"] == BOOK)[0])
    rows = rows[first:]
    return Tape(rows, views_of(rows), instrument, feed.assets, feed.source, [], {}, list(feed.notes))


def mids(views: Views) -> tuple[np.ndarray, np.ndarray]:
    """(times, mid prices in ticks) of the pictures with two sides."""
    there = (views.kind == BOOK) & (views.ticks[:, 0, 0] > 0) & (views.ticks[:, 1, 0] > 0)
    return views.ts_ns[there], (views.ticks[there, 0, 0] + views.ticks[there, 1, 0]) / 2


def mid_at(times: np.ndarray, prices: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    """The last mid at or before each time; nan beyond the recording."""
    place = np.searchsorted(times, at_ns, "right") - 1
    return np.where((at_ns <= times[-1]) & (place >= 0), prices[np.maximum(place, 0)], np.nan)


def lots_of(tape: Tape, quote: int, ticks: int) -> int:
    """So much quote currency in lots at a price, rounded down, at least one."""
    return max(1, int(quote / (float(tape.instrument.tick) * ticks) / float(tape.instrument.lot)))


def passive_asks(tape: Tape, quote: int, life_s: int) -> list[Ask]:
    """The waiting orders of one size and life; the last one ends within the recording."""
    ts = tape.views.ts_ns
    found = []
    for at_ns in range(int(ts[0]) + SECOND_NS, int(ts[-1]) - life_s * SECOND_NS, SECOND_NS):
        row = int(np.searchsorted(ts, at_ns, "left"))
        picture = picture_before(tape.views, row)
        for own in (0, 1):
            ticks = int(tape.views.ticks[picture, own, 0])
            if ticks == 0:
                continue
            end_ns = at_ns + life_s * SECOND_NS
            end_row = int(np.searchsorted(ts, end_ns, "left"))
            found.append(Ask(own, ticks, lots_of(tape, quote, ticks), row, end_row, end_ns, at_ns, 0, 0, 0, 1))
    return found


def passive_rows(tape: Tape, tick: Callable[[int], None]) -> list[dict[str, Any]]:
    """Fill rates and mark-outs, one row a size, life and model."""
    times, prices = mids(tape.views)
    out = []
    for quote in PASSIVE:
        for life_s in LIVES_S:
            asks = passive_asks(tape, quote, life_s)
            stream = streams(tape, asks, [[] for _ in asks])
            told = dict(
                zip(
                    (model.name.lower() for model in MODELS),
                    venue.answers(tape, asks, stream, MODELS, tick),
                    strict=True,
                )
            )
            told["touch"] = models.answers(tape.views, asks, stream, -1)
            size = np.array([ask.lots for ask in asks])
            sign = np.array([1 if ask.own == 0 else -1 for ask in asks])
            price = np.array([ask.ticks for ask in asks])
            for name, answer in told.items():
                filled = answer[:, LOTS] > 0
                row: dict[str, Any] = {
                    "quote": quote, "life_s": life_s, "model": name, "orders": len(asks),
                    "filled": float(filled.mean()), "quantity": float((answer[:, LOTS] / size).mean()),
                }  # fmt: skip
                for mark_s in MARKS_S:
                    mark = mid_at(times, prices, answer[:, FIRST_NS] + mark_s * SECOND_NS)
                    gain = (sign * (mark - price) / price * BPS)[filled]
                    row[f"markout_{mark_s}s_bps"] = float(np.nanmean(gain)) if len(gain) else None
                out.append(row)
    return out


def taking_rows(tape: Tape, tick: Callable[[int], None]) -> list[dict[str, Any]]:
    """Slippage of market orders against the mid, by the venue and as claimed by a fill at the touch."""
    asked = venue.Venue(tape, (FillModel.EXPECTED,))
    ts, view = tape.views.ts_ns, tape.views.ticks
    out = []
    for quote in TAKING:
        paid, claimed, filled, beyond = [], [], [], 0
        for at_ns in range(int(ts[0]) + SECOND_NS, int(ts[-1]), SECOND_NS):
            picture = picture_before(tape.views, int(np.searchsorted(ts, at_ns, "left")))
            bid, ask = int(view[picture, 0, 0]), int(view[picture, 1, 0])
            if bid == 0 or ask == 0:
                continue
            mid = (bid + ask) / 2
            for own, best in ((0, ask), (1, bid)):
                lots = lots_of(tape, quote, best)
                (fills,) = asked.ask(tape.rows[picture : picture + 1], 1, own, 0, lots)
                got = int(fills["fill_lots"].sum()) if len(fills) else 0
                sign = 1 if own == 0 else -1
                claimed.append(sign * (best - mid) / mid * BPS)
                filled.append(got / lots)
                beyond += got < lots
                if got:
                    mean = float((fills["fill_price_ticks"].astype(float) * fills["fill_lots"]).sum()) / got
                    paid.append(sign * (mean - mid) / mid * BPS)
            tick(2)
        out.append(
            {"quote": quote, "orders": len(filled), "quantity": float(np.mean(filled)), "beyond_view": beyond / len(filled),
             "slippage_bps": float(np.mean(paid)), "slippage_p95_bps": float(np.percentile(paid, 95)),
             "touch_claims_bps": float(np.mean(claimed))}
        )  # fmt: skip
    return out
