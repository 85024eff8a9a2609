"""Order lists on their way to the desk: requests as lists, copies for the accounts beside, and the story of each leg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.app.desk import paperdesk, replayed, script, walk
from tests.engine.room import BUY, PLAIN, SELL, Room

from paperdesk.api.messages import SubmitList, SubmitOrder
from paperdesk.app.accounts import Account
from paperdesk.app.family.mirror import copies
from paperdesk.app.family.order_words import Unusable, legs_of
from paperdesk.domain import commands
from paperdesk.domain.commands import Intent
from paperdesk.domain.events import FillModel, ListKind, OrderType

PROFIT = SubmitOrder(0, "sell", "limit", "1", "110", post_only=True)
STOP = SubmitOrder(0, "sell", "stop_market", "1", None, "90")


def test_a_request_becomes_a_list() -> None:
    kind, legs = legs_of(SubmitList(0, "oco", [PROFIT, STOP]))
    assert kind == ListKind.OCO and [leg.order_type for leg in legs] == [OrderType.LIMIT, OrderType.STOP_MARKET]
    assert legs[0].post_only and legs[1].trigger == 90


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (SubmitList(0, "ocoo", [PROFIT, STOP]), "kind is one of oco, oto, otoco"),
        (SubmitList(0, "otoco", [PROFIT, STOP]), "an otoco three"),
        (SubmitList(0, "oto", [STOP, SubmitOrder(0, "sell", "market", "0", quote_quantity="5")]), "no quote_quantity"),
        (SubmitList(0, "oco", [PROFIT, SubmitOrder(0, "sell", "stop_market", "1")]), "needs a trigger_price"),
    ],
)
def test_what_is_no_list_is_said(what: SubmitList, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        legs_of(what)


def test_the_accounts_beside_get_the_same_list_and_its_cancel() -> None:
    room = Room()
    room.open(1)
    room.quote(99, 50, 101, 50)
    room.trade(100, 1)
    room.buy(1, 80, account=1)
    beside = [Account(1, "band", FillModel.OPTIMISTIC, 0)]
    row = commands.submit_list(
        0, 0, PLAIN, ListKind.OCO, (Intent(SELL, 5, 105, post_only=True), Intent(SELL, 5, None, 95))
    )
    room.put(row)
    (copy,) = copies(room.fold, beside, row, room.rows[-1])
    assert copy["account"][0] == 1 and copy["leg_client_id"][0].tolist() == [1, 2, 0]
    assert room.put(copy)[0] == "submitted #2"
    room.timer()
    (cancel,) = copies(room.fold, beside, commands.cancel_order(0, 0, 2), np.empty(0))
    assert (cancel["account"][0], cancel["order_id"][0]) == (1, 3)
    denied = commands.submit_list(0, 0, PLAIN, ListKind.OTO, (Intent(BUY, 10**6, 90), Intent(SELL, 5, 105)))
    room.put(denied)
    (copy,) = copies(room.fold, beside, denied, room.rows[-1])
    assert copy["leg_client_id"][0].tolist() == [3, 4, 0], "denied here, perhaps not there"


def test_every_leg_tells_its_life(tmp_path: Path) -> None:
    steps = script(
        tmp_path / "own.py",
        "pass",
        "ctx.bracket(symbol, Decimal('0.3'), '101.5', '101.2', '100.5')",
        "ctx.oco(symbol, '0.3', '120', '50')",
    )
    home = tmp_path / "home"
    assert replayed(home, "--data", walk(tmp_path / "w.jsonl"), "--strategy", steps).code == 0
    assert paperdesk("db", "check", "--home", home).code == 0
    stories = [
        " ".join(paperdesk("explain", f"PAPER-0-{number}", "--home", home).out.split()) for number in range(1, 6)
    ]
    assert (
        "It is the working order of an OTOCO list, with PAPER-0-2 (the pending order that takes the profit) and PAPER-0-3 (the pending stop)."
        in stories[0]
    )
    assert "filled PAPER-0-1 whole, or" not in stories[1] and "It was pending until input" in stories[1]
    assert (
        "in answer to input" in stories[0] and "with its list; its account has the expected fill model." in stories[1]
    )
    assert "and was placed in that moment with 0.2; where" in stories[1], "0.3 less a fee is not three lots"
    assert "(list_ended)" in stories[1] and "The trigger of PAPER-0-3 had been reached by input" in stories[1]
    assert "Its trigger at 100.5 was reached" in stories[2] and "(list_ended)" not in stories[2]
    assert stories[2].endswith("Of its list, PAPER-0-1 was filled whole and PAPER-0-2 was canceled."), (
        "the other legs are told"
    )
    assert "an OCO list" in stories[3]
