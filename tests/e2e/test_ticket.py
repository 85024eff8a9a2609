"""The ticket's rarer terms: through the page to the desk's own word on them, on terms that a reader elsewhere in the world reads rightly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, expect
from tests.e2e.browser import Visit, visiting
from tests.family.desk import REPO, Desk, desk

LOOK = (REPO / "web" / "dev" / "look.js").read_text(encoding="utf-8")
ZONE = "America/New_York"


@pytest.fixture(scope="module")
def one(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk") / "home") as made:
        yield made


def write(ticket: Locator, **numbers: str) -> None:
    for name, text in numbers.items():
        ticket.locator(f"input[name={name}]").fill(text)


def sent(seen: Visit, one: Desk, side: str) -> dict[str, Any]:
    """Confirm what is under review; the order as the desk's API tells it."""
    seen.tap(f"{side.capitalize()}, paper")
    answer = seen.page.locator(".panel.ticket .done strong")
    expect(answer).to_contain_text("PAPER-0-")
    name = answer.inner_text().split(":")[0]
    expect(seen.page.locator(".feed")).to_contain_text(name)

    def found() -> list[dict[str, Any]]:
        orders = one.get("orders", status="all", limit=50)["orders"]
        return [order for order in orders if order["id"] == name and order["status"] != "submitted"]

    return dict(one.wait(found)[0])


def test_rarer_terms_reach_the_desk(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size, timezone_id=ZONE) as seen:
        page, ticket = seen.page, seen.page.locator(".panel.ticket")
        expect(ticket.get_by_label("Reduce-only")).to_be_hidden()
        ticket.get_by_label("Type").select_option("market")
        ticket.locator("summary").press("Enter")
        ticket.get_by_label("USDT to spend").check()
        expect(ticket.get_by_label("Reduce-only")).to_be_disabled()
        expect(ticket.locator("summary")).to_have_text("More terms: spend USDT")
        write(ticket, budget="100")
        expect(ticket.locator(".estimate")).to_contain_text("Buys about0.00")
        seen.tap("Review buy order")
        expect(page.locator("dialog[open] .confirm-sentence")).to_contain_text("Spend at most 100 USDT on BTC")
        bought = sent(seen, one, "buy")
        assert bought["order_type"] == "market" and float(bought["quote_quantity"]) == 100, bought
        assert 90 < float(bought["quote_amount"]) <= 100, bought
        expect(ticket.locator(".done")).to_contain_text("for at most 100.00000000 USDT")

        ticket.get_by_label("USDT to spend").press("ArrowLeft")
        ticket.locator(".sides-choice label.sell").click()
        ticket.get_by_label("Type").select_option("take_profit_limit")
        ticket.get_by_label("Time in force").select_option("gtd")
        ticket.get_by_label("Reduce-only").check()
        write(ticket, quantity="0.001", trigger="90000", price="89000")
        deadline = ticket.locator("input[name=deadline]")
        local = datetime.fromisoformat(deadline.input_value()).replace(tzinfo=ZoneInfo(ZONE))
        moment = local.astimezone(UTC)
        left = moment - datetime.fromisoformat(one.get("state")["time"])
        assert timedelta(minutes=58) < left < timedelta(minutes=62), "an hour of the desk's time from now"
        expect(ticket).to_contain_text(f"= {moment:%Y-%m-%d %H:%M} UTC")
        expect(ticket.locator("summary")).to_have_text("More terms: reduce-only")
        expect(ticket.locator(".caution")).to_have_count(0)
        assert page.evaluate(LOOK) == {"faint": [], "nameless": []} and seen.fits()
        seen.tap("Review sell order")
        said = page.locator("dialog[open] .confirm-sentence")
        for words in (
            f"till {local:%Y-%m-%d %H:%M} ({moment:%Y-%m-%d %H:%M} UTC)",
            "once the price rises to",
            "Reduce-only",
        ):
            expect(said).to_contain_text(words)
        order = sent(seen, one, "sell")
        told = {name: order[name] for name in ("side", "order_type", "time_in_force", "reduce_only", "status")}
        assert told == {
            "side": "sell", "order_type": "take_profit_limit", "time_in_force": "gtd", "reduce_only": True, "status": "accepted",
        }  # fmt: skip
        assert int(order["expire_ns"]) == int(moment.timestamp()) * 10**9
        assert float(order["trigger_price"]) == 90000 and float(order["price"]) == 89000
        seen.tab("Open orders")
        row = page.locator(".tables tbody tr", has=page.get_by_role("button", name=order["id"], exact=True))
        expect(row).to_contain_text(f"GTD till {local:%Y-%m-%d %H:%M}:00 reduce-only")
        assert seen.errors == [] and seen.fits()


def test_what_cannot_be_is_held_back(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        ticket = seen.page.locator(".panel.ticket")
        ticket.get_by_label("Type").select_option("take_profit_limit")
        ticket.get_by_label("Time in force").select_option("gtd")
        write(ticket, quantity="0.001", trigger="90000", price="89000", deadline="2020-01-01T00:00")
        expect(ticket.locator(".caution")).to_contain_text("the trigger of a take-profit buy lies below it")
        seen.tap("Review buy order")
        expect(ticket.locator(".fault").first).to_contain_text("The deadline must lie after the desk's time")
        expect(seen.page.locator("dialog[open]")).to_have_count(0)
        ticket.get_by_label("Type").select_option("market")
        expect(ticket.locator("input[name=deadline], input[name=trigger], input[name=price]")).to_have_count(0)
        expect(ticket.get_by_label("Time in force").locator("option")).to_have_text(["IOC", "FOK"])
        assert seen.errors == []


def test_orders_that_follow_the_price_and_icebergs(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page, ticket = seen.page, seen.page.locator(".panel.ticket")
        ticket.get_by_label("Type").select_option("stop_market")
        ticket.locator("summary").click()
        expect(ticket.locator("input[name=visible]")).to_have_count(0)
        write(ticket, quantity="0.001", trail="0.005")
        ticket.locator("summary").click()
        seen.tap("Review buy order")
        expect(ticket.locator(".more-terms .fault")).to_contain_text("from 0.01 to 99.99")
        expect(ticket.locator("input[name=trail]")).to_be_visible()
        write(ticket, trail="1.5")
        expect(ticket).to_contain_text("Activation price, USDT may be left out")
        expect(ticket.locator("summary")).to_have_text("More terms: trailing 1.5 %")
        assert page.evaluate(LOOK) == {"faint": [], "nameless": []} and seen.fits()
        seen.tap("Review buy order")
        said = page.locator("dialog[open] .confirm-sentence")
        expect(said).to_contain_text("once the price has risen 1.5 % above its lowest since the order arrived")
        order = sent(seen, one, "buy")
        assert order["trail"]["bips"] == 150 and order["trigger_price"] is None and order["status"] == "accepted", order

        ticket.get_by_label("Type").select_option("limit")
        write(ticket, quantity="0.01", price="50000", visible="0.02")
        expect(ticket.locator(".more-terms .fault")).to_contain_text("not be larger than the quantity")
        write(ticket, visible="0.002")
        seen.tap("Review buy order")
        expect(said).to_contain_text("the book shows 0.002 BTC of it at a time")
        iceberg = sent(seen, one, "buy")
        assert float(iceberg["visible_quantity"]) == 0.002 and iceberg["trail"] is None, iceberg
        seen.tab("Open orders")
        table = page.locator(".tables tbody")
        expect(table).to_contain_text("stop market IOC trailing 1.5 %")
        expect(table).to_contain_text("limit GTC showing 0.002")
        assert seen.errors == [] and seen.fits()
