"""The layout of the order table: one row a live order."""

from typing import Final

from paperdesk.domain.kernel import record

MAX_ORDERS: Final = 262_144

ORDER: Final = record(
    [
        ("id", "i8"),
        ("account", "i4"),
        ("bot", "i4"),
        ("instrument", "i4"),
        ("version", "i4"),
        ("side", "i1"),
        ("order_type", "i1"),
        ("time_in_force", "i1"),
        ("post_only", "i1"),
        ("status", "i1"),
        ("place", "i1"),
        ("triggered", "i1"),
        ("rested", "i1"),
        ("price_ticks", "i8"),
        ("trigger_ticks", "i8"),
        ("qty_lots", "i8"),
        ("filled_lots", "i8"),
        ("value", "i8"),
        ("most_lots", "i8"),
        ("least_lots", "i8"),
        ("level_lots", "i8"),
        ("seen_picture", "i8"),
        ("rank", "i8"),
        ("reserved_units", "i8"),
        ("submitted_ns", "i8"),
        ("arrive_ns", "i8"),
        ("cancel_at_ns", "i8"),
        ("amend_at_ns", "i8"),
        ("amend_lots", "i8"),
        ("client_id", "i8"),
        ("expire_ns", "i8"),
        ("reduce_only", "i8"),
        ("self_trade", "i8"),
        ("budget_units", "i8"),
        ("list_id", "i8"),
        ("list_leg", "i8"),
        ("activated_ns", "i8"),
        ("brought_units", "i8"),
        ("trail_bips", "i8"),
        ("peak_ticks", "i8"),
        ("fired_ticks", "i8"),
        ("visible_lots", "i8"),
        ("taken_lots", "i8"),
        ("part_due", "i8"),
        ("next", "i4"),
        ("previous", "i4"),
        ("most_key", "i8"),
        ("least_key", "i8"),
        ("level", "i4"),
        ("ahead", "i4"),
        ("behind", "i4"),
        ("bound_ahead", "i4"),
        ("bound_behind", "i4"),
        ("is_bound", "i4"),
    ]
)
"""`value` is Σ ticks·lots of its fills; `next`/`previous` chain an account's rows by id (row number + 1, 0 at the ends). What it knows of its
place in a queue is `most_lots` … `level_lots` where it is stored, and `most_key` … `is_bound` while it rests (`venue/levels.py`). `list_id` …
`brought_units`: `venue/lists.py`. `taken_lots`: what an iceberg had filled when it last was a taker (`venue/iceberg.py`). `fired_ticks`, `part_due`:
scratch within an event.
"""
