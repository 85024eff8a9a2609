"""`paperdesk explain`: the life of every kind of order in sentences that are true, each figure worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.desk import bars, paperdesk, replayed, script, strategy
from tests.feeds.build import capture, depth, picture, print_of, ticker

BOOK = picture(100, [["100.0", "5.0"], ["99.9", "5.0"]], [["100.1", "2.0"], ["100.2", "3.0"]])

SHORT = [
    depth(95, 100),
    BOOK,
    ticker(101, "100.0", "4.0", "100.1", "2.0"),
    ticker(102, "100.0", "4.0", "100.1", "1.0"),
]


def quiet(path: Path) -> Path:
    """Seven lines, 100 ms apart: a book; the same best prices again and again; then trades at and through 100.0."""
    return capture(
        path,
        [
            depth(95, 100),
            BOOK,
            ticker(101, "100.0", "5.0", "100.1", "2.0"),
            ticker(102, "100.0", "4.0", "100.1", "2.0"),
            ticker(103, "100.0", "4.0", "100.1", "2.5"),
            print_of(1, "100.0", "4.5", seller_took=True),
            print_of(2, "99.9", "0.7", seller_took=True),
        ],
        step_ns=100_000_000,
    )


def told(tmp_path: Path, *steps: str, data: Path | None = None) -> list[str]:
    """The sentences about the first order of a strategy that does one step a quote."""
    recording = quiet(tmp_path / "quiet.jsonl") if data is None else data
    home = tmp_path / "home"
    ended = replayed(home, "--data", recording, "--strategy", script(tmp_path / "own.py", *steps))
    assert ended.code == 0, ended.err
    assert paperdesk("db", "check", "--home", home).code == 0
    return paperdesk("explain", "PAPER-0-1", "--home", home).out.splitlines()


def test_a_market_order_walks_the_levels(tmp_path: Path) -> None:
    assert told(tmp_path, "ctx.buy(symbol, Decimal('4'))") == [
        "PAPER-0-1 of run 0001-replay: at 2023-11-14 22:13:20.100 UTC own-1 asked to buy 4.0 BTC/USDT with a market order (IOC), "
        "in answer to input 11.",
        "Input 11 was a picture of the book of BTC/USDT: 100.0 (5.0) bid, 100.1 (2.0) asked at its best.",
        "It was due at the venue 50 ms later (its account's latency), at 2023-11-14 22:13:20.150 UTC, to meet the market as it stood then; "
        "its account has the expected fill model.",
        "Time moves from input to input: the next one was input 13, 50 ms after it was due, and it met what was known before that.",
        "The newest before input 13: a picture of the book of BTC/USDT: 100.0 (5.0) bid, 100.1 (2.0) asked at its best (input 11).",
        "At 2023-11-14 22:13:20.200 UTC 2.0 was filled at 100.1 as taker, because the book displayed 2.0 there before input 13; "
        "the fee was 0.00200000 BTC (0.1 %, the instrument's own taker rate).",
        "At 2023-11-14 22:13:20.200 UTC 2.0 was filled at 100.2 as taker, because the book displayed 3.0 there before input 13; "
        "the fee was 0.00200000 BTC (0.1 %, the instrument's own taker rate).",
        "In all 4.0 for 400.60000000 USDT, in 2 fills over 2 levels of the book, 100.15 each on average, before fees.",
        "No amount had to be rounded.",
        "With that it was filled whole, at 2023-11-14 22:13:20.200 UTC.",
    ]


def test_a_resting_order_waits_for_its_turn_and_is_passed(tmp_path: Path) -> None:
    story = told(tmp_path, "ctx.buy(symbol, Decimal('1'), Decimal('100.0'))")
    # 5.0 stood ahead on arrival, 4.0 after the next quote; 4.5 traded at the price, so 0.5 reached us; 0.7 then traded below
    assert story[3:] == [
        "It came there before input 13. "
        "The newest before input 13: a picture of the book of BTC/USDT: 100.0 (5.0) bid, 100.1 (2.0) asked at its best (input 11).",
        "At 2023-11-14 22:13:20.500 UTC 0.5 was filled at 100.0 as maker, because 4.5 traded at its price, more than the 4.0 that stood ahead of it "
        "by the expected model (half way between the least and the most that can stand there) "
        "(input 16); the fee was 0.00050000 BTC (0.1 %, the instrument's own maker rate).",
        "At 2023-11-14 22:13:20.600 UTC 0.5 was filled at 100.0 as maker, because 0.7 traded at 99.9, below its price, so that it was passed, "
        "whatever stood ahead of it (input 17); the fee was 0.00050000 BTC (0.1 %, the instrument's own maker rate).",
        "In all 1.0 for 100.00000000 USDT, in 2 fills, 100 each on average, before fees.",
        "No amount had to be rounded.",
        "With that it was filled whole, at 2023-11-14 22:13:20.600 UTC.",
    ]


def test_a_denied_order_never_left(tmp_path: Path) -> None:
    story = told(tmp_path, "ctx.buy(symbol, Decimal('1000'))")
    assert story[2:] == [
        "It never left the desk, because the free balance does not cover the order (insufficient_balance). "
        "What to do: send a smaller order or cancel one that holds funds.",
        "Free at that time: 10000.00000000 USDT.",
    ]


def test_amounts_that_cannot_be_written_are_not_made_up(tmp_path: Path) -> None:
    story = told(tmp_path, "ctx.buy(symbol, Decimal('NaN'))")
    assert "asked to buy BTC/USDT with a market order (IOC), in answer" in story[0]
    assert "because a price or quantity was not a finite number (invalid_number)" in story[2]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            "ctx.buy(symbol, Decimal('1'), Decimal('100.2'), post_only=True)",
            "the venue rejected it, because a post-only order would have taken from the book on arrival (post_only_would_take). "
            "What to do: price it further from the other side.",
        ),
        (
            "ctx.buy(symbol, Decimal('9'), Decimal('100.1'), time_in_force=TimeInForce.IOC)",
            "it expired with 2.0 of 9.0 filled, because the rest of an immediate-or-cancel order found no counterpart (ioc_remainder). "
            "What to do: use GTC to let the rest wait.",
        ),
        (
            "ctx.buy(symbol, Decimal('9'), Decimal('100.1'), time_in_force=TimeInForce.FOK)",
            "it expired with 0.0 of 9.0 filled, because a fill-or-kill order could not be filled whole (fok_not_filled).",
        ),
        (
            "ctx.buy(symbol, Decimal('9'))",
            "it expired with 5.0 of 9.0 filled, because the visible book held no more within reach of a market order (no_liquidity).",
        ),
        (
            "ctx.buy(symbol, Decimal('1'), trigger=Decimal('90'))",
            "the venue rejected it, because the stop or take-profit would trigger at once (stop_would_trigger).",
        ),
        ("ctx.buy(symbol, Decimal('1'), Decimal('95'))", "It is still working, with 0.0 of 1.0 filled."),
    ],
)
def test_how_an_order_ended(tmp_path: Path, step: str, words: str) -> None:
    assert words in told(tmp_path, step)[-1]


def test_a_cancel_is_told_with_its_time(tmp_path: Path) -> None:
    steps = ("h.update(a=ctx.buy(symbol, Decimal('1'), Decimal('95')))", "ctx.cancel(h['a'])")
    assert told(tmp_path, *steps)[-1] == (
        "At 2023-11-14 22:13:20.400 UTC it was canceled on request, with 0.0 of 1.0 filled."
    )


def test_a_cancel_on_its_way_is_said_to_be(tmp_path: Path) -> None:
    steps = ("h.update(a=ctx.buy(symbol, Decimal('1'), Decimal('95')))", "pass", "ctx.cancel(h['a'])")
    data = capture(tmp_path / "short.jsonl", SHORT, step_ns=100_000_000)
    assert told(tmp_path, *steps, data=data)[-1] == (
        "It is still working, with 0 of 1 filled; a cancel is due at the venue at 2023-11-14 22:13:20.350 UTC."
    )


def test_an_order_on_its_way_is_said_to_be(tmp_path: Path) -> None:
    data = capture(tmp_path / "short.jsonl", SHORT, step_ns=100_000_000)
    story = told(tmp_path, "pass", "pass", "ctx.buy(symbol, Decimal('1'))", data=data)
    assert story[-1] == "It is still on its way: no market event has come since it was due."


def test_a_stop_tells_its_trigger_and_what_it_met(tmp_path: Path) -> None:
    frames = [
        *SHORT,
        print_of(1, "100.0", "0.2", seller_took=True),
        print_of(2, "100.1", "1.0"),
        ticker(103, "100.1", "1.0", "100.2", "3.0"),
        print_of(3, "100.2", "0.2"),
    ]
    data = capture(tmp_path / "up.jsonl", frames, step_ns=100_000_000)
    story = told(tmp_path, "pass", "pass", "ctx.buy(symbol, Decimal('1'), trigger=Decimal('100.2'))", data=data)
    assert "asked to buy 1.0 BTC/USDT with a stop-market order with its trigger at 100.2 (IOC)" in story[0]
    assert story[3] == "Its trigger at 100.2 was reached by input 18."
    assert story[4] == "Input 18 was a trade in BTC/USDT: 0.2 at 100.2, where a buyer took."
    assert "At 2023-11-14 22:13:20.700 UTC 1.0 was filled at 100.2 as taker" in story[5]


def test_bars_fill_at_the_open_and_never_at_touch(tmp_path: Path) -> None:
    own = strategy(
        tmp_path / "own.py",
        'bars = "1m"',
        "def on_bar(self, ctx, bar):",
        "    n = ctx.memory['n'] = ctx.memory.get('n', 0) + 1",
        "    if n == 1:",
        "        ctx.buy(bar.symbol, Decimal(1))",
        "        ctx.buy(bar.symbol, Decimal(1), Decimal('110'))",
    )
    home = tmp_path / "home"
    replayed(home, "--data", bars(tmp_path / "b.parquet", count=200), "--strategy", own)
    first, second = (paperdesk("explain", f"0001-replay:PAPER-0-{number}", "--home", home).out for number in (1, 2))
    assert (
        "to meet the first bar that began no earlier than it was sent; its account has the expected fill model."
        in first
    )
    assert (
        "as taker, because a bar that began no earlier than it was sent opened at 115.00, from where the expected model moves its price"
        in first
    )
    # √(1 lot of 50) × a range of 1.25 × 0.6006 × 2/3, rounded up to the tick
    assert "here by 0.08; the account can have 4 of that bar" in first
    assert (
        "as maker, because a bar went through its price, as far as 109.75 (touching it is not enough for the expected"
        in second
    )


def test_a_stop_inside_a_bar_is_told_by_each_fill_model(tmp_path: Path) -> None:
    own = strategy(
        tmp_path / "own.py",
        'bars = "1m"',
        "def on_bar(self, ctx, bar):",
        "    n = ctx.memory['n'] = ctx.memory.get('n', 0) + 1",
        "    if n == 1:",
        "        ctx.buy(bar.symbol, Decimal(1), trigger=Decimal('115.25'))",
    )
    home, data = tmp_path / "home", bars(tmp_path / "b.parquet", count=20)
    assert replayed(home, "--data", data, "--strategy", own, "--fill-band", "--fees", "binance").code == 0
    stories = [paperdesk("explain", f"PAPER-{account}-1", "--home", home).out.splitlines() for account in range(3)]
    # the second bar: open 115.00, high 115.50, low 114.25, 50 lots; √(1 of 50) × 1.25 × 0.6006 × 2/3 is 0.08, rounded up to the tick
    for story, price, words in zip(
        stories,
        ("115.33", "115.25", "115.50"),
        (
            "the expected model begins there, or at the bar's open where that had reached it, moved against it by two thirds of its own impact",
            "the optimistic model begins there, or at the bar's open where that had reached it, never beyond the bar's worst price, 115.50",
            "the pessimistic model takes the bar's worst price, 115.50; the account can have 2 of that bar (a twentieth of its volume)",
        ),
        strict=True,
    ):
        assert "to wait there for its trigger; its account has the" in story[2]
        assert story[4].endswith(
            "was a bar of BTC/USDT over 1 min: open 115.00, high 115.50, low 114.25, close 114.75."
        )
        assert f"1 was filled at {price} as taker, because a bar reached its trigger at 115.25, and {words}" in story[5]
        assert story[5].endswith("(0.1 %, the taker rate of the account's fee tier 0).")


def test_a_trail_tells_where_it_began_its_peak_and_what_fired_it(tmp_path: Path) -> None:
    frames = [*SHORT, *(print_of(n, price, "0.2") for n, price in enumerate(("100.0", "99.0", "99.5", "100.0"), 1))]
    data = capture(tmp_path / "trail.jsonl", frames, step_ns=100_000_000)
    own = "ctx.buy(symbol, Decimal('1'), trail_bips=100, trigger=Decimal('99.5'), take_profit=True)"
    story = told(tmp_path, "pass", own, data=data)
    assert (
        "asked to buy 1.0 BTC/USDT with a take-profit-market order that follows the price at 1 %, from 99.5 on, (IOC)"
        in story[0]
    )
    assert "to follow the price from when that reaches 99.5; its account" in story[2]
    assert story[3] == "It began to follow the price at 99.0, as the price had reached 99.5 (input 16)."
    assert story[4] == "Input 16 was a trade in BTC/USDT: 0.2 at 99.0, where a buyer took."
    assert (
        story[5]
        == "Input 18 fired it: the lowest price since then was 99.0, and the price rose to 100.0, by 1.01 %, where 1 % suffice."
    )
    assert "1.0 was filled at 100.1 as taker" in story[7]


def test_an_iceberg_tells_its_parts(tmp_path: Path) -> None:
    own = "ctx.buy(symbol, Decimal('1'), Decimal('100.0'), visible_quantity=Decimal('0.3'))"
    frames = [depth(95, 100), BOOK, ticker(101, "100.0", "5.0", "100.1", "2.0"), print_of(1, "100.0", "5.4", seller_took=True),
              print_of(2, "99.9", "0.5", seller_took=True)]  # fmt: skip
    story = told(tmp_path, own, data=capture(tmp_path / "parts.jsonl", frames, step_ns=100_000_000))
    assert "with a limit order at 100.0 with 0.3 shown at a time (GTC)" in story[0]
    assert "0.3 was filled at 100.0 as maker" in story[4]
    assert story[4].endswith("With that part 1 of 4 was done, and part 2 joined the queue behind 2.5.")
    assert story[5].endswith(
        "With that part 2 of 4 was done, and part 3 came up: who crosses its price meets what is hidden there, too."
    )


def test_orders_that_are_not_there(tmp_path: Path) -> None:
    told(tmp_path, "ctx.buy(symbol, Decimal('1'))")
    for name, code, words in (
        ("PAPER-0-9", 1, "Run 0001-replay has no order PAPER-0-9; the last one is PAPER-0-1."),
        ("0-1", 0, ""),
        ("paper-0-1 ", 0, ""),
        ("PAPER-7-1", 1, "Run 0001-replay has no order PAPER-7-1; account 7 has no orders in it."),
        (
            "SIGNAL-0-1",
            1,
            "account 0 has no signals in it. An order or signal of another run is named with it, such as 0001-replay:SIGNAL-0-1.",
        ),
        ("PAPER-0-99999999999999999999", 2, "is no order or signal; write PAPER-ACCOUNT-NUMBER"),
        ("hello", 2, "'hello' is no order or signal; write PAPER-ACCOUNT-NUMBER"),
        ("0007-sim:PAPER-0-1", 1, "There is no run '0007-sim'"),
    ):
        ended = paperdesk("explain", name, "--home", tmp_path / "home")
        assert ended.code == code and (code == 0 or words in ended.message)


def test_a_signal_tells_what_became_of_it(tmp_path: Path) -> None:
    steps = [
        "ctx.target(symbol, Decimal('0.00001'))",
        "ctx.target(symbol, Decimal('2'))",
        "ctx.target(symbol, Decimal('2'))",
    ]
    first = told(tmp_path, *steps)
    assert first[1] == "It followed SIGNAL-0-2: to hold 2.00000000 BTC, where the bot held 0.00000000 BTC."
    none, order = (
        paperdesk("explain", f"SIGNAL-0-{number}", "--home", tmp_path / "home").out.splitlines() for number in (1, 2)
    )
    assert none == [
        "SIGNAL-0-1 of run 0001-replay: at 2023-11-14 22:13:20.100 UTC own-1 wanted to hold 0.00001000 BTC where it held 0.00000000 BTC, "
        "with BTC/USDT at 100.0, in answer to input 11.",
        "Input 11 was a picture of the book of BTC/USDT: 100.0 (5.0) bid, 100.1 (2.0) asked at its best.",
        "No order followed, because less than a lot, the least that can be traded, was missing from what the bot wanted to hold "
        "(less_than_a_lot).",
    ]
    assert order[2:] == ["PAPER-0-1 followed from it:", *first]
    missing = paperdesk("explain", "SIGNAL-0-3", "--home", tmp_path / "home")
    assert "has no signal SIGNAL-0-3; the last one is SIGNAL-0-2." in missing.message


def test_an_amend_is_told_between_the_fills(tmp_path: Path) -> None:
    steps = ("h.update(a=ctx.buy(symbol, Decimal('2'), Decimal('100.0')))", "ctx.amend(h['a'], Decimal('1.2'))")
    story = told(tmp_path, *steps)
    # it arrives 50 ms after the second quote (100 ms apart), and tells time by the next event; 5.0, then 4.0 stood ahead
    assert story[4] == (
        "At 2023-11-14 22:13:20.400 UTC an amend made it smaller, from 2.0 to 1.2; it kept its place (input 16)."
    )
    assert story[5].startswith("At 2023-11-14 22:13:20.500 UTC 0.5 was filled at 100.0 as maker")
    assert story[-1] == "With that it was filled whole, at 2023-11-14 22:13:20.600 UTC."
    assert "asked to buy 2.0 BTC/USDT" in story[0] and "In all 1.2 for" in story[-3]


def test_an_amend_on_its_way_is_said_to_be(tmp_path: Path) -> None:
    steps = ("h.update(a=ctx.buy(symbol, Decimal('2'), Decimal('95')))", "pass", "ctx.amend(h['a'], lots=1)")
    data = capture(tmp_path / "short.jsonl", SHORT, step_ns=100_000_000)
    assert told(tmp_path, *steps, data=data)[-1] == (
        "It is still working, with 0 of 2 filled; an amend to 1 is due there at 2023-11-14 22:13:20.350 UTC."
    )


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("expire_maker", "it expired with 0.0 of 2.0 filled, because it would have met PAPER-0-3 of its own account, "
         "and no order trades with its own account (expired_in_match)."),
        ("decrement", "it became smaller, from 2.0 to 0.5, because so much of it would have met PAPER-0-3 of its own account: "
         "the mode decrement takes it from both (input 17)."),
        ("expire_taker", "It is still working, with 0.0 of 2.0 filled."),
        ("none", "It is still working, with 0.0 of 2.0 filled."),
    ],
)  # fmt: skip
def test_orders_of_one_account_that_meet_are_told(tmp_path: Path, mode: str, words: str) -> None:
    steps = (
        "ctx.buy(symbol, Decimal('2'), Decimal('99.8')), ctx.buy(symbol, Decimal('2'))",
        "pass",
        f"ctx.sell(symbol, Decimal('1.5'), Decimal('99.8'), self_trade='{mode}')",
    )
    data = capture(
        tmp_path / "gap.jsonl",
        [
            depth(95, 100),
            picture(100, [["99.5", "5.0"], ["99.4", "5.0"]], [["100.1", "2.0"], ["100.2", "3.0"]]),
            *(ticker(101 + place, "99.5", f"{place + 1}.5", "100.1", "2.0") for place in range(4)),
            print_of(1, "100.1", "0.7"),
        ],
        step_ns=100_000_000,
    )
    story = told(tmp_path, *steps, data=data)
    assert any(words in sentence for sentence in story), story
    sale = paperdesk("explain", "PAPER-0-3", "--home", tmp_path / "home").out
    assert ("self-trade none" in sale) == (mode == "none")
    assert ("it would have met PAPER-0-1 of its own account" in sale) == (mode in ("expire_taker", "decrement"))
    assert ("never trades with them" in sale) == (mode == "none")
