"""`paperdesk up`: what it prints, that it repeats itself, when it ends, and which option wins."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.app.desk import bars, paperdesk, replayed, script, simulated, strategy, up, walk
from tests.shared import shared_data

QUOTER = ("--strategy", "quoter", "--set", "size=0.1", "--set", "max_inventory=5", "--set", "edge=1")
KEYS = {
    "run", "label", "ended", "events", "market_inputs", "inputs", "fills", "orders", "refusals", "data_refusals",
    "stopped_bots", "balances", "equity", "opening_equity", "reporting", "state_hash", "log_head_hash", "seconds",
    "projection_seconds", "events_per_second", "peak_rss_mb", "wall", "fill_model", "latency", "fees", "equity_band", "shadow",
}  # fmt: skip


def test_the_last_line_is_one_object_with_every_key(tmp_path: Path) -> None:
    ended = replayed(tmp_path / "home", "--data", walk(tmp_path / "walk.jsonl.zst"), *QUOTER)
    assert ended.code == 0 and len(ended.out.splitlines()) == 1
    told = ended.json
    assert set(told) == KEYS
    assert told["label"] == "REPLAY" and told["ended"] == "end of data" and told["run"] == "0001-replay"
    assert told["events"] == 182 and told["fills"] > 0 and told["orders"]["filled"] > 0
    assert told["stopped_bots"] == [] and told["reporting"] == "USDT"
    assert len(told["state_hash"]) == len(told["log_head_hash"]) == 64


def test_money_is_exact_decimal_text(tmp_path: Path) -> None:
    steps = script(tmp_path / "one.py", "ctx.buy(symbol, Decimal('2'))")
    told = replayed(tmp_path / "home", "--data", walk(tmp_path / "walk.jsonl"), "--strategy", steps).json
    # 2 at 100.1, the best ask on arrival; the fee of 0.1 % is taken from what was received
    assert told["balances"] == {
        "BTC": {"total": "1.99800000", "free": "1.99800000", "reserved": "0.00000000"},
        "USDT": {"total": "9799.80000000", "free": "9799.80000000", "reserved": "0.00000000"},
    }
    assert told["orders"] == {"filled": 1} and told["fills"] == 1
    assert told["opening_equity"] == "10000.00000000" and told["equity"] == f"{Decimal(told['equity']):.8f}"


@pytest.mark.parametrize("feed", ["sim", "replay", "bars"])
def test_the_same_run_twice_has_the_same_hashes(tmp_path: Path, feed: str) -> None:
    def once(home: str) -> tuple[str, str, str]:
        if feed == "sim":
            told = simulated(tmp_path / home, "--strategy", "quoter", "--seed", "9").json
        elif feed == "replay":
            told = replayed(tmp_path / home, "--data", walk(tmp_path / "walk.jsonl.zst"), *QUOTER).json
        else:
            ema = ("--strategy", "ema_cross", "--set", "fast=3", "--set", "slow=9")
            told = replayed(tmp_path / home, "--data", bars(tmp_path / "bars.parquet"), *ema).json
        assert told["inputs"] > told["market_inputs"] > 0
        return told["state_hash"], told["log_head_hash"], told["equity"]

    assert once("a") == once("b")


def test_another_seed_is_another_market(tmp_path: Path) -> None:
    hashes = {simulated(tmp_path / seed, "--seed", seed, events=500).json["state_hash"] for seed in ("1", "2")}
    assert len(hashes) == 2


def test_a_run_ends_after_so_many_events(tmp_path: Path) -> None:
    told = simulated(tmp_path / "home", events=777).json
    assert told["market_inputs"] == 777 and told["ended"] == "events"


def test_a_run_ends_when_its_time_is_up(tmp_path: Path) -> None:
    told = up(tmp_path / "home", "--feed", "sim", "--speed", "1", "--for", "0.2").json
    assert told["ended"] == "time"


def test_at_a_multiple_of_its_pace_a_run_comes_to_the_same_end(tmp_path: Path) -> None:
    data = walk(tmp_path / "walk.jsonl.zst", steps=20)
    quick = replayed(tmp_path / "a", "--data", data, *QUOTER).json
    paced = up(tmp_path / "b", "--feed", "replay", "--data", data, "--speed", "30", "--until-end", *QUOTER).json
    assert (paced["state_hash"], paced["log_head_hash"]) == (quick["state_hash"], quick["log_head_hash"])


def test_strategies_share_an_account_and_keep_their_own_books(tmp_path: Path) -> None:
    buys = script(tmp_path / "buys.py", "ctx.buy(symbol, Decimal('1'))")
    sells = script(tmp_path / "sells.py", "pass", "pass", "ctx.sell(symbol, Decimal('0.5'))")
    home = tmp_path / "home"
    told = replayed(home, "--data", walk(tmp_path / "w.jsonl"), "--strategy", buys, "--strategy", sells).json
    assert told["orders"] == {"filled": 2}
    assert told["balances"]["BTC"]["total"] == "0.49900000"
    assert "buys-1 asked to buy 1.0" in paperdesk("explain", "PAPER-0-1", "--home", home).out
    assert "sells-2 asked to sell 0.5" in paperdesk("explain", "PAPER-0-2", "--home", home).out


def test_one_bot_stops_and_the_others_go_on(tmp_path: Path) -> None:
    raises = script(tmp_path / "raises.py", "1 / 0")
    buys = script(tmp_path / "buys.py", "pass", "pass", "ctx.buy(symbol, Decimal('1'))")
    data = walk(tmp_path / "w.jsonl")
    ended = replayed(tmp_path / "home", "--data", data, "--strategy", raises, "--strategy", buys)
    assert ended.code == 0 and "raises.py" in ended.err
    assert ended.json["stopped_bots"] == ["raises-1"] and ended.json["orders"] == {"filled": 1}


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    walk(tmp_path / "walk.jsonl")
    config = tmp_path / "paperdesk.toml"
    config.write_text(
        'feed = "replay"\ndata = ["walk.jsonl"]\nstrategy = "quoter"\nspeed = "max"\nbalance = ["500USDT"]\nhome = "desk"\n'
        "[parameters]\nsize = 0.1\nmax_inventory = 5\n",
        encoding="utf-8",
    )
    told = paperdesk("up", "--config", config, "--until-end", "--json").json
    assert told["label"] == "REPLAY" and told["opening_equity"] == "500.00000000" and told["orders"]
    assert (tmp_path / "desk" / "runs" / told["run"]).is_dir()
    other = ("--balance", "700USDT", "--set", "size=0.2", "--home", tmp_path / "other")
    told = paperdesk("up", "--config", config, "--until-end", "--json", *other).json
    assert told["opening_equity"] == "700.00000000" and (tmp_path / "other" / "runs").is_dir()
    told = paperdesk("up", "--until-end", "--json", variables={"PAPERDESK_CONFIG": str(config)}).json
    assert told["opening_equity"] == "500.00000000"
    home = {"PAPERDESK_CONFIG": str(config), "PAPERDESK_HOME": str(tmp_path / "third")}
    assert paperdesk("up", "--until-end", "--json", variables=home).json["run"] == "0001-replay"


def test_limits_of_the_file_are_kept(tmp_path: Path) -> None:
    config = tmp_path / "paperdesk.toml"
    config.write_text('[limits]\nmax_order = "150"\n[bot_limits]\nmax_position = "80"\n', encoding="utf-8")
    steps = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('2'))", "ctx.buy(symbol, Decimal('1'))")
    data = walk(tmp_path / "w.jsonl")
    told = replayed(tmp_path / "home", "--data", data, "--strategy", steps, "--config", config).json
    assert told["refusals"] == {"max_order": 1, "max_position": 1} or told["refusals"] == {"max_position": 2}


def test_latency_is_what_was_asked_for(tmp_path: Path) -> None:
    steps, data = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('1'))"), walk(tmp_path / "w.jsonl")
    replayed(tmp_path / "home", "--data", data, "--strategy", steps, "--latency-ms", "1500")
    told = paperdesk("explain", "PAPER-0-1", "--home", tmp_path / "home").out
    assert "due at the venue 1500 ms later (its account's latency), at 2023-11-14 22:13:21.600 UTC" in told


def test_a_finished_run_is_not_taken_up_again_and_fresh_begins_anew(tmp_path: Path) -> None:
    runs = [simulated(tmp_path / "home", events=100).json["run"] for _ in range(2)]
    runs.append(simulated(tmp_path / "home", "--fresh", events=100).json["run"])
    assert runs == ["0001-sim", "0002-sim", "0003-sim"]


def test_a_run_cut_short_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    data = walk(tmp_path / "walk.jsonl.zst", steps=40)
    whole = replayed(tmp_path / "whole", "--data", data, *QUOTER).json
    first = up(tmp_path / "cut", "--feed", "replay", "--data", data, "--speed", "4", "--for", "0.3", *QUOTER).json
    assert first["ended"] == "time"
    second = replayed(tmp_path / "cut", "--data", data, *QUOTER)
    assert second.json["run"] == first["run"] and "recovered: went on from seq" in second.err
    same = ("state_hash", "log_head_hash", "fills", "orders", "balances", "equity", "refusals")
    assert {key: second.json[key] for key in same} == {key: whole[key] for key in same}
    assert paperdesk("db", "check", "--home", tmp_path / "cut").code == 0


def test_people_read_a_summary(tmp_path: Path) -> None:
    s = script(tmp_path / "s.py", "ctx.buy(symbol, Decimal('1'))", "ctx.buy(symbol, Decimal('1'), Decimal('-3'))")
    common = ("--speed", "max", "--until-end", "--home", tmp_path / "home")
    data = walk(tmp_path / "w.jsonl")
    for columns in ("80", "200"):
        width = {"COLUMNS": columns}
        ended = paperdesk("up", "--feed", "replay", "--data", data, "--strategy", s, *common, variables=width)
        assert ended.code == 0
        assert ended.out.startswith("PAPER TRADING: virtual money, no path to a real order.")
        text = " ".join(ended.out.split())
        for words in ("182 market events", "the data ended", "orders filled 1", "a limit order needs a price above"):
            assert words in text
        assert "fees assumed" in text and "inferred from the data" in text and "explain 000" in text
        assert max(map(len, ended.out.splitlines())) <= int(columns)


def test_a_strategy_that_asks_for_more_than_the_feed_has_is_stopped_in_words(tmp_path: Path) -> None:
    asks = strategy(tmp_path / "asks.py", 'bars = "10s"', "def on_bar(self, ctx, bar):", "    pass")
    ended = replayed(tmp_path / "home", "--data", bars(tmp_path / "b.parquet"), "--strategy", asks)
    assert ended.code == 1 and "bars of 10s cannot be made of the feed's bars of 1m" in ended.err


def test_a_recorded_hour_of_bitcoin(tmp_path: Path) -> None:
    data = shared_data("l2/binanceus_BTCUSDT_20250826_events.parquet")
    once, again = (replayed(tmp_path / home, "--data", data, "--strategy", "quoter").json for home in "ab")
    assert once["label"] == "REPLAY" and once["orders"] and once["market_inputs"] > 1000
    assert (once["state_hash"], once["log_head_hash"]) == (again["state_hash"], again["log_head_hash"])
    assert paperdesk("replay", once["run"], "--verify", "--home", tmp_path / "a", "--json").json["verified"] is True


def test_two_recorded_markets_together(tmp_path: Path) -> None:
    paths = [shared_data(f"ohlcv/binance_{name}_5m_202401_202409.parquet") for name in ("BTCUSDT", "PEPEUSDT")]
    options = [part for path in paths for part in ("--data", path)]
    before = ["from paperdesk.strategies.rules.ema_cross import EmaCross"]
    slow = strategy(tmp_path / "slow.py", 'bars = "1h"', bases="EmaCross", before=before)
    told = replayed(tmp_path / "home", *options, "--strategy", slow).json
    assert told["fills"] > 0 and {"BTC", "PEPE", "USDT"} >= set(told["balances"])
    assert told["equity"] is None, "the recordings end at different times: one price is stale at the end"
