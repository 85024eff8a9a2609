"""Three fill models and a ghost on the page: the band around the curve, the numbers beside the account's own, the same orders for all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect
from tests.e2e.browser import until, visiting
from tests.family.desk import Desk, desk
from tests.shared import shared_data

JOINS = """from paperdesk.strategies.api import Strategy


class Joiner(Strategy):
    name = "joiner"

    def on_quote(self, ctx, quote):
        if quote.ts_ns - ctx.memory.get("last", 0) > 1_000_000_000:
            ctx.memory["last"] = quote.ts_ns
            ctx.cancel_all()
            ctx.buy_lots(quote.symbol, 5000, price_ticks=quote.bid_ticks, post_only=True)
            ctx.sell_lots(quote.symbol, 5000, price_ticks=quote.ask_ticks, post_only=True)
"""
LIMITS = '[limits]\nmax_position = "4000"\n'
BAND = """canvas => {
  const probe = new OffscreenCanvas(1, 1).getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--band");
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if ([0, 1, 2, 3].every(one => Math.abs(data[at + one] - wanted[one]) < 3)) found += 1;
  }
  return found;
}"""
"""Pixels of a canvas that have the band's colour."""


@pytest.fixture(scope="module")
def one(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("band")
    (folder / "joiner.py").write_text(JOINS, encoding="utf-8")
    (folder / "limits.toml").write_text(LIMITS, encoding="utf-8")
    data = ("--data", shared_data("l2/binance_BTCUSDT_20240808.jsonl.zst"), "--speed", "5")
    own = ("--strategy", folder / "joiner.py", "--balance", "10000USDT,0.1BTC", "--config", folder / "limits.toml")
    with desk(folder / "home", *data, *own, "--fill-band", "--shadow", feed="replay") as made:
        yield made


def number(place: Locator) -> Decimal:
    """The exact figure behind a shown one."""
    return Decimal((place.locator("[title]").get_attribute("title") or "").split()[0])


def test_the_band_and_the_ghost_beside_the_account(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        account = seen.page.locator(".panel.account")
        expect(account.locator(".aside")).to_contain_text("expected fills")
        models = account.locator("section[aria-label='Fill models']")
        expect(models.locator("h3")).to_have_text("Same strategy, three fill models")
        rows = models.locator(".models div")
        expect(rows.locator("dt")).to_have_text(["optimistic", "expected", "pessimistic", "spread"])
        until(seen, lambda: number(rows.nth(3)) > 0, "the three are never apart")
        told = [number(rows.nth(place)) for place in range(4)]
        assert max(told[:3]) - min(told[:3]) == told[3]
        ghost = account.locator("section.ghost")
        expect(ghost).to_contain_text("GHOST the same bots without limits")
        figures = ghost.locator(".models div")
        until(seen, lambda: number(figures.nth(1)) != 0, "the ghost does the same as the account")
        expect(seen.page.locator(".curve-key")).to_contain_text("GHOST")
        curve = account.locator(".curve")
        words = "Equity over time, with the band of three fill models around it, and the ghost's line; the figure above is the latest"
        expect(curve).to_have_attribute("aria-label", words)
        until(seen, lambda: any(one.evaluate(BAND) > 50 for one in curve.locator("canvas").all()), "no area is drawn")
        assert seen.errors == [] and seen.fits()


def test_an_order_goes_to_all_accounts_and_the_page_says_so(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        seen.draft("limit", "0.001", "30000")
        expect(seen.page.locator("dialog .same-orders")).to_have_text("Goes to all 4 accounts: same orders.")
        seen.tap("Buy, paper")
        expect(seen.page.locator(".panel.ticket .done strong")).to_contain_text("PAPER-0-")

        def sent() -> list[int]:
            return [
                len([row for row in one.get("orders", account=at, limit=500)["orders"] if row["bot"] == 0])
                for at in range(4)
            ]

        until(seen, lambda: len(set(sent())) == 1 and sent()[0] > 0, "the others did not get it")
        shown = seen.page.locator(".feed li").evaluate_all("all => all.map(one => one.innerText)")
        assert not [text for text in shown if "PAPER-1-" in text or "PAPER-3-" in text], "events are the account's own"
        assert seen.errors == []
