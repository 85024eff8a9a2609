"""`paperdesk explain` names what a reader needs to believe a fill, or a refusal: the book that was met, who took of it before, what was spent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.desk import paperdesk
from tests.app.test_explain import told


def explained(tmp_path: Path, name: str) -> list[str]:
    """The sentences about another order of the run that `told` made."""
    return paperdesk("explain", name, "--home", tmp_path / "home").out.splitlines()


def test_an_order_of_a_quote_quantity_asks_for_money_and_tells_what_it_spent(tmp_path: Path) -> None:
    story = told(tmp_path, "ctx.buy(symbol, quote_quantity=Decimal('150'))")
    # whole tenths at 100.1: 1.4 for 140.14, and 1.5 would cost 150.15
    assert "asked to buy BTC/USDT for at most 150.00000000 USDT with a market order (IOC), in answer" in story[0]
    assert "That came to 140.14000000 USDT, before fees." in story
    assert "it expired with 1.4 filled for 140.14000000 of 150.00000000 USDT, because" in story[-1]
    assert story[-1].endswith("(quote_quantity_reached). There is nothing to do: it is done.")


def test_what_the_account_took_before_is_told(tmp_path: Path) -> None:
    first = told(tmp_path, "ctx.buy(symbol, Decimal('1.5')), ctx.buy(symbol, Decimal('2'))")
    assert not any("had taken" in sentence for sentence in first)
    fills = [sentence for sentence in explained(tmp_path, "PAPER-0-2") if "was filled at" in sentence]
    assert "0.5 was filled at 100.1" in fills[0]
    assert "displayed 2.0 there before input 14, of which its account had taken 1.5 before; the fee" in fills[0]
    assert "1.5 was filled at 100.2" in fills[1] and "displayed 3.0 there before input 14; the fee" in fills[1]


def test_an_order_that_gave_way_is_told_by_the_one_that_came(tmp_path: Path) -> None:
    steps = (
        "ctx.buy(symbol, Decimal('1'))",
        "ctx.sell(symbol, Decimal('0.5'), Decimal('100.1'))",
        "ctx.buy(symbol, Decimal('2.3'), Decimal('100.1'), time_in_force=TimeInForce.IOC)",
    )
    told(tmp_path, *steps)
    # 2.0 stood ahead of the sale when it came; 2.5 is displayed when the purchase comes
    story = explained(tmp_path, "PAPER-0-3")
    place = next(number for number, sentence in enumerate(story) if "2.0 was filled" in sentence)
    assert (
        "displayed 2.5 there before input 18, and this was left of it ahead of PAPER-0-2 of its own account; the fee"
        in story[place]
    )
    assert story[place + 1] == (
        "PAPER-0-2 of its own account, which it would have met at 2023-11-14 22:13:20.500 UTC, expired in its stead (self-trade expire-maker)."
    )
    assert (
        "0.3 was filled at 100.1" in story[place + 2]
        and "displayed 2.5 there before input 18; the fee" in story[place + 2]
    )
    assert explained(tmp_path, "PAPER-0-2")[-1] == (
        "Which of them ends is said by the self-trade mode of the one that came: that of PAPER-0-3, expire-maker (who waited ends)."
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("ctx.buy(symbol, Decimal('1000'), Decimal('100.0'))", "Free at that time: 10000.00000000 USDT, of the 100000.00000000 USDT that it needed."),
        ("ctx.sell(symbol, Decimal('1'))", "Free at that time: 0.00000000 BTC, of the 1.00000000 BTC that it needed."),
        ("ctx.buy(symbol, quote_quantity=Decimal('20000'))", "Free at that time: 10000.00000000 USDT, of the 20000.00000000 USDT that it needed."),
        ("ctx.buy(symbol, Decimal('1000'))", "Free at that time: 10000.00000000 USDT."),
    ],
)  # fmt: skip
def test_what_a_denied_order_needed(tmp_path: Path, step: str, words: str) -> None:
    assert told(tmp_path, step)[-1] == words


@pytest.mark.parametrize(
    "step",
    [
        "ctx.buy(symbol, Decimal('1'), Decimal('100.2'), post_only=True)",
        "ctx.buy(symbol, Decimal('1'), trigger=Decimal('90'))",
        "ctx.buy(symbol, Decimal('9'), Decimal('100.1'), time_in_force=TimeInForce.FOK)",
    ],
)
def test_what_was_known_when_it_was_refused_or_found_nothing(tmp_path: Path, step: str) -> None:
    assert told(tmp_path, step)[3:5] == [
        "Time moves from input to input: the next one was input 13, 50 ms after it was due, and it met what was known before that.",
        "The newest before input 13: a picture of the book of BTC/USDT: 100.0 (5.0) bid, 100.1 (2.0) asked at its best (input 11).",
    ]


def test_a_take_profit_limit_says_what_it_became_and_a_trail_where_it_began(tmp_path: Path) -> None:
    limit = "ctx.buy(symbol, Decimal('1'), Decimal('100.0'), trigger=Decimal('100.0'), take_profit=True)"
    story = told(tmp_path, f"ctx.buy(symbol, Decimal('1'), trail_bips=100), {limit}")
    assert "It began to follow the price at 100.1, the last price known by then (input 14)." in story
    assert "The newest before input 14: a picture of the book of BTC/USDT" in story[4]
    assert "Its trigger at 100.0 was reached by input 17. From then on it was a limit order at 100.0." in explained(
        tmp_path, "PAPER-0-2"
    )
