"""The accounts beside the desk's own: a band of three fill models, and the ghost without limits."""

from __future__ import annotations

import sqlite3
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.app.desk import WAIT_S, bars, paperdesk, process, replayed, script, simulated, walk

from paperdesk.safety.config_values import FILL_MODELS

QUOTER = ("quoter", "--set", "size=0.1", "--set", "max_inventory=5", "--set", "edge=1")
EMA = ("--strategy", "ema_cross", "--set", "fast=3", "--set", "slow=9")


def test_each_account_of_a_band_does_what_it_would_do_alone(tmp_path: Path) -> None:
    data = bars(tmp_path / "bars.parquet")
    told = replayed(tmp_path / "band", "--data", data, *EMA, "--fill-band").json
    band = told["equity_band"]
    assert list(band) == [*FILL_MODELS, "spread"] and told["fill_model"] == "expected" and told["shadow"] is None
    alone = {
        model: replayed(tmp_path / model, "--data", data, *EMA, "--fill-model", model).json for model in FILL_MODELS
    }
    for model in FILL_MODELS:
        assert (band[model]["equity"], band[model]["fills"]) == (alone[model]["equity"], alone[model]["fills"])
        assert alone[model]["equity_band"] is None
    own = ("fills", "orders", "refusals", "balances", "equity", "opening_equity", "stopped_bots")
    assert {name: told[name] for name in own} == {name: alone["expected"][name] for name in own}
    worst, best = (Decimal(band[model]["equity"]) for model in ("pessimistic", "optimistic"))
    assert Decimal(band["spread"]) == best - worst > 0
    assert paperdesk("db", "check", "--home", tmp_path / "band").code == 0


def limited(tmp_path: Path) -> tuple[str | Path, ...]:
    """Two orders, of which a limit denies the first."""
    config = tmp_path / "limits.toml"
    config.write_text('[limits]\nmax_order = "150"\n[bot_limits]\nmax_position = "140"\n', encoding="utf-8")
    steps = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('2'))", "ctx.buy(symbol, Decimal('1'))")
    return "--data", walk(tmp_path / "w.jsonl"), "--strategy", steps, "--config", config


def test_a_ghost_does_what_the_limits_denied(tmp_path: Path) -> None:
    told = replayed(tmp_path / "ghost", *limited(tmp_path), "--shadow").json
    free = replayed(tmp_path / "free", *limited(tmp_path)[:4]).json
    without = replayed(tmp_path / "without", *limited(tmp_path)).json
    ghost = told["shadow"]
    assert ghost["equity"] == free["equity"] and ghost["fills"] == free["fills"] == 2
    assert ghost["denied"] == told["refusals"] == {"max_order": 1} or ghost["denied"] == {"max_position": 1}
    assert Decimal(ghost["protections_saved"]) == Decimal(told["equity"]) - Decimal(ghost["equity"])
    assert told["equity_band"] is None
    own = ("fills", "orders", "refusals", "balances", "equity", "opening_equity")
    assert {name: told[name] for name in own} == {name: without[name] for name in own}, "never mixed with the account's"


def test_people_read_band_and_ghost_apart_from_the_account(tmp_path: Path) -> None:
    up = ("up", "--feed", "replay", "--speed", "max", "--until-end", "--home", tmp_path / "home", *limited(tmp_path))
    for columns in ("80", "200"):
        ended = paperdesk(*up, "--shadow", "--fill-band", "--fresh", variables={"COLUMNS": columns})
        text = " ".join(ended.out.split())
        assert "fill model expected" in text and "same strategy, three fill models; spread" in text
        assert "GHOST: the same strategy without limits; never part of the account's numbers" in text
        assert "the protections" in text and "denied to the account: 1" in text
        assert max(map(len, ended.out.splitlines())) <= int(columns)


def test_each_account_has_its_bots_and_one_that_stops_stops_alone(tmp_path: Path) -> None:
    # What it does after a fill differs by account: the ghost alone is filled at first, and it alone raises.
    steps = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('2'))", *["pass"] * 20, "1 / ctx.position(symbol)")
    config = tmp_path / "limits.toml"
    config.write_text('[limits]\nmax_order = "150"\n', encoding="utf-8")
    run = ("--data", walk(tmp_path / "w.jsonl"), "--strategy", steps, "--config", config, "--fill-band", "--shadow")
    home = tmp_path / "home"
    ended = replayed(home, *run)
    assert ended.code == 1, "no bot of the account is left, though a ghost is"
    told = ended.json
    assert told["stopped_bots"] == ["s-1", "s-1 (optimistic)", "s-1 (pessimistic)"], "their position is 0"
    with sqlite3.connect(home / "paperdesk.db") as database:
        rows = database.execute("SELECT account, bot, name, stopped FROM bots ORDER BY account").fetchall()
        models = database.execute("SELECT account, fill_model FROM accounts ORDER BY account").fetchall()
    assert rows == [
        (0, 1, "s-1", 1),
        (1, 2, "s-1 (optimistic)", 1),
        (2, 3, "s-1 (pessimistic)", 1),
        (3, 4, "s-1 (GHOST)", 0),
    ]
    assert models == [(0, "expected"), (1, "optimistic"), (2, "pessimistic"), (3, "expected")]


@pytest.mark.parametrize("kind", ["rule", "file"])
def test_after_a_kill_all_accounts_go_on(tmp_path: Path, kind: str) -> None:
    steps = script(tmp_path / "s.py", *["ctx.buy(symbol, Decimal('0.5'), Decimal('99.9'))"] * 30)
    strategy = (steps,) if kind == "file" else QUOTER
    run = ("--data", walk(tmp_path / "w.jsonl", steps=60), "--strategy", *strategy, "--fill-band", "--shadow")
    whole = replayed(tmp_path / "whole", *run).json
    home = tmp_path / "cut"
    slow = ("--feed", "replay", "--speed", "1", "--until-end", "--no-page")
    running = process("up", "--home", home, *slow, *run)
    until = time.monotonic() + WAIT_S
    while not outputs(home) and time.monotonic() < until:
        time.sleep(0.05)
    running.kill()
    running.communicate()
    ended = replayed(home, *run)
    assert "recovered: went on from seq" in ended.err
    same = ("state_hash", "log_head_hash", "equity_band", "shadow", "fills", "orders", "balances", "equity", "refusals")
    assert {key: ended.json[key] for key in same} == {key: whole[key] for key in same}
    assert paperdesk("db", "check", "--home", home).code == 0


def outputs(home: Path) -> Any:
    """Whether orders of all four accounts are in the database of a run that goes on."""
    try:
        with sqlite3.connect(home / "paperdesk.db") as database:
            return database.execute("SELECT COUNT(DISTINCT account) FROM orders").fetchone()[0] == 4
    except sqlite3.Error:
        return False


def test_a_band_in_a_simulated_market_repeats_itself(tmp_path: Path) -> None:
    def once(home: str) -> dict[str, Any]:
        told = simulated(
            tmp_path / home, "--strategy", "quoter", "--fill-band", "--latency-model", "lognormal:40:0.8"
        ).json
        return {key: told[key] for key in ("state_hash", "log_head_hash", "equity_band")}

    assert once("a") == once("b")
