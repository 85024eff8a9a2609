"""The product's own venue, asked: each order goes through the fold that the desk runs, one account a fill model."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from benchmarks.fidelity.asks import Ask, Stream, rewritten
from benchmarks.fidelity.models import ALL_LOTS, FIRST_NS, LOTS, OUT, WHOLE_NS
from benchmarks.fidelity.tape import BOOK, Rows, Tape, joined

from paperdesk.domain import commands
from paperdesk.domain.events import FillModel, InputKind, MarketStatus, OrderType, OutputKind, Side, TimeInForce, inputs
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold

PURSE_UNITS: Final = 2**60
FILL, SUBMITTED = int(OutputKind.FILL), int(OutputKind.ORDER_SUBMITTED)


class Fills:
    """A journal that keeps fills."""

    def __init__(self) -> None:
        self.rows: list[Rows] = []

    def take_input(self, data: bytes) -> None:
        """Forget an input."""

    def take_outputs(self, rows: Rows) -> None:
        """Keep the fills."""
        found = rows[rows["kind"] == FILL]
        if len(found):
            self.rows.append(found)

    def take_note(self, note: dict[str, Any]) -> None:
        """Forget a note."""


class Venue:
    """A desk on the paper venue with one account a fill model, no latency, and a purse that never runs out."""

    def __init__(self, tape: Tape, models: Sequence[FillModel]) -> None:
        """Account i has the i-th fill model."""
        self.tape = tape
        self.models = len(models)
        self.fills = Fills()
        self.drive = Drive(Fold(), self.fills)
        instrument = tape.instrument
        rows = [commands.define_asset(asset) for asset in tape.assets]
        rows += [commands.define_instrument(instrument), commands.bind_source(tape.source)]
        for account, model in enumerate(models):
            rows.append(commands.open_account(account, instrument.quote, tape.source, 0, 2**60, model))
            rows += [commands.deposit(account, asset, PURSE_UNITS) for asset in (instrument.base, instrument.quote)]
        for row in rows:
            self.drive.command(row)
        self.now_ns = 1

    def ask(self, block: Rows, arrival: int, own: int, ticks: int, lots: int) -> list[Rows]:
        """An order that arrives after `arrival` rows of `block`, whose first is a picture, and is canceled after the last: the fills of each
        account, at the times of the block. A price of 0 is a market order.
        """
        start = inputs(2 + arrival)
        start["instrument"], start["version"] = block["instrument"][0], 1
        start["kind"][:2] = InputKind.MARKET_STATUS
        start["status"][:2] = (MarketStatus.GAP, MarketStatus.LIVE)
        start[2:] = block[:arrival]
        begin = self.now_ns
        shift = begin - int(block["ts_seq_ns"][0])
        start["ts_seq_ns"][:2] = begin
        start["ts_seq_ns"][2:] += shift
        assert start["kind"][2] == BOOK, "an order arrives at a picture"
        self.fills.rows.clear()
        self.drive.feed(start)
        ids = [self._submit(account, own, ticks, lots) for account in range(self.models)]
        rest = block[arrival:].copy()
        rest["ts_seq_ns"] += shift
        self.drive.feed(rest)
        for account, order_id in enumerate(ids):
            self.drive.command(commands.cancel_order(account, 0, order_id))
        self.now_ns = int(block["ts_seq_ns"][-1]) + shift + 1
        end = inputs(1)
        end["kind"], end["ts_seq_ns"] = InputKind.TIMER, self.now_ns
        self.drive.feed(end)
        if not self.fills.rows:
            return [inputs(0)] * self.models
        found = joined(self.fills.rows)
        found["ts_seq_ns"] -= shift
        return [found[found["account"] == account] for account in range(self.models)]

    def _submit(self, account: int, own: int, ticks: int, lots: int) -> int:
        limit = ticks > 0
        row = commands.command(
            InputKind.SUBMIT_ORDER,
            account=account,
            instrument=self.tape.instrument.number,
            version=1,
            side=Side.BUY if own == 0 else Side.SELL,
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if limit else TimeInForce.IOC,
            price_ticks=ticks,
            qty_lots=lots,
        )
        outputs = self.drive.command(row)
        mine = outputs[outputs["kind"] == SUBMITTED]
        assert len(mine) == 1, f"refused: {outputs['kind'].tolist()} {outputs['reason'].tolist()}"
        return int(mine["order_id"][0])


def answers(
    tape: Tape,
    asks: list[Ask],
    stream: Stream,
    models: Sequence[FillModel],
    tick: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """What the venue says to every order, shape (models, m, 4); columns as in `models.py`."""
    venue = Venue(tape, models)
    out = np.zeros((len(models), len(asks), OUT), np.int64)
    for i, ask in enumerate(asks):
        part = slice(stream.start[i], stream.start[i + 1])
        rows = stream.row[part]
        early = tape.rows[stream.before_row[stream.before_start[i] : stream.before_start[i + 1]]]
        block = joined([early, rewritten(tape, ask, rows, stream.shown[part])])
        arrival = len(early) + int(stream.arrival[i])
        for account, fills in enumerate(venue.ask(block, arrival, ask.own, ask.ticks, ask.lots)):
            out[account, i] = summed(fills, ask)
        tick(1)
    return out


def summed(fills: Rows, ask: Ask) -> np.ndarray:
    """The fills of one order as an answer."""
    got = np.zeros(OUT, np.int64)
    if len(fills) == 0:
        return got
    when, lots = fills["ts_seq_ns"], fills["fill_lots"]
    got[FIRST_NS] = when[0]
    got[ALL_LOTS] = lots.sum()
    got[LOTS] = lots[when <= ask.judge_ns].sum()
    if got[ALL_LOTS] == ask.lots:
        got[WHOLE_NS] = when[-1]
    return got
