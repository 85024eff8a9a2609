"""The whole state of the fold, as one preallocated record.

`new_state()` costs nothing until rows are touched: the operating system hands out zeroed pages on first use. Rows that are zero are
free. What is derived (places, scratch, outbox) is listed in `engine/serial.py` and is never hashed or stored.
"""

from typing import Any, Final

import numpy as np

from paperdesk.domain.events import FEE_TIERS, INPUT, LATENCY_POINTS, OUTPUT
from paperdesk.domain.instruments import INSTRUMENT
from paperdesk.domain.kernel import record
from paperdesk.domain.outbox import OUTBOX_ROWS
from paperdesk.ledger.journal import BUCKETS, POSITION
from paperdesk.venue.book import MARKET, MAX_USED, USED
from paperdesk.venue.fees import VOLUME_DAYS
from paperdesk.venue.levels import LEVEL
from paperdesk.venue.table import MAX_ORDERS, ORDER
from paperdesk.venue.trailing import QUEUES

ENGINE_VERSION: Final = 1
"""Raised with every change that alters what the fold does; a changed golden hash needs it."""

MAX_ASSETS: Final = 64
MAX_INSTRUMENTS: Final = 64
MAX_ACCOUNTS: Final = 16_384
MAX_BOTS: Final = 16_384

LIMITS: Final = record(
    [
        ("max_order_units", "i8"),
        ("max_position_units", "i8"),
        ("max_exposure_units", "i8"),
        ("max_daily_loss_units", "i8"),
        ("max_drawdown_units", "i8"),
        ("cooldown_ns", "i8"),
    ]
)
"""Risk limits in the reporting asset; 0 is no limit."""

ACCOUNT: Final = record(
    [
        ("opened", "i8"),
        ("epoch", "i8"),
        ("source", "i8"),
        ("reporting", "i8"),
        ("latency_ns", "i8"),
        ("equity_every_ns", "i8"),
        ("fill_model", "i8"),
        ("self_trade", "i8"),
        ("n_latencies", "i8"),
        ("latency_seed", "i8"),
        ("n_tiers", "i8"),
        ("volume_day", "i8"),
        ("killed", "i8"),
        ("next_order", "i8"),
        ("next_fill", "i8"),
        ("next_signal", "i8"),
        ("next_rank", "i8"),
        ("epoch_orders", "i8"),
        ("valued", "i8"),
        ("equity_units", "i8"),
        ("peak_units", "i8"),
        ("day_start_units", "i8"),
        ("opening_units", "i8"),
        ("cooldown_until_ns", "i8"),
        ("touched", "i8"),
        ("limits", LIMITS),
        ("first_order", "i4"),
        ("last_order", "i4"),
        ("first_bot", "i8"),
    ]
)

BOT: Final = record(
    [
        ("registered", "i8"),
        ("account", "i8"),
        ("killed", "i8"),
        ("stopped", "i8"),
        ("valued", "i8"),
        ("pnl_units", "i8"),
        ("peak_units", "i8"),
        ("day_start_units", "i8"),
        ("cooldown_until_ns", "i8"),
        ("limits", LIMITS),
        ("next_bot", "i8"),
    ]
)
"""`next_bot` (and an account's `first_bot`) chains the bots of an account by number, 0 at the end."""

TIER: Final = record([("volume_units", "i8"), ("maker_e8", "i8"), ("taker_e8", "i8")])

CONVERSION: Final = record([("declared", "i8"), ("instrument", "i8"), ("inverse", "i8")])

STATE: Final = record(
    [
        ("seq", "i8"),
        ("ts_seq_ns", "i8"),
        ("source", "i8"),
        ("killed", "i8"),
        ("n_assets", "i8"),
        ("n_instruments", "i8"),
        ("n_accounts", "i8"),
        ("n_bots", "i8"),
        ("n_outputs", "i8"),
        ("n_inbox", "i8"),
        ("n_used_rows", "i8"),
        ("n_free_rows", "i8"),
        ("n_used_levels", "i8"),
        ("n_free_levels", "i8"),
        ("cursor", "i8"),
        ("n_touched", "i8"),
        ("n_used_books", "i8"),
        ("inbox_at", "i8"),
        ("next_tick_ns", "i8"),
        ("before_ns", "i8"),
        ("n_ready", "i8"),
        ("activated_ns", "i8"),
        ("n_trailing", "i8"),
        ("n_parts", "i8"),
        ("scales", "i8", (MAX_ASSETS,)),
        ("instruments", INSTRUMENT, (MAX_INSTRUMENTS,)),
        ("markets", MARKET, (MAX_INSTRUMENTS,)),
        ("accounts", ACCOUNT, (MAX_ACCOUNTS,)),
        ("bots", BOT, (MAX_BOTS,)),
        ("balances", "i8", (MAX_ACCOUNTS, MAX_ASSETS, BUCKETS)),
        ("conversions", CONVERSION, (MAX_ACCOUNTS, MAX_ASSETS)),
        ("latencies", "i8", (MAX_ACCOUNTS, LATENCY_POINTS)),
        ("tiers", TIER, (MAX_ACCOUNTS, FEE_TIERS)),
        ("volumes", "i8", (MAX_ACCOUNTS, VOLUME_DAYS)),
        ("account_positions", POSITION, (MAX_ACCOUNTS, MAX_INSTRUMENTS)),
        ("bot_positions", POSITION, (MAX_BOTS, MAX_INSTRUMENTS)),
        ("used_at", "i4", (MAX_ACCOUNTS, MAX_INSTRUMENTS)),
        ("used", USED, (MAX_USED,)),
        ("touched", "i4", (MAX_ACCOUNTS,)),
        ("orders", ORDER, (MAX_ORDERS,)),
        ("nobody", ORDER),
        ("share_seq", "i8", (MAX_ACCOUNTS,)),
        ("share_lots", "i8", (MAX_ACCOUNTS,)),
        ("n_held", "i8", (MAX_INSTRUMENTS,)),
        ("n_levels", "i8", (MAX_INSTRUMENTS, 2)),
        ("n_stops", "i8", (MAX_INSTRUMENTS, QUEUES)),
        ("nearest_peak", "i8", (MAX_INSTRUMENTS, 2)),
        ("free_rows", "i4", (MAX_ORDERS,)),
        ("inbox", "i4", (4 * MAX_ORDERS,)),
        ("held", "i4", (MAX_INSTRUMENTS, MAX_ORDERS + 1)),
        ("levels", LEVEL, (MAX_ORDERS,)),
        ("free_levels", "i4", (MAX_ORDERS,)),
        ("parts", "i4", (MAX_ORDERS,)),
        ("level_at", "i4", (MAX_INSTRUMENTS, 2, MAX_ORDERS)),
        ("stops", "i4", (MAX_INSTRUMENTS, QUEUES, MAX_ORDERS + 2)),
        ("ready", "i4", (MAX_ORDERS,)),
        ("leg", INPUT),
        ("outbox", OUTPUT, (OUTBOX_ROWS,)),
    ]
)
"""`n_assets`, `n_instruments`, `n_accounts`, `n_bots` are one more than the highest number in use."""


def new_state() -> np.ndarray[Any, Any]:
    """An empty desk, shape (1,) of STATE."""
    return np.zeros(1, STATE)
