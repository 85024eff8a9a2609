"""Trading by hand: an order from the ticket to its story, what is refused and why, the kill switch, and all of it from the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.browser import Visit, same_events, until, visiting
from tests.family.desk import Desk, desk


@pytest.fixture(scope="module")
def one(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk") / "home") as made:
        yield made


def fills_of(one: Desk, order: str) -> list[dict[str, object]]:
    return [fill for fill in one.get("fills")["fills"] if fill["order"] == order]


def test_a_market_order_from_ticket_to_story(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        seen.tab("Positions")
        before = page.locator(".tables tbody tr").all_inner_texts()
        seen.draft("market", "0.003")
        expect(page.locator("dialog[open]")).to_contain_text("PAPER")
        expect(page.locator("dialog[open] .confirm-sentence")).to_contain_text("Buy 0.003 BTC at market, paper.")
        expect(page.locator("dialog[open] .estimate")).to_contain_text(
            "through the book as shown now", ignore_case=True
        )
        seen.tap("Buy, paper")
        expect(page.locator("dialog[open]")).to_have_count(0)
        order = page.locator(".ticket .done strong").inner_text().split(":")[0]
        filled = page.locator(".feed li.good", has_text=f"{order} bought")
        expect(filled.first).to_contain_text("as taker, fee")
        until(seen, lambda: page.locator(".tables tbody tr").all_inner_texts() != before, "the position stays")
        expect(page.locator(".chart-holder")).to_have_attribute("aria-label", re.compile("[1-9][0-9]* fills? and"))
        seen.tab("Fills")
        row = page.locator(".fills tbody tr", has=page.get_by_role("button", name=order, exact=True)).first
        row.locator(".fold").click()
        expect(page.locator(".receipt-box")).to_contain_text("was filled at")
        expect(page.locator(".receipt-box dl")).to_contain_text("book walk")
        page.locator(".receipt-box").get_by_role("button", name=f"The life of {order} in sentences").click()
        expect(page.locator("dialog[open] .story li").nth(1)).to_contain_text("UTC")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        assert fills_of(one, order) and seen.errors == [] and seen.fits()
        same_events(seen, one)


def test_what_is_wrong_is_said_with_what_to_do(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        seen.draft("market", "0.0100001")
        expect(page.locator(".ticket .fault").first).to_have_text(
            "The quantity goes in steps of 0.00001: 0.01 or 0.01001."
        )
        expect(page.locator("dialog[open]")).to_have_count(0)
        seen.draft("limit", "1000", "60000")
        seen.tap("Buy, paper")
        refused = page.locator("dialog[open] .refusal")
        expect(refused).to_contain_text("insufficient_balance")
        expect(refused).to_contain_text("What to do: Send a smaller order")
        page.keyboard.press("Escape")
        expect(page.locator(".feed li.warning").first).to_contain_text("insufficient_balance")
        assert [told for told in seen.errors if "422" not in told] == []


def test_a_limit_order_waits_and_is_canceled(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        order = seen.send("limit", "0.001", "50000")
        seen.tab("Open orders")
        row = page.locator(".tables tbody tr", has=page.get_by_role("button", name=order, exact=True))
        expect(row).to_contain_text("accepted")
        expect(page.locator(".chart-holder")).to_have_attribute("aria-label", re.compile("and 1 open order of ours"))
        seen.tap(f"Cancel {order}")
        expect(row).to_have_count(0)
        expect(page.locator(".feed")).to_contain_text(f"{order} was canceled")
        seen.tab("Past orders")
        past = page.locator(".tables tbody tr", has=page.get_by_role("button", name=order, exact=True))
        until(seen, lambda: seen.tap("Read again") or "canceled" in " ".join(past.all_inner_texts()), "it is not past")
        assert seen.errors == []


def test_the_kill_switch(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        waiting = seen.send("limit", "0.001", "50000")
        expect(page.locator(".feed")).to_contain_text(f"{waiting} is working")
        seen.tap("Kill switch")
        expect(page.locator("dialog[open]")).to_contain_text("No new orders are taken")
        seen.tap("Back")
        assert one.get("desk")["killed"] is False, "nothing is done before it is confirmed"
        seen.tap("Kill switch")
        seen.tap("Kill: stop and cancel all")
        expect(page.locator(".killed-word")).to_be_visible()
        expect(page.locator(".alerts")).to_contain_text("KILLED")
        expect(page.get_by_role("tab", name="Open orders 0")).to_be_visible()
        expect(page.locator(".ticket form .refusal")).to_contain_text("The desk is killed")
        seen.draft("market", "0.001")
        seen.tap("Buy, paper")
        refused = page.locator("dialog[open] .refusal")
        expect(refused).to_contain_text("killed")
        expect(refused).to_contain_text("What to do:")
        page.keyboard.press("Escape")
        seen.tap("Resume desk")
        seen.tap("Resume", exact=True)
        expect(page.locator(".killed-word")).to_have_count(0)
        seen.send("market", "0.001")
        assert [told for told in seen.errors if "422" not in told] == []


def tab_to(seen: Visit, what: str) -> None:
    """Press Tab until something has the focus, which is always seen."""
    for _ in range(80):
        seen.page.keyboard.press("Tab")
        outline = seen.page.evaluate(
            "(() => { const n = document.activeElement, o = getComputedStyle(n.type === 'radio' ? n.closest('label') : n);"
            " return n === document.body || o.outlineStyle !== 'none' && parseFloat(o.outlineWidth) >= 2; })()"
        )
        assert outline, seen.page.evaluate("document.activeElement.outerHTML.slice(0, 80)")
        if seen.page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"{what} is not reached")


def test_the_keyboard_alone(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page, press = seen.page, seen.page.keyboard.press
        press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        press("Enter")
        assert page.evaluate("document.activeElement.id") == "main", "the way is skipped"
        tab_to(seen, "input[name=quantity]")
        page.keyboard.type("0.0100001")
        press("Enter")
        expect(page.locator(".fault").first).to_contain_text("steps of 0.00001")
        press("Control+A")
        page.keyboard.type("0.001")
        press("Tab")
        page.keyboard.type("70000")
        press("Enter")
        expect(page.locator("dialog[open] .confirm-sentence")).to_contain_text("Buy 0.001 BTC at 70")
        press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(1)
        press("Enter")
        order = page.locator(".ticket .done strong").inner_text().split(":")[0]
        expect(page.locator(".feed li.good", has_text=f"{order} bought")).not_to_have_count(0)
        tab_to(seen, "button.kill")
        press("Enter")
        expect(page.locator("dialog[open]")).to_contain_text("Stop the whole desk?")
        press("Enter")
        expect(page.locator(".killed-word")).to_be_visible()
        expect(page.locator("dialog[open]")).to_have_count(0)
        press("Enter")
        expect(page.locator("dialog[open]")).to_contain_text("Resume the desk?")
        press("Enter")
        expect(page.locator(".killed-word")).to_have_count(0)
        assert seen.errors == []
