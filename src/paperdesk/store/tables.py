"""The projections' tables as SQLAlchemy sees them, for whoever reads them or writes into them.

The schema itself, with its checks and triggers, is in `migrations`; a test holds that both name the same columns. Units
are integers and authoritative; the texts beside them (price, quantity, amount …) are the same numbers as exact decimals
for people, NULL where the run's notes did not name the asset or instrument.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata: Final = MetaData()

LIMITS: Final = (
    "max_order_units max_position_units max_exposure_units max_daily_loss_units max_drawdown_units cooldown_ns"
)


def _table(name: str, columns: str) -> Table:
    """Columns by name in the schema's order; `:t` is text, `!` belongs to the key, `?` may be NULL."""
    made = []
    for word in columns.split():
        column, _, kind = word.rstrip("?!").partition(":")
        nullable, key = word.endswith("?"), word.endswith("!")
        made.append(Column(column, Text() if kind == "t" else BigInteger(), nullable=nullable, primary_key=key))
    return Table(name, metadata, *made)


runs: Final = _table("runs", "run:t! mode:t manifest:t killed applied_seq applied_outputs")
assets: Final = _table("assets", "run:t! number! name:t scale")
instruments: Final = _table(
    "instruments",
    "run:t! number! version! symbol:t venue:t base:t quote:t tick:t lot:t origin:t definition:t",
)
data_notes: Final = _table("data_notes", "run:t! text:t!")
feed_refusals: Final = _table("feed_refusals", "run:t! symbol:t! reason_code! reason:t count")
accounts: Final = _table(
    "accounts",
    "run:t! account! mode:t opened_seq opened_ns reporting_asset latency_ns equity_every_ns epoch source killed "
    + LIMITS
    + " fill_model:t",
)
epochs: Final = _table("epochs", "run:t! account! epoch! mode:t source started_seq started_ns")
conversions: Final = _table("conversions", "run:t! account! asset! instrument inverse")
bots: Final = _table(
    "bots",
    "run:t! account! bot! mode:t name:t? registered_seq killed stopped stop_text:t? " + LIMITS,
)
orders: Final = _table(
    "orders",
    "run:t! account! order_id! id:t mode:t epoch bot instrument version symbol:t? side:t order_type:t time_in_force:t "
    "post_only reduce_only self_trade:t client_id cause price_ticks trigger_ticks qty_lots price:t? trigger_price:t? quantity:t? submitted_seq "
    "submitted_ns arrive_ns expire_ns budget_units trail_bips visible_lots list_id list_leg status:t now_lots filled_lots fills quote_units fee_units "
    "reserved_units placed_seq activated_seq activated_ticks triggered_seq triggered_ticks peak_ticks cancel_at_ns amend_at_ns amend_lots met_order "
    "reason_code reason:t? updated_seq updated_ns",
)
fills: Final = _table(
    "fills",
    "run:t! account! fill_id! mode:t order_id seq number ts_seq_ns epoch bot instrument version symbol:t? side:t "
    "liquidity:t price_ticks qty_lots quote_asset quote_units fee_asset fee_units realized_units price:t? quantity:t? "
    "quote_amount:t? fee:t? realized:t?",
)
receipts: Final = _table(
    "receipts",
    "run:t! account! fill_id! mode:t order_id seq rule:t evidence_ticks shown_lots front_before_lots front_after_lots "
    "fee_rate_e8 fee_tier volume_units latency_ns waited_ns",
)
decreases: Final = _table(
    "decreases",
    "run:t! seq! number! mode:t ts_seq_ns account order_id from_lots to_lots met_order reason_code reason:t?",
)
postings: Final = _table(
    "postings",
    "run:t! seq! number! mode:t ts_seq_ns account epoch bot order_id asset purpose:t source_bucket:t target_bucket:t "
    "amount_units amount:t?",
)
balances: Final = _table(
    "balances",
    "run:t! account! asset! mode:t free_units reserved_units venue_units fees_units capital_units free:t? reserved:t?",
)
positions: Final = _table(
    "positions", "run:t! account! epoch! bot! instrument! qty_units cost_units realized_units fills"
)
equity: Final = _table(
    "equity",
    "run:t! account! seq! number! mode:t ts_seq_ns epoch asset partial equity_units exposure_units peak_units "
    "day_start_units opening_units equity:t?",
)
refusals: Final = _table(
    "refusals", "run:t! seq! number! ts_seq_ns what:t account bot instrument order_id reason_code reason:t"
)

signals: Final = _table(
    "signals",
    "run:t! account! signal! mode:t seq ts_seq_ns epoch bot instrument version wanted_units held_units seen_ticks client_id "
    "reason_code reason:t? cause",
)


def columns(table: Table) -> list[str]:
    """Names of a table's columns, in order."""
    return [column.name for column in table.columns]


def key(table: Table) -> list[str]:
    """Names of the columns of a table's key, in order."""
    return [column.name for column in table.primary_key.columns]


def insert_sql(table: Table) -> str:
    """INSERT of one row, with ? for each column in order."""
    return f"INSERT INTO {table.name} ({', '.join(columns(table))}) VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608


def update_sql(table: Table, changing: list[str]) -> str:
    """UPDATE of the row with a key: ? for each changing column in order, then ? for each column of the key."""
    changes = ", ".join(f"{name} = ?" for name in changing)
    return f"UPDATE {table.name} SET {changes} WHERE {' AND '.join(f'{name} = ?' for name in key(table))}"  # noqa: S608


def upsert_sql(table: Table, changing: list[str]) -> str:
    """INSERT of one row that overwrites the changing columns where the key is there already."""
    if not changing:
        return f"{insert_sql(table)} ON CONFLICT DO NOTHING"
    changes = ", ".join(f"{name} = excluded.{name}" for name in changing)
    return f"{insert_sql(table)} ON CONFLICT ({', '.join(key(table))}) DO UPDATE SET {changes}"
