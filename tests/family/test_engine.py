"""The engine's process with the test in place of door and api: commands once, time that moves, definitions that change between two starts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.app.desk import paperdesk
from tests.family.engines import Engine, of

from paperdesk.api import messages as words
from paperdesk.app.family.tasks import Gone, NoOffer
from paperdesk.app.family.words import DECODE_ASK, ENCODE, Beat, Offer, Rows
from paperdesk.app.options import RunOptions
from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import command
from paperdesk.domain.events import InputKind, MarketStatus, OutputKind
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason

BTC, USDT = Asset(0, "BTC", 8), Asset(1, "USDT", 8)
MARKET = Instrument(0, 1, "BTC/USDT", "binance", BTC, USDT, Decimal("0.1"), Decimal("0.001"))
BUY = words.SubmitOrder(0, "buy", "market", "0.010")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A live engine whose door the test is."""
    made = Engine(
        tmp_path / "home", RunOptions(feed="live", symbols=("BTC/USDT",), strategies=("dip_buyer",), page=True), True
    )
    try:
        yield made
    finally:
        made.close()


def offer(engine: Engine, instrument: Instrument = MARKET) -> None:
    """Wait for the question, and offer."""
    assert engine.door is not None
    until = time.monotonic() + 60
    while (data := engine.door.receive()) is None:
        assert time.monotonic() < until and engine.process.poll() is None, "the engine did not ask"
        time.sleep(0.01)
    DECODE_ASK.decode(data)
    engine.door.send(ENCODE(Offer([instrument], [BTC, USDT], "LIVE MAINNET DATA", 77, [], True)))


def tell(engine: Engine, *rows: np.ndarray) -> None:
    """Market inputs, now."""
    assert engine.door is not None
    for row in rows:
        row["ts_event_ns"] = row["ts_seq_ns"] = time.time_ns()
        assert engine.door.send(ENCODE(Rows(row.tobytes())))


def whole(price_ticks: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """A market that is live, with a best bid and ask."""
    live = command(InputKind.MARKET_STATUS, instrument=0, status=MarketStatus.LIVE)
    return live, command(
        InputKind.QUOTE, instrument=0, bid_ticks=price_ticks, bid_lots=500, ask_ticks=price_ticks + 1, ask_lots=500
    )


def kinds(engine: Engine) -> list[int]:
    """Kinds of all outputs heard."""
    return engine.outputs()["kind"].tolist()


def test_a_key_is_used_once_also_by_an_engine_that_was_killed(engine: Engine) -> None:
    offer(engine)
    welcome = engine.subscribe()
    assert welcome.label == "LIVE MAINNET DATA" and welcome.notice == "a notice"
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    first = engine.ask(BUY, "one")
    assert (first.code, first.repeated) == ("done", False) and OutputKind.ORDER_SUBMITTED in of(first)["kind"]
    again = engine.ask(BUY, "one")
    assert (again.code, again.repeated, again.seq, again.outputs) == ("done", True, first.seq, first.outputs)
    other = engine.ask(words.SubmitOrder(0, "sell", "market", "0.010"), "one")
    assert other.code == "conflict" and "used for another command" in other.text
    engine.kill()
    engine.start()
    offer(engine)
    engine.subscribe(int(engine.outputs()["seq"][-1]))
    third = engine.ask(BUY, "one")
    assert (third.repeated, third.seq, third.outputs) == (True, first.seq, first.outputs)
    assert engine.stop() == 0


def test_an_order_list_is_sent_once_and_lives_on_in_an_engine_that_was_killed(engine: Engine) -> None:
    offer(engine)
    engine.subscribe()
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    legs = [
        words.SubmitOrder(0, "buy", "limit", "0.010", "90.0"),
        words.SubmitOrder(0, "sell", "limit", "0.010", "120.0", post_only=True),
        words.SubmitOrder(0, "sell", "stop_market", "0.010", None, "80.0"),
    ]
    wanted = words.SubmitList(0, "otoco", legs)
    first = engine.ask(wanted, "list")
    assert (of(first)["kind"] == OutputKind.ORDER_SUBMITTED).sum() == 3 and set(of(first)["list_id"].tolist()) >= {1}
    engine.kill()
    engine.start()
    offer(engine)
    engine.subscribe(int(engine.outputs()["seq"][-1]))
    again = engine.ask(wanted, "list")
    assert (again.repeated, again.outputs) == (True, first.outputs)
    tell(engine, *whole())
    engine.ask(words.CancelOrder(3), "end it")
    engine.hear(words.Outputs, lambda one: kinds(engine).count(OutputKind.ORDER_CANCELED) == 3)
    assert engine.stop() == 0
    assert paperdesk("replay", "0001-live", "--verify", "--home", engine.home).code == 0


def test_time_moves_though_the_market_is_silent(engine: Engine) -> None:
    offer(engine)
    engine.subscribe()
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    engine.ask(BUY, "one")
    assert engine.door is not None
    until = time.monotonic() + 60
    while OutputKind.FILL not in kinds(engine):  # the door lives, and has no market input to tell
        assert time.monotonic() < until and engine.door.send(ENCODE(Beat({})))
        engine.hear(words.Pulse)
    statuses = [
        one.note["status"] for one in engine.seen if isinstance(one, words.Note) and one.note["type"] == "market"
    ]
    assert statuses == [MarketStatus.LIVE], "nothing but time moved"
    assert engine.stop() == 0


def test_a_door_that_says_nothing_is_a_market_that_is_stale(engine: Engine) -> None:
    offer(engine)
    engine.subscribe()
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    engine.hear(words.Note, lambda one: one.note["type"] == "market" and one.note["status"] == MarketStatus.STALE)
    denied = of(engine.ask(BUY, "one"))
    assert denied["kind"].tolist() == [OutputKind.ORDER_DENIED] and denied["reason"][0] == Reason.STALE_DATA
    tell(engine, whole()[1])
    engine.hear(words.Note, lambda one: one.note["type"] == "market" and one.note["status"] == MarketStatus.LIVE)
    assert OutputKind.ORDER_SUBMITTED in of(engine.ask(BUY, "two"))["kind"]
    assert engine.stop() == 0


def test_a_door_that_died_is_a_market_that_is_stale_until_the_next_one_says_otherwise(engine: Engine) -> None:
    offer(engine)
    engine.subscribe()
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    assert engine.door is not None
    engine.door.send(ENCODE(Gone()))
    engine.hear(words.Note, lambda one: one.note["type"] == "market" and one.note["status"] == MarketStatus.STALE)
    engine.door.send(ENCODE(Beat({"connected": True})))
    engine.hear(words.Pulse, lambda one: one.feed)
    assert of(engine.ask(BUY, "one"))["reason"][0] == Reason.STALE_DATA, (
        "another door lives, and has stated nothing yet"
    )
    tell(engine, *whole())
    engine.hear(words.Note, lambda one: one.note["type"] == "market" and one.note["status"] == MarketStatus.LIVE)
    assert OutputKind.ORDER_SUBMITTED in of(engine.ask(BUY, "two"))["kind"]
    assert engine.stop() == 0


def test_a_venue_that_changed_its_filters_defines_the_market_anew(engine: Engine) -> None:
    offer(engine)
    engine.subscribe()
    tell(engine, *whole())
    engine.hear(words.Market, lambda one: one.markets[0].bids)
    engine.ask(words.SubmitOrder(0, "buy", "limit", "0.010", "90.0"), "resting")
    engine.hear(words.Outputs, lambda one: OutputKind.ORDER_ACCEPTED in kinds(engine))
    assert engine.stop() == 0
    for start in range(2):
        if start:
            engine.kill()
        engine.start()
        offer(engine, MARKET._replace(tick=Decimal("0.01")))
        welcome = engine.subscribe()
        assert [row["version"] for row in welcome.instruments] == [2] and welcome.instruments[0]["tick"] == "0.01"
        tell(engine, *whole(10_000))
        engine.hear(words.Market, lambda one: one.markets[0].bids)
    canceled = engine.outputs()[engine.outputs()["kind"] == OutputKind.ORDER_CANCELED]
    assert set(canceled["reason"].tolist()) == {Reason.INSTRUMENT_CHANGED}
    assert (
        OutputKind.ORDER_SUBMITTED
        in of(engine.ask(words.SubmitOrder(0, "buy", "limit", "0.010", "90.01"), "fine"))["kind"]
    )
    assert engine.stop() == 0
    verified = paperdesk("replay", "0001-live", "--verify", "--home", engine.home)
    assert verified.code == 0, verified.err


def test_an_engine_waits_for_an_offer_through_doors_that_had_none(engine: Engine) -> None:
    assert engine.door is not None
    engine.door.send(ENCODE(NoOffer("the venue is closed today")))
    offer(engine)
    assert engine.subscribe().label == "LIVE MAINNET DATA"
    assert engine.stop() == 0


def test_an_engine_without_an_offer_ends_and_begins_nothing(engine: Engine) -> None:
    assert engine.process.wait(60) == 74
    assert not list((engine.home / "runs").iterdir())
