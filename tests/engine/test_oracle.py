"""The compiled core against the naive desk of `tests/oracle`, written from the rule book alone.

Random streams must agree after every input in every output, balance, order, position, queue estimate and valuation.
`scripts/oracle.py` runs more of them.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from typing import Any

import pytest
from tests.conftest import JIT_DISABLED
from tests.oracle import streams
from tests.oracle.compare import Pair, replayed, run_stream, shrunk
from tests.oracle.ledger import trial_balance
from tests.shared import REPO

PARTS = 8
STREAMS = 3 if JIT_DISABLED else 100
"""Streams of each part: fewer where the core runs interpreted."""
INPUTS = 150

NAIVE = (
    "amending budget checks desk ledger lists market money orders risk self_trade sizes terms things trailing venue words"
).split()
"""The modules of the naive desk itself."""

REACHABLE = {
    "reason AMEND_REJECTED": (
        "already_filled amend_pending cancel_pending invalid_quantity lot_size min_notional not_smaller order_done"
        " quantity_off_grid unknown_order unsupported_combination"
    ),
    "reason ORDER_DECREASED": "expired_in_match none",
    "reason CANCEL_REJECTED": "cancel_pending order_done unknown_order",
    "reason COMMAND_REFUSED": (
        "account_exists account_in_use bot_exists invalid_amount unknown_account unknown_asset unknown_bot"
        " unknown_instrument unsupported_combination"
    ),
    "reason EVENT_REFUSED": "bad_event unknown_instrument",
    "reason KILLED": "bot_stopped killed",
    "reason ORDER_CANCELED": "delisted epoch_ended instrument_changed kill_switch user_canceled wrong_source",
    "reason ORDER_DENIED": (
        "bot_stopped cooldown daily_loss drawdown equity_partial instrument_changed instrument_halted"
        " insufficient_balance invalid_deadline invalid_number invalid_price invalid_quantity invalid_trigger killed max_exposure"
        " max_order max_position no_market_data notional_too_large price_off_grid quantity_off_grid reduce_only stale_data"
        " unsupported_combination wrong_source"
    ),
    "reason ORDER_EXPIRED": (
        "deadline_passed expired_in_match fok_not_filled funds_exhausted ioc_remainder no_liquidity notional_too_large position_closed"
        " quote_quantity_reached"
    ),
    "reason ORDER_REJECTED": (
        "iceberg_parts instrument_halted lot_size market_lot_size max_notional max_num_algo_orders max_num_orders min_notional"
        " percent_price_by_side post_only_would_take price_filter stop_would_trigger trailing_delta"
    ),
    "rule": ("BAR_OPEN.2 BAR_STOP.2 BAR_THROUGH.1 BOOK_CROSS.1 BOOK_WALK.2 QUEUE.1 TAPE_TAKE.2 TRADE_THROUGH.1"),
    "output": (
        "ACCOUNT_OPENED POSTING CONVERSION_DECLARED BOT_REGISTERED LIMITS_SET ORDER_SUBMITTED ORDER_DENIED"
        " ORDER_ACCEPTED ORDER_REJECTED ORDER_ACTIVATED ORDER_TRIGGERED FILL ORDER_CANCELED ORDER_EXPIRED CANCEL_REQUESTED"
        " CANCEL_REJECTED AMEND_REQUESTED AMEND_REJECTED ORDER_DECREASED SELF_TRADE_SET"
        " EQUITY KILLED RESUMED COMMAND_REFUSED EVENT_REFUSED EPOCH_STARTED INSTRUMENT_CHANGED SIGNAL_STATED LEG_ACTIVATED"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_random_streams_agree(part: int) -> None:
    """The core and the naive desk agree on every stream; a failure shows its seed and the shortest way there."""
    for seed in range(1 + part * STREAMS, 1 + (part + 1) * STREAMS):
        run = run_stream(seed, INPUTS)
        if run.complaint:
            fewer = shrunk(run.inputs)
            steps = "\n".join(map(str, fewer))
            pytest.fail(f"seed {seed}, input {len(run.inputs)}: {run.complaint}\n{replayed(fewer)}\n{steps}")


@cache
def reached() -> Counter[str]:
    """What the naive desk says on the streams of the test above, all parts of it."""
    seen: Counter[str] = Counter()
    for seed in range(1, 1 + PARTS * 100):
        stream = streams.Stream(seed)
        for given in stream.inputs(INPUTS):
            seen.update(name for said in stream.desk.take(given) for name in names_of(said))
        trial_balance(stream.desk)
    return seen


def names_of(said: dict[str, Any]) -> list[str]:
    """An output's kind, reason and rule, in the words of REACHABLE."""
    names = [f"output {said['kind']}"]
    if "reason" in said:
        names.append(f"reason {said['kind']} {said['reason']}")
    if "rule" in said:
        names.append(f"rule {said['rule']}.{said['liquidity']}")
    return names


@pytest.mark.slow
def test_streams_reach_everything() -> None:
    """Every output, reason and fill rule that inputs can lead to is met: agreement means something."""
    wanted = [f"{group} {name}" for group, names in REACHABLE.items() for name in names.split()]
    missing = [name for name in wanted if reached()[name] == 0]
    assert not missing


def test_a_stream_is_drawn_from_its_seed_alone() -> None:
    """The same seed gives the same inputs."""

    def inputs(seed: int) -> list[dict[str, Any]]:
        stream = streams.Stream(seed)
        drawn = []
        for given in stream.inputs(60):
            drawn.append(given)
            stream.desk.take(given)
        return drawn

    assert inputs(11) == inputs(11)
    assert inputs(11) != inputs(12)


def test_a_disagreement_is_found_and_shrunk() -> None:
    """The comparison is not blind: desks that were told different things disagree, at the first input that shows it."""
    pair = Pair()
    asset = {"kind": "DEFINE_ASSET", "asset": 0, "scale": 2, "seq": 1, "ts_seq_ns": 5}
    account = {
        "kind": "OPEN_ACCOUNT",
        "account": 0,
        "asset": 0,
        "source": 1,
        "latency_ns": 0,
        "equity_every_ns": 1,
        "fill_model": 2,
    }
    assert pair.take(asset) == ""
    assert pair.take({**account, "seq": 2, "ts_seq_ns": 5}) == ""
    pair.desk.accounts[0].row(0)[0] += 7
    pair.desk.accounts[0].row(0)[4] -= 7
    complaint = pair.take({"kind": "TIMER", "seq": 3, "ts_seq_ns": 5})
    assert "account 0, balances: expected [[7, 0, 0, 0, -7]]" in complaint


@pytest.mark.parametrize("module", NAIVE)
def test_the_naive_desk_knows_nothing_of_the_product(module: str) -> None:
    """No module of the naive desk imports the product, arrays or a compiler."""
    tree = ast.parse((REPO / "tests" / "oracle" / f"{module}.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in names}
    standard = {"__future__", "collections", "dataclasses", "decimal", "fractions", "itertools", "math", "typing"}
    assert roots <= {*standard, "tests"}
    assert {name.split(".")[-1] for name in names if name.startswith("tests.")} <= {*NAIVE, "oracle"}


def test_both_desks_stop_at_fees_that_cannot_be_counted() -> None:
    pair, stream = Pair(), streams.Stream(1)
    stream.mids[0] = 3
    define = stream.definition(0, 0, 1, [0, 0], "0.25", "1")
    plain = dict.fromkeys([name for name in define if name.startswith(("min_", "max_", "market_", "bid_", "ask_"))], 0)
    account = {"account": 0, "source": 1, "latency_ns": 0, "equity_every_ns": 10**18, "asset": 1, "fill_model": 3}
    order = {
        "account": 0,
        "bot": 0,
        "instrument": 0,
        "version": 1,
        "order_type": 2,
        "time_in_force": 1,
        "flags": 0,
        "price_ticks": 1,
        "trigger_ticks": 0,
        "client_id": 0,
        "defect": "none",
        "expire_ns": 0,
        "budget_units": 0,
    }
    given: list[dict[str, Any]] = [
        *({"kind": "DEFINE_ASSET", "asset": asset, "scale": 0} for asset in (0, 1)),
        {**define, **plain, "maker_fee_e8": 10**8, "taker_fee_e8": 10**8, "stale_after_ns": 10**18},
        {"kind": "BIND_SOURCE", "source": 1},
        {"kind": "OPEN_ACCOUNT", **account},
        *({"kind": "DEPOSIT", "account": 0, "asset": asset, "amount_units": 2**60} for asset in (0, 1, 1)),
    ]
    quote = {"kind": "QUOTE", "instrument": 0, "bid_ticks": 1, "bid_lots": 2**60, "ask_ticks": 2, "ask_lots": 1}
    given += [quote, {"kind": "SUBMIT_ORDER", **order, "side": 2, "qty_lots": 2**60}]
    gone = {**quote, "bid_ticks": 0, "bid_lots": 0}
    anew = {**gone, "ask_ticks": 1, "ask_lots": 2**60}
    for lots, force in (
        (2**60, 1),
        (2**60, 1),
        (2**60, 1),
        (2**60 - 100, 1),
        (101, 1),
        (82, 3),
        (81, 3),
        (19, 2),
        (1, 1),
    ):
        given += [gone, anew, {"kind": "SUBMIT_ORDER", **order, "side": 1, "qty_lots": lots, "time_in_force": force}]
    for one in [*given, gone]:
        assert pair.take(stream.stamp(one, 1)) == ""
    assert pair.seen["output FILL"] == 7
    assert pair.seen["reason ORDER_EXPIRED notional_too_large"] == 2
    assert pair.seen["reason ORDER_EXPIRED fok_not_filled"] == 1
