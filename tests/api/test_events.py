"""Each kind of output and note as a sentence and as fields."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.engine import rows_of

from paperdesk.api.directory import Directory
from paperdesk.api.events import SENTENCES, SILENT, event_of, note_event
from paperdesk.api.told import iso, refusal
from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.store.reading import OUTPUT_ROW

ORDER = {"account": 0, "bot": 1, "order_id": 12, "seq": 7, "number": 2, "ts_seq_ns": 1_700_000_000_123_456_789, "version": 1, "side": 1,
         "order_type": 2, "time_in_force": 1}  # fmt: skip


def names() -> Directory:
    made = Directory()
    grid = {
        "number": 0,
        "version": 1,
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "tick": "0.1",
        "lot": "0.00001",
    }
    assets = [{"number": 0, "name": "BTC", "scale": 8}, {"number": 1, "name": "USDT", "scale": 8}]
    made.take(assets, [grid], [{"bot": 1, "name": "quoter-1"}])
    return made


def event(kind: OutputKind, **fields: int) -> Any:
    (row,) = OUTPUT_ROW.iter_unpack(rows_of({**ORDER, "kind": int(kind), **fields}))
    return event_of(row, names())


@pytest.mark.parametrize(
    ("kind", "fields", "severity", "text"),
    [
        (OutputKind.ORDER_SUBMITTED, {"price_ticks": 599_000, "qty_lots": 100, "flags": 1}, "info",
         "PAPER-0-12 of quoter-1: buy 0.00100 BTC/USDT, limit at 59900.0 (gtc, post-only), is on its way."),
        (OutputKind.ORDER_DENIED, {"order_type": 3, "time_in_force": 2, "trigger_ticks": 5, "reason": int(Reason.INVALID_NUMBER), "bot": 0}, "warning",
         "PAPER-0-12 of the owner: buy BTC/USDT, stop-market, trigger 0.5 (ioc), was denied: a price or quantity was not a finite number "
         "(invalid_number)."),
        (OutputKind.ORDER_SUBMITTED, {"order_type": 1, "time_in_force": 2, "qty_lots": 175, "budget_units": 10_000_000_000}, "info",
         "PAPER-0-12 of quoter-1: buy BTC/USDT for at most 100.00000000 USDT, market (ioc), is on its way."),
        (OutputKind.ORDER_ACCEPTED, {}, "info", "PAPER-0-12 is working at the venue."),
        (OutputKind.ORDER_TRIGGERED, {}, "info", "PAPER-0-12 was triggered."),
        (OutputKind.ORDER_TRIGGERED, {"last_ticks": 5, "reached_ticks": 5}, "info", "PAPER-0-12 was triggered at 0.5."),
        (OutputKind.ORDER_ACTIVATED, {"last_ticks": 600_000, "peak_ticks": 600_000}, "info", "PAPER-0-12 follows the price from 60000.0 on."),
        (OutputKind.ORDER_TRIGGERED, {"side": 2, "last_ticks": 590_000, "peak_ticks": 600_000}, "info",
         "PAPER-0-12 was triggered at 59000.0, after 60000.0 at its highest."),
        (OutputKind.ORDER_SUBMITTED, {"side": 2, "order_type": 3, "time_in_force": 2, "trail_bips": 150, "qty_lots": 100}, "info",
         "PAPER-0-12 of quoter-1: sell 0.00100 BTC/USDT, stop-market, trailing by 1.5 % (ioc), is on its way."),
        (OutputKind.ORDER_SUBMITTED, {"side": 1, "order_type": 2, "time_in_force": 1, "price_ticks": 599_000, "qty_lots": 100, "visible_lots": 20}, "info",
         "PAPER-0-12 of quoter-1: buy 0.00100 BTC/USDT, limit at 59900.0, 0.00020 of it shown at a time (gtc), is on its way."),
        (OutputKind.FILL, {"side": 2, "liquidity": 2, "fill_price_ticks": 600_000, "fill_lots": 50, "asset": 1, "fee_asset": 1, "fill_id": 3,
                           "quote_units": 3_000_000_000, "fee_units": 3_000_000, "realized_units": -5}, "good",
         "PAPER-0-12 sold 0.00050 BTC/USDT at 60000.0 as taker, fee 0.03000000 USDT, realized -0.00000005 USDT."),
        (OutputKind.ORDER_REJECTED, {"reason": int(Reason.MIN_NOTIONAL)}, "warning",
         "PAPER-0-12 was rejected by the venue: the order is worth less than the venue's minimum (min_notional)."),
        (OutputKind.ORDER_CANCELED, {"reason": int(Reason.USER_CANCELED)}, "info", "PAPER-0-12 was canceled: canceled on request (user_canceled)."),
        (OutputKind.ORDER_EXPIRED, {"reason": int(Reason.NO_LIQUIDITY)}, "info",
         "PAPER-0-12 expired: the visible book held no more within reach of a market order (no_liquidity)."),
        (OutputKind.CANCEL_REQUESTED, {}, "info", "PAPER-0-12 is to be canceled: the cancel is on its way."),
        (OutputKind.CANCEL_REJECTED, {"reason": int(Reason.CANCEL_PENDING)}, "warning",
         "The cancel of PAPER-0-12 was refused: a cancel for this order is already on its way (cancel_pending)."),
        (OutputKind.KILLED, {"account": -1, "bot": -1, "order_id": 0}, "warning", "The kill switch of the desk is on."),
        (OutputKind.KILLED, {"bot": -1, "order_id": 0}, "warning", "The kill switch of the account is on."),
        (OutputKind.KILLED, {"order_id": 0, "reason": int(Reason.BOT_STOPPED)}, "error",
         "quoter-1 was stopped: the bot was stopped after an error or a timeout (bot_stopped)."),
        (OutputKind.RESUMED, {"order_id": 0}, "info", "The kill switch of quoter-1 is off."),
        (OutputKind.COMMAND_REFUSED, {"order_id": 0, "reason": int(Reason.UNKNOWN_BOT), "cause": int(InputKind.SUBMIT_ORDER)}, "warning",
         "A command (submit order) was refused: the bot is not registered in this account (unknown_bot)."),
        (OutputKind.EVENT_REFUSED, {"order_id": 0, "reason": int(Reason.BAD_EVENT), "cause": int(InputKind.QUOTE)}, "warning",
         "A market event (quote) of BTC/USDT was not used: a market event makes no sense (price or size not above zero, crossed, low above "
         "high) (bad_event)."),
        (OutputKind.ACCOUNT_OPENED, {"asset": 1, "order_id": 0}, "info", "Account 0 was opened in USDT."),
        (OutputKind.LATENCY_SET, {"order_id": 0}, "info", "The latencies of account 0 were set."),
        (OutputKind.FEE_TIERS_SET, {"order_id": 0}, "info", "The fee tiers of account 0 were set."),
        (OutputKind.SIGNAL_STATED, {"order_id": 0, "signal_id": 3, "wanted_units": 50_000_000, "client_id": 7}, "info",
         "SIGNAL-0-3 of quoter-1: wants to hold 0.50000000 BTC where it holds 0.00000000; an order follows."),
        (OutputKind.SIGNAL_STATED, {"order_id": 0, "signal_id": 4, "reason": int(Reason.TARGET_REACHED)}, "info",
         "SIGNAL-0-4 of quoter-1: wants to hold 0.00000000 BTC where it holds 0.00000000; no order follows: the bot already held what it "
         "wanted to hold (target_reached)."),
        (OutputKind.CONVERSION_DECLARED, {"order_id": 0}, "info", "BTC is valued through BTC/USDT."),
        (OutputKind.BOT_REGISTERED, {"order_id": 0}, "info", "quoter-1 may trade."),
        (OutputKind.LIMITS_SET, {"order_id": 0, "bot": 0}, "info", "The limits of the account were set."),
        (OutputKind.EPOCH_STARTED, {"order_id": 0, "epoch": 2}, "info", "Account 0 began epoch 2."),
        (OutputKind.INSTRUMENT_CHANGED, {"order_id": 0, "version": 3}, "info", "BTC/USDT is defined, version 3."),
    ],
)  # fmt: skip
def test_outputs_as_sentences(kind: OutputKind, fields: dict[str, int], severity: str, text: str) -> None:
    told = event(kind, **fields)
    assert told.text == text and told.severity == severity and told.kind == kind.name.lower() and told.id == "7.2"
    assert told.time == "2023-11-14T22:13:20.123Z" and told.ts_ns == "1700000000123456789"
    assert told.order == ("PAPER-0-12" if fields.get("order_id", 12) else None)
    assert told.signal == (f"SIGNAL-0-{fields['signal_id']}" if "signal_id" in fields else None)
    assert (told.refusal.code if told.refusal else 0) == fields.get("reason", 0)
    assert (told.fill is not None) == (kind == OutputKind.FILL)
    assert (told.terms is not None) == (kind in (OutputKind.ORDER_SUBMITTED, OutputKind.ORDER_DENIED))


def test_every_kind_has_a_sentence() -> None:
    assert set(SENTENCES) | SILENT == {int(kind) for kind in OutputKind} and not set(SENTENCES) & SILENT


def test_what_nobody_told_of_is_not_made_up() -> None:
    told = event(OutputKind.ORDER_SUBMITTED, version=9, price_ticks=5, qty_lots=3, bot=8)
    assert "3 lots" in told.text and "5 ticks" in told.text and "bot 8" in told.text
    unknown = refusal(999)
    assert unknown is not None and unknown.name == "999" and "does not know" in unknown.meaning
    assert iso(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("note", "severity", "text"),
    [
        ({"type": "bot_stopped", "bot": 1, "account": 0, "name": "quoter-1", "text": ""}, "error", "quoter-1 was stopped: it said nothing"),
        ({"type": "market", "instrument": 0, "status": 0, "reason": 0}, "good", "Market data of BTC/USDT: live."),
        ({"type": "market", "instrument": 0, "status": 2, "reason": 84}, "warning",
         "Market data of BTC/USDT: gap: the venue's sequence numbers have a hole (sequence_gap)."),
        ({"type": "resumed", "seq": 5}, "info", "The desk goes on after a restart."),
        ({"type": "data_note", "text": "its prices are invented"}, "info", "its prices are invented"),
        ({"type": "something_new"}, "info", "something new."),
    ],
)  # fmt: skip
def test_notes_as_sentences(note: dict[str, Any], severity: str, text: str) -> None:
    told = note_event(9, 1_000_000, note, names(), 5_000_000)
    assert (told.text, told.severity, told.kind, told.note) == (text, severity, note["type"], note)
    assert told.id == "9.1000000" and told.ts_ns == "5000000"
