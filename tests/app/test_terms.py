"""What an account trades on: its fill model, drawn latencies, fees; said in the result, the record and the database."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from tests.app.desk import bars, paperdesk, replayed, script, walk

from paperdesk.app.errors import DeskError
from paperdesk.app.fee_schedules import SCHEDULES, fee_schedule
from paperdesk.domain.events import FillModel, SelfTrade
from paperdesk.safety.config_values import FILL_MODELS, SELF_TRADES

EMA = ("--strategy", "ema_cross", "--set", "fast=3", "--set", "slow=9")


def test_the_settings_know_each_fill_model() -> None:
    assert [model.name.lower() for model in FillModel] == list(FILL_MODELS)
    assert [mode.name.lower() for mode in SelfTrade] == list(SELF_TRADES)


def test_the_fill_model_is_in_result_record_and_database_and_makes_another_run(tmp_path: Path) -> None:
    data, home = bars(tmp_path / "bars.parquet"), tmp_path / "home"
    told = {model: replayed(home, "--data", data, *EMA, "--fill-model", model).json for model in FILL_MODELS}
    assert {model: one["fill_model"] for model, one in told.items()} == {model: model for model in FILL_MODELS}
    assert told["optimistic"]["equity"] > told["expected"]["equity"] > told["pessimistic"]["equity"]
    manifests = [json.loads((home / "runs" / told[model]["run"] / "run.json").read_text()) for model in FILL_MODELS]
    assert [one["fill_model"] for one in manifests] == list(FILL_MODELS)
    assert len({one["fingerprint"] for one in manifests}) == 3
    with sqlite3.connect(home / "paperdesk.db") as database:
        assert [row[0] for row in database.execute("SELECT fill_model FROM accounts ORDER BY run")] == list(FILL_MODELS)
    unsaid = replayed(tmp_path / "other", "--data", data, *EMA).json
    assert unsaid["state_hash"] == told["expected"]["state_hash"]
    assert paperdesk("db", "check", "--home", home).code == 0


def test_the_self_trade_mode_is_the_accounts(tmp_path: Path) -> None:
    pairs = ("ctx.buy(symbol, Decimal('0.5'), Decimal('90'))", "ctx.sell(symbol, Decimal('0.1'), Decimal('89'))")
    steps, data = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('1'))", *pairs), walk(tmp_path / "w.jsonl")
    run = ("--data", data, "--strategy", steps)
    told = replayed(tmp_path / "a", *run, "--self-trade", "none")
    assert told.code == 0 and paperdesk("db", "check", "--home", tmp_path / "a").code == 0
    with sqlite3.connect(tmp_path / "a" / "paperdesk.db") as database:
        assert {row[0] for row in database.execute("SELECT self_trade FROM orders")} == {"none"}
    wrong = replayed(tmp_path / "b", *run, "--self-trade", "oldest")
    assert wrong.code == 2 and "--self-trade oldest: the modes are none, expire_maker" in wrong.err


def test_latencies_are_drawn_by_the_seed(tmp_path: Path) -> None:
    steps = script(tmp_path / "s.py", *["ctx.buy(symbol, Decimal('0.1'))"] * 8)
    data, model = walk(tmp_path / "w.jsonl"), ("--latency-model", "uniform:200:900")

    def waited(home: str, *more: str) -> list[float]:
        told = replayed(tmp_path / home, "--data", data, "--strategy", steps, *more).json
        assert told["latency"] == ("drawn: uniform:200:900 (median 550 ms)" if more else "50 ms")
        assert paperdesk("db", "check", "--home", tmp_path / home).code == 0
        stories = [paperdesk("explain", f"PAPER-0-{order}", "--home", tmp_path / home).out for order in range(1, 9)]
        return [float(re.findall(r"venue ([0-9.]+) ms later", story)[0]) for story in stories]

    one, same, other = waited("a", *model), waited("b", *model), waited("c", *model, "--seed", "2")
    assert one == same != other and len(set(one)) == 8
    assert all(200 <= ms <= 900 for ms in one + other)
    assert set(waited("d")) == {50.0}


def test_a_cancel_does_not_overtake_its_order(tmp_path: Path) -> None:
    pairs = ["h['o'] = ctx.buy(symbol, Decimal('0.1'), Decimal('90'))", "ctx.cancel(h['o'])"] * 40
    steps, data = script(tmp_path / "s.py", *pairs), walk(tmp_path / "w.jsonl", steps=90)
    home, model = tmp_path / "home", ("--latency-model", "uniform:0:500")
    told = replayed(home, "--data", data, "--strategy", steps, *model).json
    assert told["orders"]["canceled"] == 40
    with sqlite3.connect(home / "paperdesk.db") as database:
        ((early, together, later),) = database.execute(
            "SELECT SUM(cancel_at_ns < arrive_ns), SUM(cancel_at_ns = arrive_ns), SUM(cancel_at_ns > arrive_ns) FROM orders"
        ).fetchall()
    assert early == 0 and together > 0 and later > 0
    assert paperdesk("db", "check", "--home", home).code == 0


def test_fees_by_name_from_a_file_and_from_the_settings(tmp_path: Path) -> None:
    steps, data = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('2'))"), walk(tmp_path / "w.jsonl")
    run = ("--data", data, "--strategy", steps)
    told = replayed(tmp_path / "a", *run, "--fees", "kraken").json
    # 2 at 100.1 as taker, the fee taken from what was received: 0.4 %
    assert told["balances"]["BTC"]["total"] == "1.99200000" and told["fees"] == "maker 0.25 %, taker 0.4 %"
    tiers = 'tiers = [{ volume = "0", maker = "0", taker = "0.01" }, { volume = "5", maker = "0", taker = "0" }]\n'
    file, config = tmp_path / "fees.toml", tmp_path / "desk.toml"
    file.write_text(tiers, encoding="utf-8")
    config.write_text(f"[fees]\n{tiers}", encoding="utf-8")
    for number, more in enumerate((("--fees", file), ("--config", config))):
        told = replayed(tmp_path / f"b{number}", *run, *more).json
        assert told["balances"]["BTC"]["total"] == "1.98000000"
        assert told["fees"] == "2 tiers by volume, from maker 0 %, taker 1 % to maker 0 %, taker 0 %"
    assert (
        replayed(tmp_path / "c", *run, "--config", config, "--fees", "okx").json["fees"] == "maker 0.08 %, taker 0.1 %"
    )
    assert paperdesk("db", "check", "--home", tmp_path / "b0").code == 0


def test_shipped_schedules_are_read_as_settings_would_be() -> None:
    assert {name: len(fee_schedule(name)) for name in SCHEDULES} == dict.fromkeys(SCHEDULES, 1)
    assert all(tiers[0].volume == "0" for tiers in SCHEDULES.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tiers = [", "the file is not TOML"),
        (
            'tiers = [{ volume = "1", maker = "0", taker = "0" }]',
            "the file must hold a list of tiers whose volumes rise",
        ),
        ("maker = 3", "the file must hold a table with one key, tiers"),
    ],
)
def test_a_file_of_fees_that_is_wrong_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "fees.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeskError, match=words):
        fee_schedule(str(path))
