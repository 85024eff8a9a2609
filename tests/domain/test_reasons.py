"""The registry of reasons: every "no" has a code that stays, a meaning and a remedy."""

from __future__ import annotations

import pytest

from paperdesk.domain.reasons import TEXTS, Reason, explain

CODES = {
    "NONE": 0,
    "INVALID_NUMBER": 1,
    "PRICE_OFF_GRID": 2,
    "QUANTITY_OFF_GRID": 3,
    "INVALID_QUANTITY": 4,
    "INVALID_PRICE": 5,
    "INVALID_TRIGGER": 6,
    "UNSUPPORTED_COMBINATION": 7,
    "UNKNOWN_ACCOUNT": 8,
    "UNKNOWN_BOT": 9,
    "UNKNOWN_INSTRUMENT": 10,
    "UNKNOWN_ORDER": 11,
    "ORDER_DONE": 12,
    "ACCOUNT_EXISTS": 13,
    "BOT_EXISTS": 14,
    "INVALID_AMOUNT": 15,
    "UNKNOWN_ASSET": 16,
    "CAPACITY_EXCEEDED": 17,
    "CANCEL_PENDING": 18,
    "ACCOUNT_IN_USE": 19,
    "WRONG_SOURCE": 20,
    "STALE_DATA": 21,
    "KILLED": 22,
    "NOTIONAL_TOO_LARGE": 23,
    "MAX_ORDER": 24,
    "EQUITY_PARTIAL": 25,
    "COOLDOWN": 26,
    "DAILY_LOSS": 27,
    "DRAWDOWN": 28,
    "MAX_POSITION": 29,
    "MAX_EXPOSURE": 30,
    "INSUFFICIENT_BALANCE": 31,
    "NO_MARKET_DATA": 32,
    "BOT_STOPPED": 33,
    "INSTRUMENT_HALTED": 40,
    "PRICE_FILTER": 41,
    "LOT_SIZE": 42,
    "MARKET_LOT_SIZE": 43,
    "MIN_NOTIONAL": 44,
    "STOP_WOULD_TRIGGER": 45,
    "POST_ONLY_WOULD_TAKE": 46,
    "PERCENT_PRICE_BY_SIDE": 47,
    "MAX_NOTIONAL": 48,
    "MAX_NUM_ORDERS": 49,
    "MAX_NUM_ALGO_ORDERS": 50,
    "USER_CANCELED": 60,
    "KILL_SWITCH": 61,
    "IOC_REMAINDER": 62,
    "FOK_NOT_FILLED": 63,
    "NO_LIQUIDITY": 64,
    "INSTRUMENT_CHANGED": 65,
    "DELISTED": 66,
    "EPOCH_ENDED": 67,
    "FUNDS_EXHAUSTED": 68,
    "BAD_EVENT": 80,
    "TIME_BACKWARDS": 81,
    "OFF_GRID": 82,
    "CORRUPT_LINE": 83,
    "SEQUENCE_GAP": 84,
    "UNKNOWN_SYMBOL": 85,
    "DUPLICATE": 86,
    "NOT_ON_THE_LIST": 100,
    "BAD_ADDRESS": 101,
    "CREDENTIAL_GIVEN": 102,
    "FRAME_REFUSED": 103,
    "REDIRECTED": 104,
    "REGION_REFUSED": 105,
    "RATE_LIMITED": 106,
    "VENUE_BANNED_US": 107,
    "NAME_NOT_FOUND": 108,
    "TLS_FAILED": 109,
    "PROXY_FAILED": 110,
    "TIMED_OUT": 111,
    "CONNECTION_LOST": 112,
    "NOT_JSON": 113,
    "ANSWER_TOO_LARGE": 114,
    "VENUE_ERROR": 115,
}
"""What logs already hold: a code may be added, never changed or given to something else."""


def test_codes_stay() -> None:
    """Every code that was ever given still means the same."""
    assert {name: int(Reason[name]) for name in CODES} == CODES


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name.lower())
def test_every_reason_says_what_and_what_next(reason: Reason) -> None:
    """Meaning and remedy are there, as one line, and `explain` tells both."""
    text = TEXTS[reason]
    assert text.meaning and text.remedy
    assert "\n" not in text.meaning + text.remedy
    assert explain(reason) == f"{reason.name.lower()}: {text.meaning}; {text.remedy}"


def test_no_text_without_a_reason() -> None:
    """The texts are those of the registry, no more."""
    assert set(TEXTS) == set(Reason)


def test_an_unknown_code_is_said_to_be_unknown() -> None:
    """A newer log may hold codes of a newer version."""
    assert explain(19_999) == "reason 19999: not known to this version"
