"""The projections' first schema.

Three kinds of tables: what only grows (fills, receipts, decreases, postings, equity, refusals, signals, epochs), what moves within bounds
(orders, accounts, bots, balances, positions, runs), and names for people (assets, instruments, feed_refusals,
data_notes). Whoever writes a row of money must write mode 'PAPER': nothing else passes the CHECK, and no row of what
only grows can be changed, replaced or deleted, without changing this schema, which `paperdesk db check` sees.
"""

from alembic import op

revision = "0001"
down_revision = None

PAPER = "mode TEXT NOT NULL CHECK (mode = 'PAPER')"
ACCOUNT = "FOREIGN KEY (run, account) REFERENCES accounts (run, account)"
ORDER = "FOREIGN KEY (run, account, order_id) REFERENCES orders (run, account, order_id)"
LIMITS = """max_order_units {int} NOT NULL, max_position_units {int} NOT NULL, max_exposure_units {int} NOT NULL,
  max_daily_loss_units {int} NOT NULL, max_drawdown_units {int} NOT NULL, cooldown_ns {int} NOT NULL"""

TABLES = {
    "runs": f"""run TEXT NOT NULL PRIMARY KEY, {PAPER}, manifest TEXT NOT NULL,
  killed {{int}} NOT NULL CHECK (killed IN (0, 1)), applied_seq {{int}} NOT NULL, applied_outputs {{int}} NOT NULL""",
    "assets": """run TEXT NOT NULL REFERENCES runs (run), number {int} NOT NULL, name TEXT NOT NULL,
  scale {int} NOT NULL CHECK (scale BETWEEN 0 AND 12), PRIMARY KEY (run, number)""",
    "instruments": """run TEXT NOT NULL REFERENCES runs (run), number {int} NOT NULL, version {int} NOT NULL,
  symbol TEXT NOT NULL, venue TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, tick TEXT NOT NULL,
  lot TEXT NOT NULL, origin TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (run, number, version)""",
    "data_notes": "run TEXT NOT NULL REFERENCES runs (run), text TEXT NOT NULL, PRIMARY KEY (run, text)",
    "feed_refusals": """run TEXT NOT NULL REFERENCES runs (run), symbol TEXT NOT NULL, reason_code {int} NOT NULL,
  reason TEXT NOT NULL, count {int} NOT NULL CHECK (count >= 0), PRIMARY KEY (run, symbol, reason_code)""",
    "accounts": f"""run TEXT NOT NULL REFERENCES runs (run), account {{int}} NOT NULL, {PAPER},
  opened_seq {{int}} NOT NULL, opened_ns {{int}} NOT NULL, reporting_asset {{int}} NOT NULL,
  latency_ns {{int}} NOT NULL, equity_every_ns {{int}} NOT NULL, epoch {{int}} NOT NULL, source {{int}} NOT NULL,
  killed {{int}} NOT NULL,
  {LIMITS},
  fill_model TEXT NOT NULL CHECK (fill_model IN ('optimistic', 'expected', 'pessimistic')), PRIMARY KEY (run, account)""",
    "epochs": f"""run TEXT NOT NULL, account {{int}} NOT NULL, epoch {{int}} NOT NULL, {PAPER},
  source {{int}} NOT NULL, started_seq {{int}} NOT NULL, started_ns {{int}} NOT NULL,
  PRIMARY KEY (run, account, epoch), {ACCOUNT}""",
    "conversions": f"""run TEXT NOT NULL, account {{int}} NOT NULL, asset {{int}} NOT NULL,
  instrument {{int}} NOT NULL, inverse {{int}} NOT NULL, PRIMARY KEY (run, account, asset), {ACCOUNT}""",
    "bots": f"""run TEXT NOT NULL REFERENCES runs (run), account {{int}} NOT NULL, bot {{int}} NOT NULL, {PAPER},
  name TEXT, registered_seq {{int}} NOT NULL, killed {{int}} NOT NULL, stopped {{int}} NOT NULL, stop_text TEXT,
  {LIMITS}, PRIMARY KEY (run, account, bot)""",
    "orders": f"""run TEXT NOT NULL, account {{int}} NOT NULL, order_id {{int}} NOT NULL CHECK (order_id > 0),
  id TEXT NOT NULL CHECK (id = 'PAPER-' || account || '-' || order_id), {PAPER},
  epoch {{int}} NOT NULL, bot {{int}} NOT NULL, instrument {{int}} NOT NULL, version {{int}} NOT NULL, symbol TEXT,
  side TEXT NOT NULL, order_type TEXT NOT NULL, time_in_force TEXT NOT NULL, post_only {{int}} NOT NULL,
  reduce_only {{int}} NOT NULL, self_trade TEXT NOT NULL,
  client_id {{int}} NOT NULL, cause {{int}} NOT NULL, price_ticks {{int}} NOT NULL, trigger_ticks {{int}} NOT NULL,
  qty_lots {{int}} NOT NULL, price TEXT, trigger_price TEXT, quantity TEXT, submitted_seq {{int}} NOT NULL,
  submitted_ns {{int}} NOT NULL, arrive_ns {{int}} NOT NULL, expire_ns {{int}} NOT NULL,
  budget_units {{int}} NOT NULL, trail_bips {{int}} NOT NULL, visible_lots {{int}} NOT NULL, list_id {{int}} NOT NULL, list_leg {{int}} NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('denied', 'submitted', 'accepted', 'partially_filled', 'filled', 'canceled',
    'expired', 'rejected')),
  now_lots {{int}} NOT NULL, filled_lots {{int}} NOT NULL, fills {{int}} NOT NULL, quote_units {{int}} NOT NULL, fee_units {{int}} NOT NULL,
  reserved_units {{int}} NOT NULL CHECK (reserved_units >= 0), placed_seq {{int}} NOT NULL, activated_seq {{int}} NOT NULL,
  activated_ticks {{int}} NOT NULL, triggered_seq {{int}} NOT NULL, triggered_ticks {{int}} NOT NULL, peak_ticks {{int}} NOT NULL,
  cancel_at_ns {{int}} NOT NULL, amend_at_ns {{int}} NOT NULL, amend_lots {{int}} NOT NULL,
  met_order {{int}} NOT NULL, reason_code {{int}} NOT NULL, reason TEXT, updated_seq {{int}} NOT NULL,
  updated_ns {{int}} NOT NULL,
  PRIMARY KEY (run, account, order_id), {ACCOUNT},
  CHECK (filled_lots >= 0 AND (filled_lots = 0 OR filled_lots <= now_lots) AND now_lots <= qty_lots),
  CHECK (status <> 'filled' OR filled_lots = now_lots),
  CHECK (status NOT IN ('denied', 'submitted', 'accepted', 'rejected') OR filled_lots = 0)""",
    "fills": f"""run TEXT NOT NULL, account {{int}} NOT NULL, fill_id {{int}} NOT NULL CHECK (fill_id > 0),
  {PAPER}, order_id {{int}} NOT NULL, seq {{int}} NOT NULL, number {{int}} NOT NULL, ts_seq_ns {{int}} NOT NULL,
  epoch {{int}} NOT NULL, bot {{int}} NOT NULL, instrument {{int}} NOT NULL, version {{int}} NOT NULL, symbol TEXT,
  side TEXT NOT NULL, liquidity TEXT NOT NULL, price_ticks {{int}} NOT NULL CHECK (price_ticks > 0),
  qty_lots {{int}} NOT NULL CHECK (qty_lots > 0), quote_asset {{int}} NOT NULL,
  quote_units {{int}} NOT NULL CHECK (quote_units >= 0), fee_asset {{int}} NOT NULL,
  fee_units {{int}} NOT NULL CHECK (fee_units >= 0), realized_units {{int}} NOT NULL,
  price TEXT, quantity TEXT, quote_amount TEXT, fee TEXT, realized TEXT,
  PRIMARY KEY (run, account, fill_id), {ORDER}""",
    "receipts": f"""run TEXT NOT NULL, account {{int}} NOT NULL, fill_id {{int}} NOT NULL, {PAPER},
  order_id {{int}} NOT NULL, seq {{int}} NOT NULL, rule TEXT NOT NULL, evidence_ticks {{int}} NOT NULL,
  shown_lots {{int}} NOT NULL, front_before_lots {{int}} NOT NULL, front_after_lots {{int}} NOT NULL,
  fee_rate_e8 {{int}} NOT NULL, fee_tier {{int}} NOT NULL CHECK (fee_tier >= -1),
  volume_units {{int}} NOT NULL CHECK (volume_units >= 0), latency_ns {{int}} NOT NULL, waited_ns {{int}} NOT NULL,
  PRIMARY KEY (run, account, fill_id),
  FOREIGN KEY (run, account, fill_id) REFERENCES fills (run, account, fill_id)""",
    "decreases": f"""run TEXT NOT NULL, seq {{int}} NOT NULL, number {{int}} NOT NULL, {PAPER},
  ts_seq_ns {{int}} NOT NULL, account {{int}} NOT NULL, order_id {{int}} NOT NULL, from_lots {{int}} NOT NULL,
  to_lots {{int}} NOT NULL CHECK (to_lots > 0 AND to_lots < from_lots), met_order {{int}} NOT NULL,
  reason_code {{int}} NOT NULL, reason TEXT, PRIMARY KEY (run, seq, number), {ORDER}""",
    "postings": f"""run TEXT NOT NULL, seq {{int}} NOT NULL, number {{int}} NOT NULL, {PAPER},
  ts_seq_ns {{int}} NOT NULL, account {{int}} NOT NULL, epoch {{int}} NOT NULL, bot {{int}} NOT NULL,
  order_id {{int}} NOT NULL, asset {{int}} NOT NULL, purpose TEXT NOT NULL, source_bucket TEXT NOT NULL,
  target_bucket TEXT NOT NULL, amount_units {{int}} NOT NULL CHECK (amount_units > 0), amount TEXT,
  PRIMARY KEY (run, seq, number), {ACCOUNT},
  CHECK (source_bucket <> target_bucket AND source_bucket IN ('FREE', 'RESERVED', 'VENUE', 'FEES', 'CAPITAL')
    AND target_bucket IN ('FREE', 'RESERVED', 'VENUE', 'FEES', 'CAPITAL'))""",
    "balances": f"""run TEXT NOT NULL, account {{int}} NOT NULL, asset {{int}} NOT NULL, {PAPER},
  free_units {{int}} NOT NULL CHECK (free_units >= 0), reserved_units {{int}} NOT NULL CHECK (reserved_units >= 0),
  venue_units {{int}} NOT NULL, fees_units {{int}} NOT NULL, capital_units {{int}} NOT NULL, free TEXT, reserved TEXT,
  PRIMARY KEY (run, account, asset), {ACCOUNT},
  CHECK (free_units + reserved_units + venue_units + fees_units + capital_units = 0)""",
    "positions": f"""run TEXT NOT NULL, account {{int}} NOT NULL, epoch {{int}} NOT NULL, bot {{int}} NOT NULL,
  instrument {{int}} NOT NULL, qty_units {{int}} NOT NULL, cost_units {{int}} NOT NULL, realized_units {{int}} NOT NULL,
  fills {{int}} NOT NULL, PRIMARY KEY (run, account, epoch, bot, instrument), {ACCOUNT}""",
    "equity": f"""run TEXT NOT NULL, account {{int}} NOT NULL, seq {{int}} NOT NULL, number {{int}} NOT NULL, {PAPER},
  ts_seq_ns {{int}} NOT NULL, epoch {{int}} NOT NULL, asset {{int}} NOT NULL, partial {{int}} NOT NULL,
  equity_units {{int}} NOT NULL, exposure_units {{int}} NOT NULL, peak_units {{int}} NOT NULL,
  day_start_units {{int}} NOT NULL, opening_units {{int}} NOT NULL, equity TEXT,
  PRIMARY KEY (run, account, seq, number), {ACCOUNT}""",
    "signals": f"""run TEXT NOT NULL, account {{int}} NOT NULL, signal {{int}} NOT NULL CHECK (signal > 0), {PAPER},
  seq {{int}} NOT NULL, ts_seq_ns {{int}} NOT NULL, epoch {{int}} NOT NULL, bot {{int}} NOT NULL,
  instrument {{int}} NOT NULL, version {{int}} NOT NULL, wanted_units {{int}} NOT NULL, held_units {{int}} NOT NULL,
  seen_ticks {{int}} NOT NULL, client_id {{int}} NOT NULL, reason_code {{int}} NOT NULL, reason TEXT,
  cause {{int}} NOT NULL, PRIMARY KEY (run, account, signal), {ACCOUNT},
  CHECK ((client_id = 0) = (reason_code <> 0))""",
    "refusals": """run TEXT NOT NULL REFERENCES runs (run), seq {int} NOT NULL, number {int} NOT NULL,
  ts_seq_ns {int} NOT NULL, what TEXT NOT NULL, account {int} NOT NULL, bot {int} NOT NULL, instrument {int} NOT NULL,
  order_id {int} NOT NULL, reason_code {int} NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (run, seq, number)""",
}

KEYS = {
    "orders": ("run", "account", "order_id"),
    "fills": ("run", "account", "fill_id"),
    "receipts": ("run", "account", "fill_id"),
    "decreases": ("run", "seq", "number"),
    "postings": ("run", "seq", "number"),
    "equity": ("run", "account", "seq", "number"),
    "refusals": ("run", "seq", "number"),
    "epochs": ("run", "account", "epoch"),
    "signals": ("run", "account", "signal"),
}
"""Tables whose rows may not be written twice, not even by INSERT OR REPLACE (which fires no delete trigger)."""

APPEND_ONLY = ("fills", "receipts", "decreases", "postings", "equity", "refusals", "epochs", "signals")
LASTING = ("runs", "accounts", "bots", "orders", "balances", "positions")
"""Tables whose rows change but stay."""

FROZEN = {
    "runs": "run, mode",
    "accounts": "run, account, mode, opened_seq, opened_ns, reporting_asset, fill_model",
    "bots": "run, account, bot, mode",
    "balances": "run, account, asset, mode",
    "positions": "run, account, epoch, bot, instrument",
    "orders": "run, account, order_id, id, mode, epoch, bot, instrument, version, symbol, side, order_type, "
    "time_in_force, post_only, reduce_only, self_trade, client_id, cause, price_ticks, trigger_ticks, qty_lots, price, trigger_price, "
    "quantity, submitted_seq, submitted_ns, arrive_ns, trail_bips, visible_lots, list_id, list_leg",
}
"""Columns that never change once they are written."""

REASONS = """CREATE VIEW reasons AS
SELECT run, what, reason_code, reason, '' AS symbol, COUNT(*) AS count FROM refusals
GROUP BY run, what, reason_code, reason
UNION ALL SELECT run, 'feed' AS what, reason_code, reason, symbol, count FROM feed_refusals"""


def upgrade() -> None:
    """Create everything."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, columns in TABLES.items():
        text = columns.format(int="INTEGER" if sqlite else "BIGINT")
        op.execute(f"CREATE TABLE {name} (\n  {text}\n)" + (" STRICT, WITHOUT ROWID" if sqlite else ""))
    op.execute("CREATE INDEX fills_by_order ON fills (run, account, order_id)")
    op.execute("CREATE INDEX orders_by_client ON orders (run, account, bot, client_id)")
    op.execute("CREATE INDEX orders_by_list ON orders (run, account, list_id) WHERE list_id > 0")
    op.execute("CREATE INDEX orders_by_met ON orders (run, account, met_order) WHERE met_order > 0")
    op.execute("CREATE INDEX signals_by_client ON signals (run, account, bot, client_id)")
    op.execute("CREATE INDEX decreases_by_order ON decreases (run, account, order_id)")
    op.execute(REASONS)
    if not sqlite:
        raise NotImplementedError("the append-only triggers are written for SQLite alone so far")
    for name in APPEND_ONLY:
        refuse(f"{name}_are_not_changed", f"UPDATE ON {name}", f"{name} only grow: no row can be changed")
    for name in (*APPEND_ONLY, *LASTING):
        refuse(f"{name}_are_not_deleted", f"DELETE ON {name}", f"{name} stay: no row can be deleted")
    for name, columns in FROZEN.items():
        refuse(f"{name}_keep_their_terms", f"UPDATE OF {columns} ON {name}", f"{name}: these columns never change")
    for name, key in KEYS.items():
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        when = f"WHEN EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608
        refuse(f"{name}_are_not_replaced", f"INSERT ON {name} {when}", f"{name}: this row is already there")
    done = "WHEN OLD.status IN ('denied', 'filled', 'canceled', 'expired', 'rejected')"
    refuse("done_orders_are_not_changed", f"UPDATE ON orders {done}", "orders: a done order does not change any more")
    shrinks = "WHEN NEW.filled_lots < OLD.filled_lots OR NEW.fills < OLD.fills"
    refuse("orders_do_not_grow", "UPDATE ON orders WHEN NEW.now_lots > OLD.now_lots", "orders: an order never grows")
    refuse("fills_are_not_taken_back", f"UPDATE ON orders {shrinks}", "orders: a fill is not taken back")


def refuse(name: str, event: str, text: str) -> None:
    """A trigger that refuses a statement."""
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{text}'); END")
