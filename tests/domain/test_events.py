"""Records of inputs and outputs: tags that stay, bytes where the log expects them, no field that changes sign."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import pytest

from paperdesk.domain import events
from paperdesk.domain.events import (
    DEFINITION_BYTES,
    DEPTH,
    HEAD,
    HEAD_BYTES,
    INPUT,
    INPUT_BYTES,
    LIST_BYTES,
    ORDER_BYTES,
    OUTPUT,
    PAYLOAD,
    SHORT_BYTES,
    TABLE_BYTES,
    InputKind,
    OutputKind,
    inputs,
    stored_bytes,
)
from paperdesk.domain.instruments import DEFINITION_FIELDS

TAGS: dict[type[IntEnum], dict[str, int]] = {
    events.InputKind: {
        "TIMER": 1,
        "TRADE": 2,
        "QUOTE": 3,
        "BOOK": 4,
        "BAR": 5,
        "MARKET_STATUS": 6,
        "DEFINE_ASSET": 10,
        "DEFINE_INSTRUMENT": 11,
        "BIND_SOURCE": 12,
        "ENGINE_UPGRADED": 13,
        "OPEN_ACCOUNT": 20,
        "DEPOSIT": 21,
        "DECLARE_CONVERSION": 22,
        "REGISTER_BOT": 23,
        "SET_LIMITS": 24,
        "SUBMIT_ORDER": 25,
        "CANCEL_ORDER": 26,
        "CANCEL_ALL": 27,
        "KILL": 28,
        "RESUME": 29,
        "RESET_ACCOUNT": 30,
        "STOP_BOT": 31,
    },
    events.OutputKind: {
        "ACCOUNT_OPENED": 1,
        "POSTING": 2,
        "CONVERSION_DECLARED": 3,
        "BOT_REGISTERED": 4,
        "LIMITS_SET": 5,
        "ORDER_SUBMITTED": 6,
        "ORDER_DENIED": 7,
        "ORDER_ACCEPTED": 8,
        "ORDER_REJECTED": 9,
        "ORDER_TRIGGERED": 10,
        "FILL": 11,
        "ORDER_CANCELED": 12,
        "ORDER_EXPIRED": 13,
        "CANCEL_REQUESTED": 14,
        "CANCEL_REJECTED": 15,
        "EQUITY": 16,
        "KILLED": 17,
        "RESUMED": 18,
        "COMMAND_REFUSED": 19,
        "EVENT_REFUSED": 20,
        "EPOCH_STARTED": 21,
        "INSTRUMENT_CHANGED": 22,
    },
    events.Side: {"UNKNOWN": 0, "BUY": 1, "SELL": 2},
    events.OrderType: {
        "MARKET": 1,
        "LIMIT": 2,
        "STOP_MARKET": 3,
        "STOP_LIMIT": 4,
        "TAKE_PROFIT_MARKET": 5,
        "TAKE_PROFIT_LIMIT": 6,
    },
    events.TimeInForce: {"GTC": 1, "IOC": 2, "FOK": 3, "GTD": 4},
    events.Liquidity: {"MAKER": 1, "TAKER": 2},
    events.Evidence: {"NONE": 0, "BARS": 1, "TAPE": 2, "BOOK": 3},
    events.FillRule: {
        "BOOK_WALK": 1,
        "TRADE_THROUGH": 2,
        "QUEUE": 3,
        "BOOK_CROSS": 4,
        "BAR_OPEN": 5,
        "BAR_THROUGH": 6,
        "BAR_STOP": 7,
        "TAPE_TAKE": 8,
    },
    events.MarketStatus: {"LIVE": 0, "STALE": 1, "GAP": 2},
    events.TradingStatus: {"TRADING": 1, "HALTED": 2, "DELISTED": 3},
}
"""What logs already hold."""


@pytest.mark.parametrize("words", list(TAGS), ids=lambda words: words.__name__)
def test_tags_stay(words: type[IntEnum]) -> None:
    """A number that was once given keeps its meaning."""
    assert {name: int(words[name]) for name in TAGS[words]} == TAGS[words]


@pytest.mark.parametrize("layout", [INPUT, OUTPUT], ids=["input", "output"])
def test_records_hold_aligned_signed_integers_only(layout: np.dtype[np.void]) -> None:
    """No sign mixing (int64 with uint64 turns into float64), no unaligned field, no byte beyond the record."""
    assert layout.fields is not None
    for name, (form, offset, *_) in layout.fields.items():
        assert form.base.kind == "i", name
        assert offset % form.base.itemsize == 0, name
        assert offset + form.itemsize <= layout.itemsize, name


def test_head_and_payload_lie_where_the_log_expects_them() -> None:
    """The struct forms of head and payload read the same bytes as the record's names."""
    row = inputs(1)
    for number, name in enumerate(["kind", "side", "order_type", "time_in_force", "flags", "n_bids", "n_asks"], 1):
        row[name] = number
    for number, name in enumerate(["instrument", "version", "account", "bot", "seq", "ts_event_ns", "ts_seq_ns"], 100):
        row[name] = -number
    row["price_ticks"], row["cause"] = 2**40, -7
    data = row.tobytes()
    head = (1, 2, 3, 4, 5, 6, 7, -100, -101, -102, -103, -104, -105, -106)
    assert HEAD.unpack(data[:HEAD_BYTES]) == head
    assert PAYLOAD.unpack(data[HEAD_BYTES:SHORT_BYTES]) == (2**40, 0, 0, 0, 0, -7, 0, 0)


def test_payloads_of_all_kinds_share_one_place() -> None:
    """Each kind names its payload from the same byte on; book levels fill the whole record."""
    assert INPUT.fields is not None
    for name in ("price_ticks", "trade_price_ticks", "bid_ticks", "bids_ticks", "open_ticks", "status", "base_asset"):
        assert INPUT.fields[name][1] == HEAD_BYTES, name
    assert INPUT_BYTES == HEAD_BYTES + 4 * 8 * DEPTH


def test_a_definition_has_the_order_of_the_instrument_table() -> None:
    """DEFINE_INSTRUMENT's payload and the fold's instrument row name the same fields in the same order."""
    assert INPUT.fields is not None
    places = [INPUT.fields[name][1] for name in DEFINITION_FIELDS]
    assert places == [HEAD_BYTES + 8 * number for number in range(len(DEFINITION_FIELDS))]
    assert HEAD_BYTES + 8 * len(DEFINITION_FIELDS) == DEFINITION_BYTES


@pytest.mark.parametrize("kind", list(InputKind), ids=lambda kind: kind.name.lower())
def test_the_log_keeps_every_byte_that_means_something(kind: InputKind) -> None:
    """What a kind's payload can hold lies within the bytes that are stored for it."""
    expected = {InputKind.BOOK: INPUT_BYTES, InputKind.DEFINE_INSTRUMENT: DEFINITION_BYTES}
    expected |= {InputKind.SUBMIT_ORDER: ORDER_BYTES, InputKind.SUBMIT_LIST: LIST_BYTES}
    expected |= dict.fromkeys((InputKind.SET_LATENCIES, InputKind.SET_FEE_TIERS), TABLE_BYTES)
    assert stored_bytes(kind) == expected.get(kind, SHORT_BYTES)
    assert HEAD_BYTES < stored_bytes(kind) <= INPUT_BYTES


def test_kinds_of_outputs_and_inputs_are_short_numbers() -> None:
    """The kind field is 16 bits wide."""
    assert max(*InputKind, *OutputKind) < 2**15
    assert INPUT["kind"] == OUTPUT["kind"] == np.dtype("i2")


def test_a_block_of_inputs_starts_empty() -> None:
    """A new block is zero throughout."""
    block = inputs(3)
    assert block.shape == (3,) and block.dtype == INPUT
    assert not any(block.tobytes())
