"""Bad input: each is refused in words that say what, why and what to do next, or counted with its reason; nothing hangs."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from tests.app.desk import bars, paperdesk, replayed, script, simulated, strategy, up, walk
from tests.feeds.build import write

from paperdesk.store.lock import HomeLock

HERE = Path(__file__)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--feed live", "--feed live needs the desk's processes"),
        ("--feed replay", "--feed replay needs a recording: add --data PATH"),
        ("--feed sim --data x", "--data goes with --feed replay"),
        ("--feed replay --data no-such-file", "There is no file or folder no-such-file; check --data."),
        ("--speed fast", "--speed fast: a speed is max, or a number above zero"),
        ("--speed nan", "--speed nan: a speed is max"),
        ("--speed 0", "--speed 0: a speed is max"),
        ("--for nan", "--for nan: give a number above zero, or leave --for out."),
        ("--for -1", "--for -1.0: give a number above zero"),
        ("--events 0", "--events 0: give a number above zero"),
        ("--latency-ms nan", "the latency of orders lies between 0 and 60000 milliseconds"),
        ("--latency-ms -1", "the latency of orders lies between 0 and 60000 milliseconds"),
        ("--fill-model best", "--fill-model best: the fill models are optimistic, expected, pessimistic."),
        ("--fill-band --fill-model optimistic", "the desk's own account is the expected one; leave one of the two out"),
        (
            "--latency-ms 5 --latency-model uniform:1:2",
            "a latency is either always the same or drawn; leave one of them out",
        ),
        ("--latency-model uniform:80:20", "it falls where it should rise; give the lower number first"),
        ("--latency-model uniform:-5:20", "it reaches from -5 to 20 ms; latencies lie between 0 and 60000 ms"),
        ("--latency-model uniform:1", "these are not two numbers; write uniform:LOW:HIGH or lognormal:MEDIAN:SIGMA"),
        ("--latency-model uniform:nan:3", "a number has no end; write uniform:LOW:HIGH"),
        ("--latency-model lognormal:50:9", "latencies lie between 0 and 60000 ms; choose other numbers"),
        ("--latency-model lognormal:50:-1", "it falls where it should rise"),
        ("--latency-model nowhere.csv", "it is no model, and no file that can be read (No such file or directory)"),
        ("--fees nasdaq", "choose one of binance, okx, kraken, coinbase-exchange, or give a TOML file with tiers"),
        ("--seed -1", "--seed -1: a seed lies between 0 and 2^63 - 1."),
        ("--callback-timeout 0", "--callback-timeout 0.0: give 0.05 to 3600 seconds."),
        ("--balance 10000", "write an amount above zero and an asset, such as 10000USDT"),
        ("--balance 0USDT", "write an amount above zero"),
        ("--balance -5USDT", "write an amount above zero"),
        ("--balance nanUSDT", "write an amount above zero"),
        ("--balance 1USDT,2USDT", "--balance names USDT twice"),
        ("--balance 0.0000000001USDT", "finer than the smallest unit"),
        ("--balance 99999999999999999999USDT", "the desk counts at most 11529215046.06846976 USDT"),
        ("--reporting us-dollar", "--reporting us-dollar: write an asset in capitals, such as USDT."),
        ("--symbols hello", "write BASE/QUOTE, such as BTC/USDT"),
        ("--symbols BTC/USDT,BTC/USDT", "--symbols names BTC/USDT twice"),
        ("--instruments no-such-file", "--instruments no-such-file: there is no such file; check the path."),
        ("--strategy emacross", "choose one of ema_cross, quoter, dip_buyer, or give the path of a .py file"),
        ("--strategy nowhere.py", "there is no such Python file"),
        ("--set fast", "--set fast: write name=value, such as --set fast=12."),
        ("--set fats=3", "they have fast, slow, fraction"),
        ("--set fast=1", "parameter fast must be a whole number from 2 to 1000; 1 lies outside"),
        ("--set fraction=nan", "parameter fraction must be a number from 0.01 to 0.99, not 'nan'"),
        ("--set fast=100", "fast (100) must be below slow (60); raise slow or lower fast"),
        ("--strategy quoter --strategy ema_cross --set fats=3", "--set fats"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, arguments: str, words: str) -> None:
    ended = paperdesk("up", "--no-page", "--home", tmp_path / "home", *arguments.split())
    assert ended.code == 2 and words in ended.message
    assert not list((tmp_path / "home").glob("runs/*")), "a refusal leaves no run behind"


@pytest.mark.parametrize("arguments", ["--bogus", "--seed abc", "--events x", "--for soon"])
def test_options_that_cannot_be_read(tmp_path: Path, arguments: str) -> None:
    ended = paperdesk("up", "--home", tmp_path / "home", *arguments.split())
    assert ended.code == 2 and "Try 'paperdesk up --help' for help." in ended.err


def test_a_command_that_does_not_exist() -> None:
    ended = paperdesk("uup")
    assert ended.code == 2 and "No such command 'uup'" in ended.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PAPER_TRADING_MODE": "false"}, "PAPER_TRADING_MODE is 'false'"),
        ({"PAPER_TRADING_MODE": ""}, "PAPER_TRADING_MODE is ''"),
        ({"PAPER_TRADING_MODE": "TRUE"}, "it may be 'true', spelled exactly so, or unset"),
        ({"ALLOW_REAL_TRADES": "true"}, "there is no setting that makes it trade for real"),
        ({"ALLOW_REAL_TRADES": "0"}, "ALLOW_REAL_TRADES is '0'"),
        ({"PAPERDESK_HOEM": "x"}, "did you mean PAPERDESK_HOME?"),
        ({"PAPERDESK_API_KEY": "x"}, "a paper desk needs no credential"),
        ({"PAPERDESK_CONFIG": "nowhere.toml"}, "the configuration file cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["up", "status", "db check", "replay 0001-sim", "explain PAPER-0-1", "home purge"])
def test_settings_that_are_not_paper_stop_every_command(
    tmp_path: Path, command: str, variables: dict[str, str], words: str
) -> None:
    ended = paperdesk(*command.split(), "--home", tmp_path / "home", variables=variables)
    assert ended.code == 78 and words.lower() in ended.message.lower()
    assert list(tmp_path.iterdir()) == [], "nothing is written before the settings are read"


def test_credentials_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    others = {"AWS_SECRET_ACCESS_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCD", "BINANCE_API_KEY": "x" * 64}
    ended = paperdesk("doctor", "--home", tmp_path, "--json", variables=others)
    assert ended.code in (0, 1) and "paper only" in ended.out and "abcdefghij" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feed = ", "not valid TOML"),
        ("fead = 'sim'", "did you mean feed?"),
        ("seed = 'x'", "seed in the configuration file must be"),
        ("[limits]\nmax_order = 100.5", "limits.max_order in the configuration file must be"),
        ("api_secret = 'x'", "credential"),
        ("paper_trading_mode = false", "not a key of the configuration file"),
    ],
)
def test_configuration_that_cannot_be_meant(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "paperdesk.toml"
    config.write_text(text, encoding="utf-8")
    ended = paperdesk("up", "--no-page", "--config", config, "--home", tmp_path / "home")
    assert ended.code == 78 and words in ended.message and "paperdesk.toml" in ended.message


# Recordings


def test_recordings_that_cannot_be_replayed(tmp_path: Path) -> None:
    good, table = walk(tmp_path / "w.jsonl.zst"), bars(tmp_path / "b.parquet")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "cut.jsonl.zst").write_bytes(good.read_bytes()[:-200])
    (tmp_path / "cut.parquet").write_bytes(table.read_bytes()[:500])
    for name, words in {
        "empty.jsonl": "empty.jsonl is empty; there is nothing to replay in it.",
        "folder": "nothing to replay in",
        "text.csv": "text.csv is no recording of a known kind; expected raw Binance captures",
        "cut.jsonl.zst": "the compressed data breaks off. Copy the file again.",
        "cut.parquet": "cut.parquet cannot be read as Parquet",
    }.items():
        ended = replayed(tmp_path / "home", "--data", tmp_path / name)
        assert ended.code == 2 and words.lower() in ended.message.lower(), name
    ended = replayed(tmp_path / "home", "--data", table, "--symbols", "DOGE/EUR")
    assert ended.code == 2 and "hold no DOGE/EUR. They hold: BTC/USDT." in ended.message


def test_corrupt_lines_are_skipped_counted_and_shown(tmp_path: Path) -> None:
    lines = walk(tmp_path / "w.jsonl").read_bytes().splitlines()
    backwards = b" ".join((b"1600000000000000000", lines[40].split(b" ", 1)[1]))
    bad = [*lines[:20], b"garbage", b'17 {"e":', b"\xff\xfe\x00", lines[3], *lines[20:60], backwards, *lines[60:]]
    data = write(tmp_path / "bad.jsonl.zst", bad)
    told = replayed(tmp_path / "home", "--data", data).json
    assert told["data_refusals"]["- corrupt_line"] == 3
    assert told["data_refusals"]["BTC/USDT duplicate"] >= 1
    assert told["events"] == len(bad)
    shown = paperdesk("up", "--feed", "replay", "--data", data, "--until-end", "--fresh", "--home", tmp_path / "home")
    assert "a line of the recording could not be read" in shown.out
    assert paperdesk("db", "check", "--home", tmp_path / "home").code == 0


def test_bars_that_make_no_sense_are_counted(tmp_path: Path) -> None:
    import polars as pl

    table = pl.read_parquet(bars(tmp_path / "b.parquet", count=20))
    high = [float("nan") if row == 3 else -1.0 if row == 5 else value for row, value in enumerate(table["high"])]
    times = table["ts"].to_list()
    times[10], times[11] = times[11], times[10]
    broken = table.with_columns(pl.Series("high", high), pl.Series("ts", times))
    broken.write_parquet(tmp_path / "bad.parquet", metadata={"venue": "binance", "symbol": "BTC/USDT"})
    told = replayed(tmp_path / "home", "--data", tmp_path / "bad.parquet").json
    assert told["data_refusals"]["BTC/USDT bad_event"] == 2
    assert sum(told["data_refusals"].values()) >= 2 and told["market_inputs"] <= 18


# Strategies


def test_orders_that_cannot_be_are_refused_each_with_its_reason(tmp_path: Path) -> None:
    steps = script(
        tmp_path / "odd.py",
        "ctx.buy(symbol, Decimal('NaN'))",
        "ctx.buy(symbol, Decimal(1), Decimal('Infinity'))",
        "ctx.buy(symbol, 'much')",
        "ctx.buy(symbol, Decimal(1), Decimal(-5))",
        "ctx.buy(symbol, Decimal(1), Decimal('99.95'))",
        "ctx.buy(symbol, Decimal('0.00000001'), Decimal('99.9'))",
        "ctx.buy(symbol, Decimal(-1))",
        "ctx.buy(symbol, Decimal(0))",
        "ctx.buy(symbol, Decimal(10) ** 30)",
        "ctx.buy(symbol, Decimal(1), Decimal('99.9'), time_in_force=TimeInForce.FOK, post_only=True)",
        "ctx.sell(symbol, Decimal(3))",
        "ctx.buy(symbol, Decimal(1), trigger=Decimal(0))",
    )
    told = replayed(tmp_path / "home", "--data", walk(tmp_path / "w.jsonl"), "--strategy", steps).json
    assert told["orders"] == {"denied": 12} and told["fills"] == 0 and told["stopped_bots"] == []
    assert told["refusals"] == {
        "invalid_number": 3,
        "price_off_grid": 1,
        "quantity_off_grid": 1,
        "invalid_quantity": 2,
        "invalid_price": 1,
        "invalid_trigger": 1,
        "unsupported_combination": 1,
        "notional_too_large": 1,
        "insufficient_balance": 1,
    }
    assert told["balances"]["USDT"]["total"] == "10000.00000000"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (["def on_quote(self, ctx, quote):", "    1 / 0"], "ZeroDivisionError: division by zero"),
        (["def on_start(self, ctx):", "    raise ValueError('no')"], "failed in on_start: ValueError: no"),
        (["def on_quote(self, ctx, quote):", "    raise SystemExit(3)"], "SystemExit: 3"),
        (["def on_quote(self, ctx, quote):", "    self.x = 1"], "use ctx.memory['x']"),
        (["def on_quote(self, ctx, quote):", "    ctx.memory['x'] = {1}"], "memory['x'] is a set"),
        (["def on_quote(self, ctx, quote):", "    ctx.buy('X/Y', 1)"], "this bot does not trade 'X/Y'"),
        (["def on_quote(self, ctx, quote):", "    ctx.cancel(7)"], "there never was an order with handle 7"),
        (["def on_quote(self, ctx, quote):", "    while True: pass"], "did not return within 0.3 s"),
        (["def on_quote(self, ctx, quote):", "    import time", "    time.sleep(60)"], "did not return within 0.3 s"),
        (
            ["def on_quote(self, ctx, quote):", "    ctx.buy(quote.symbol, -1)"]
            + ["def on_refusal(self, ctx, refusal):", "    ctx.buy(refusal.symbol, -1)"],
            "it answered its own orders more than 64 times in a row",
        ),
    ],
)
def test_a_strategy_that_fails_is_stopped_and_the_desk_goes_on(tmp_path: Path, body: list[str], words: str) -> None:
    own = strategy(tmp_path / "own.py", *body)
    home, data = tmp_path / "home", walk(tmp_path / "w.jsonl", steps=5)
    ended = replayed(home, "--data", data, "--strategy", own, "--callback-timeout", "0.3")
    assert ended.code == 1 and ended.json["stopped_bots"] == ["own-1"] and ended.json["ended"] == "end of data"
    assert words in ended.err and "own-1 failed in" in ended.err
    assert paperdesk("db", "check", "--home", home).code == 0
    assert paperdesk("replay", "0001-replay", "--verify", "--home", home).code == 0


def test_a_flood_of_orders_is_bounded_by_the_purse_and_the_tables(tmp_path: Path) -> None:
    flood = script(
        tmp_path / "flood.py", *5 * ["[ctx.buy(symbol, Decimal('0.1'), Decimal('90')) for _ in range(1000)]"]
    )
    told = replayed(tmp_path / "home", "--data", walk(tmp_path / "w.jsonl", steps=10), "--strategy", flood).json
    assert told["orders"] == {"accepted": 1111, "denied": 3889}
    assert told["refusals"] == {"insufficient_balance": 3889}
    rich = ("--balance", "100000000USDT", "--fresh")
    told = replayed(tmp_path / "home", "--data", tmp_path / "w.jsonl", "--strategy", flood, *rich).json
    assert sum(told["orders"].values()) == 5000 and set(told["refusals"]) <= {"capacity_exceeded"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def x(:\n", "line 1: SyntaxError"),
        ("", "the file has no subclass of paperdesk.strategies.api.Strategy; write one"),
        ("import nothing_like_this\n", "No module named 'nothing_like_this'"),
        ("raise SystemExit(0)\n", "SystemExit"),
    ],
)
def test_a_file_that_is_no_strategy(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    ended = paperdesk(
        "up", "--no-page", "--feed", "sim", "--strategy", tmp_path / "own.py", "--home", tmp_path / "home"
    )
    assert ended.code == 2 and words in ended.message


def test_a_strategy_for_other_markets(tmp_path: Path) -> None:
    own = strategy(tmp_path / "own.py", 'instruments = ("ETH/BTC",)', "def on_quote(self, ctx, quote):", "    pass")
    ended = replayed(tmp_path / "home", "--data", walk(tmp_path / "w.jsonl"), "--strategy", own)
    assert ended.code == 2 and "change the strategy's instruments or the run's --symbols" in ended.message


# Homes


def test_a_home_that_is_a_file_or_cannot_be_written(tmp_path: Path) -> None:
    file = walk(tmp_path / "w.jsonl")
    for home in (file, Path("/proc/nowhere")):
        ended = simulated(home, events=10)
        assert ended.code == 74 and f"The home folder {home} cannot be written: " in ended.message
        assert paperdesk("status", "--home", home).code == 1
        assert paperdesk("doctor", "--home", home).code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser")
def test_a_read_only_home_can_still_be_looked_at(tmp_path: Path) -> None:
    home = tmp_path / "home"
    simulated(home, events=10)
    home.chmod(0o500)
    try:
        ended = simulated(home, events=10)
        assert ended.code == 74 and "permission is denied; make the folder writable" in ended.message
        assert paperdesk("status", "--home", home).code == 0
    finally:
        home.chmod(0o700)


def test_a_second_desk_on_the_same_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    simulated(home, events=10)
    with HomeLock(home):
        for arguments in ("up --feed sim", "db check", "db rebuild", "db upgrade", "home purge --yes"):
            ended = paperdesk(*arguments.split(), "--home", home)
            assert ended.code == 75 and f"Another desk (process {os.getpid()}) is running in {home}." in ended.message
            assert "stop that one first, or give this one another folder with --home" in ended.message
        assert "a desk is working here now" in paperdesk("status", "--home", home).out
        assert paperdesk("status", "--home", home, "--json").json["working"] is True
        assert "its logs are left alone" in paperdesk("doctor", "--home", home).out
    assert paperdesk("status", "--home", home, "--json").json["working"] is False


def test_a_database_that_another_program_holds(tmp_path: Path) -> None:
    home, data = tmp_path / "home", walk(tmp_path / "w.jsonl", steps=5)
    replayed(home, "--data", data)
    other = sqlite3.connect(home / "paperdesk.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        ended = replayed(home, "--data", data, "--fresh")
        assert ended.code == 74 and "another process holds it; close that process" in ended.message
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert replayed(home, "--data", data, "--fresh").code == 0
    assert paperdesk("db", "check", "--home", home).code == 0


def test_a_database_that_is_none(tmp_path: Path) -> None:
    home, data = tmp_path / "home", walk(tmp_path / "w.jsonl", steps=5)
    replayed(home, "--data", data)
    (home / "paperdesk.db").write_bytes(b"hello " * 1000)
    for name in ("-wal", "-shm"):
        Path(f"{home / 'paperdesk.db'}{name}").unlink(missing_ok=True)
    for arguments in (("up", "--no-page", "--feed", "replay", "--data", data, "--fresh"), ("explain", "PAPER-0-1")):
        ended = paperdesk(*arguments, "--home", home)
        assert ended.code == 74 and "move it away and run `paperdesk db rebuild`" in ended.message
    assert up(home, "--feed", "replay", "--data", data).code == 74
    (home / "paperdesk.db").unlink()
    assert paperdesk("db", "rebuild", "--home", home).code == 0
    assert paperdesk("db", "check", "--home", home).code == 0
