"""The measure of the fills is itself measured: by small markets whose answer is known, and by a slice of the real thing."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.fidelity import __main__ as command
from benchmarks.fidelity import models, peers, rematch, scores, venue
from benchmarks.fidelity.asks import PRINT_LAG_NS, Ask, Stream, of_orders, rewritten, streams
from benchmarks.fidelity.late import LATE_NS
from benchmarks.fidelity.tape import ALIVE, BOOK, CANCELED, FILLED, TRADE, Real, Tape, joined, read_orders, views_of

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import FillModel, Side, inputs
from paperdesk.domain.instruments import Instrument
from paperdesk.feeds.replay import open_recordings
from shared import shared_data

MODELS = (FillModel.OPTIMISTIC, FillModel.EXPECTED, FillModel.PESSIMISTIC)
WEIGHTS = (1024, 512, 0)
BID, ASK = 0, 1
PRICE, MS = 100, 1_000_000
STEP = 2 * LATE_NS

Step = tuple[str, int]


def market(steps: list[Step], instrument: Any, apart_ns: int = STEP) -> Any:
    """Rows so far apart that no print is late, unless said otherwise: ("book", lots bid at PRICE; "book below": one tick below),
    ("sell", lots printed at PRICE), ("through", lots printed below).
    """
    rows = []
    for i, (what, lots) in enumerate(steps):
        row = inputs(1)
        row["instrument"], row["version"], row["ts_seq_ns"] = 0, 1, (i + 1) * apart_ns
        if what.startswith("book"):
            bids = [(PRICE, lots)] * (lots > 0) + [(PRICE - 5, 7)]
            bids = [(PRICE - 1, lots), (PRICE - 5, 7)] if what == "book below" else bids
            row["kind"], row["n_bids"], row["n_asks"] = BOOK, len(bids), 1
            for place, (ticks, size) in enumerate(bids):
                row["bids_ticks"][0, place], row["bids_lots"][0, place] = ticks, size
            row["asks_ticks"][0, 0], row["asks_lots"][0, 0] = PRICE + 10, 9
        else:
            row["kind"], row["side"], row["trade_qty_lots"] = TRADE, Side.SELL, lots
            row["trade_price_ticks"] = PRICE - (what == "through")
        rows.append(row)
    data = joined(rows)
    return Tape(data, views_of(data), instrument, (instrument.base, instrument.quote), 1, [], {}, [])


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    base, quote = Asset(0, "BTC", 8), Asset(1, "USD", 8)
    return Instrument(0, 1, "BTC/USD", "bench", base, quote, Decimal("0.01"), Decimal("0.00000001"))


def asked(
    tape: Tape, lots: int, first_row: int, mine: list[tuple[int, int, int]] | None = None
) -> tuple[list[Ask], Stream]:
    """A bid at PRICE, judged at the end."""
    end_ns = tape.end_ns
    asks = [Ask(BID, PRICE, lots, first_row, len(tape.rows), end_ns, 0, 0, 0, 0, 1)]
    return asks, streams(tape, asks, [mine or []])


def lots_by_model(tape: Tape, lots: int, first_row: int = 1, hold: bool = True) -> list[int]:
    """Filled under optimistic, expected, pessimistic; by the venue too, where it holds losses back."""
    asks, stream = asked(tape, lots, first_row)
    told = [models.answers(tape.views, asks, stream, weight, hold) for weight in WEIGHTS]
    if hold:
        assert np.array_equal(venue.answers(tape, asks, stream, MODELS), np.stack(told))
    return [int(answer[0, models.LOTS]) for answer in told]


def test_a_cancel_leaves_a_band(instrument: Instrument) -> None:
    """10 ahead and 10 behind, 8 leave, 6 are sold: optimistic 2 ahead, so 4 are left for us; expected 6, pessimistic 10."""
    tape = market([("book", 10), ("book", 20), ("book", 12), ("sell", 6), ("book", 6)], instrument)
    assert lots_by_model(tape, 9) == [4, 0, 0]
    tape = market([("book", 10), ("book", 20), ("book", 12), ("sell", 8), ("book", 4)], instrument)
    assert lots_by_model(tape, 9) == [6, 2, 0]


def test_nobody_stands_behind_more_than_is_displayed(instrument: Instrument) -> None:
    tape = market([("book", 10), ("book", 3), ("sell", 5), ("book", 0)], instrument)
    assert lots_by_model(tape, 9) == [2, 2, 2]


def test_a_print_before_the_arrival_counts_for_the_least_alone(instrument: Instrument) -> None:
    tape = market([("book", 10), ("sell", 4), ("sell", 8), ("book", 0)], instrument)
    assert lots_by_model(tape, 9, first_row=2) == [2, 0, 0]


def test_a_print_through_the_price_fills(instrument: Instrument) -> None:
    tape = market([("book", 10), ("through", 3)], instrument)
    assert lots_by_model(tape, 9) == [3, 3, 3]


def test_a_late_print_counts_once(instrument: Instrument) -> None:
    """10 ahead; 6 are sold, and the picture says so first. 4 are ahead still; a print of 3 fills nothing in truth."""
    tape = market([("book", 10), ("book", 4), ("sell", 6), ("sell", 3), ("book", 1)], instrument, MS)
    assert lots_by_model(tape, 9) == [0, 0, 0]
    assert lots_by_model(tape, 9, hold=False) == [5, 5, 5]


def test_who_joins_after_the_picture_has_no_part_in_its_late_print(instrument: Instrument) -> None:
    """Ours joins behind 4, after the picture in which 6 were gone; at its price, and through it."""
    at_price = [("book", 10), ("book", 4), ("book", 4), ("sell", 6), ("sell", 5)]
    assert lots_by_model(market(at_price, instrument, MS), 9, 3) == [1, 1, 1]
    through = [("book below", 7), ("book below", 2), ("book", 3), ("through", 5), ("sell", 4), ("through", 5)]
    assert lots_by_model(market(through, instrument, MS), 9, 3) == [4, 4, 4]
    assert lots_by_model(market(through, instrument, MS), 9, 1) == [9, 9, 9]


def test_the_order_is_taken_out_of_what_it_meets(instrument: Instrument) -> None:
    """10 ahead, ours 5, 6 behind. 12 are sold: 2 of them hit ours, so without it they had hit those behind."""
    steps = [("book", 10), ("book", 15), ("book", 21), ("sell", 12), ("book", 9), ("book", 6), ("book", 2), ("book", 0)]
    tape = market(steps, instrument)
    mine = [(1, 5, 0), (4, 3, 2), (5, 0, 2)]
    asks, stream = asked(tape, 5, 1, mine)
    assert stream.shown.tolist() == [10, 16, 16, 4, 0]
    assert stream.row.tolist() == [0, 2, 3, 4, 6]
    block = rewritten(tape, asks[0], stream.row, stream.shown)
    displayed = [
        int(row["bids_lots"][0]) if row["bids_ticks"][0] == PRICE else 0 for row in block if row["kind"] == BOOK
    ]
    assert displayed == [10, 16, 4, 0]
    assert block["n_bids"][-1] == 1 and block["bids_ticks"][-1, 0] == PRICE - 5 and block["bids_lots"][-1, 0] == 7


def test_what_comes_after_the_look_does_not_count(instrument: Instrument) -> None:
    tape = market([("book", 0), ("sell", 4), ("sell", 2), ("sell", 9)], instrument)
    (ask,), stream = asked(tape, 9, 1)
    asks = [ask._replace(judge_ns=3 * STEP)]
    for answer in (*venue.answers(tape, asks, stream, MODELS), models.answers(tape.views, asks, stream, 512)):
        assert answer[0].tolist() == [6, 2 * STEP, 4 * STEP, 9]


def test_touch_fills_whole(instrument: Instrument) -> None:
    tape = market([("book", 10), ("book", 12), ("sell", 1)], instrument)
    asks, stream = asked(tape, 9, 1)
    assert models.answers(tape.views, asks, stream, -1)[0].tolist() == [9, 3 * STEP, 3 * STEP, 9]
    assert peers.reached(tape.views, stream).tolist() == [True]
    quiet = market([("book", 10), ("sell", 1), ("book", 12)], instrument)
    assert peers.reached(quiet.views, asked(quiet, 9, 2)[1]).tolist() == [False]


def test_the_flow_is_matched_by_price_and_time(instrument: Instrument) -> None:
    """Three bids on one coarse price; 7 are taken by a sell that took in truth."""
    orders = [
        Real(1, BID, 101, 4, 1, 0, 0, end=CANCELED, end_ns=9, left_lots=4),
        Real(2, BID, 104, 5, 2, 0, 0, end=CANCELED, end_ns=8, left_lots=5),
        Real(3, BID, 103, 6, 3, 0, 0, end=ALIVE, left_lots=6),
        Real(4, ASK, 90, 7, 5, 0, best_opposite=104, end=FILLED, end_ns=5, left_lots=0, first_fill_ns=5),
    ]
    tape = market([("book", 1)], instrument)
    tape.orders = orders
    for prints_first in (True, False):
        told = rematch.rematched(tape, 50, prints_first)
        assert [(o.order_id, o.ticks, o.end, o.left_lots, o.first_fill_ns) for o in told.orders] == [
            (1, 2, FILLED, 0, 5),
            (2, 2, CANCELED, 2, 5),
            (3, 2, ALIVE, 6, 0),
        ]
        kinds = told.rows["kind"].tolist()
        assert kinds == ([BOOK] * 3 + ([TRADE] * 2 + [BOOK] if prints_first else [BOOK] + [TRADE] * 2) + [BOOK])
        books = told.rows[told.rows["kind"] == BOOK]
        assert books["bids_lots"][:, 0].tolist() == [4, 9, 15, 8, 6]
        assert told.rows["trade_qty_lots"][told.rows["kind"] == TRADE].tolist() == [4, 3]


def test_intervals() -> None:
    low, high = scores.wilson(5, 10)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)
    assert scores.wilson(0, 0) == (0.0, 1.0)
    born = np.arange(100) * scores.BLOCK_NS // 10
    right = np.stack([np.arange(100) % 2, np.ones(100)], axis=1)
    assert scores.bootstrap(born, right, scores.ratio) == (0.5, 0.5), "every block is half right"
    clustered = np.stack([np.arange(100) >= 50, np.ones(100)], axis=1)
    low, high = scores.bootstrap(born, clustered, scores.ratio)
    assert low <= 0.2 and high >= 0.8, "ten blocks, not a hundred orders"


def test_scores() -> None:
    told = np.array([[5, 10, 0, 5], [0, 0, 0, 0], [9, 30, 30, 9], [2, 9, 0, 2]])
    true = np.array([[3, 8, 0, 3], [1, 5, 0, 1], [9, 20, 25, 9], [0, 0, 0, 0]])
    size, born, chosen = np.array([10, 10, 9, 10]), np.arange(4), np.ones(4, bool)
    found = scores.score(told, true, size, born, chosen)
    assert (found["hits"], found["false_fills"], found["missed_fills"], found["accuracy"]) == (2, 1, 1, 0.5)
    assert found["quantity_error"] == pytest.approx((0.2 + 0.1 + 0 + 0.2) / 4)
    assert found["quantity_ratio"] == pytest.approx(16 / 13)
    band = scores.coverage(np.zeros_like(told), told, true, born, chosen, lag_ns=2)
    assert band["quantity"] == 0.75 and band["width"] == 0.75
    assert scores.coverage(told, told, true, born, chosen, lag_ns=2)["quantity"] == 0.25, "only the third is right"
    assert band["time"] == pytest.approx(1 / 3), "10 is within the lag of 8; 30 is not of 20; never is not of 5"


@pytest.fixture(scope="module")
def recorded() -> Tape:
    return read_orders(shared_data(command.ORDERS))


def test_the_reader_is_the_products_own(recorded: Tape) -> None:
    rows = joined(list(open_recordings([shared_data(command.ORDERS)], ["BTC/USD"]).blocks()))
    assert rows.tobytes() == recorded.rows.tobytes()
    assert len(recorded.orders) > 20_000


def test_an_order_is_part_of_its_level(recorded: Tape) -> None:
    views, seen = recorded.views, 0
    for real in recorded.orders[:5_000]:
        for row, lots, eaten in recorded.shown[real.order_id]:
            assert 0 <= lots + eaten <= real.size_lots
            if row < len(recorded.rows) and views.kind[row] == BOOK and lots:
                at = np.flatnonzero(views.ticks[row, real.own] == real.ticks)
                if len(at):
                    seen += 1
                    assert views.lots[row, real.own, at[0]] >= lots
    assert seen > 1_000


def test_the_truth_of_the_recording(recorded: Tape) -> None:
    """Figures of the data's own description: a delete with nothing left is a fill, with more left a cancel."""
    ended = [sum(real.end == end for real in recorded.orders) for end in (ALIVE, FILLED, CANCELED)]
    filled = [real for real in recorded.orders if real.filled_lots]
    assert ended == [179, 556, 24_153] and len(filled) > 700
    assert all(real.born_ns <= real.first_fill_ns <= real.end_ns for real in filled)
    assert sum(real.first_fill_ns < real.end_ns for real in filled) > 150, "filled in parts"


def test_thinned_streams_and_the_reference_say_what_the_venue_says(recorded: Tape) -> None:
    asks, mine, _ = of_orders(recorded, PRINT_LAG_NS)
    thinned = streams(recorded, asks, mine)
    met = peers.reached(recorded.views, thinned)
    short = np.diff(thinned.start) < 400
    chosen = [*np.flatnonzero(met & short)[:60], *np.flatnonzero(~met & short)[:60]]
    asks, mine = [asks[i] for i in chosen], [mine[i] for i in chosen]
    capped = [ask._replace(end_row=min(ask.end_row, ask.first_row + 3_000)) for ask in asks]
    part, whole = (streams(recorded, capped, mine, keep_all) for keep_all in (False, True))
    assert len(whole.row) > 3 * len(part.row)
    told = venue.answers(recorded, capped, part, MODELS)
    assert np.array_equal(told, venue.answers(recorded, capped, whole, MODELS))
    for answer, weight in zip(told, WEIGHTS, strict=True):
        assert np.array_equal(answer, models.answers(recorded.views, capped, part, weight))
    assert (told[0, :60, models.LOTS] > 0).sum() > 40 and not told[:, 60:].any()


def test_quick(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = shared_data(command.ORDERS).parent.parent
    target = tmp_path / "figures.json"
    assert command.main(["--quick", "--no-peers", "--data", str(data), "--json", str(target)]) == 0
    figures = json.loads(target.read_text(encoding="utf-8"))
    told = figures["orders"]["recorded"]
    assert told["venue_differs_from_reference"] == 0 and told["filled_in_truth"] > 20
    by_model = {name: told["models"][name]["reached"] for name in ("venue expected", "touch")}
    assert by_model["venue expected"]["accuracy"] > 0.9
    assert by_model["venue expected"]["quantity_error"] < by_model["touch"]["quantity_error"]
    waiting = {row["model"]: row["filled"] for row in figures["markets"]["BTC/USDT spot"]["waiting"]}
    assert waiting["pessimistic"] <= waiting["expected"] <= waiting["optimistic"] <= waiting["touch"]
    assert "venue pessimistic" in capsys.readouterr().out


def test_missing_recordings_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--data", str(tmp_path)]) == 1
    assert "--data" in capsys.readouterr().err
