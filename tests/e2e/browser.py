"""A real browser for the journeys: Debian's Chromium, pages as on a desk and on a phone, and what a page said, asked for and shows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.family.desk import REPO, Desk

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 30_000
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}
WATCH = """() => {
  window.said = [];
  const note = () => window.said.push(document.querySelector(".connection").innerText, document.querySelector(".alerts").innerText);
  new MutationObserver(note).observe(document.querySelector(".head"), { subtree: true, childList: true, characterData: true });
}"""
PAGE = REPO / "src" / "paperdesk" / "api" / "static" / "index.html"


def missing() -> str:
    """What the journeys lack on this machine, and how to get it; empty where nothing is."""
    if shutil.which("chromium") is None:
        return "needs a browser: as root, apt-get install chromium"
    if not PAGE.is_file():
        return "needs the built page: make web (Node 20.19, 22.12 or newer, or a package registry within reach)"
    return ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, ended afterwards."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page of a desk, and what came of it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    """What the browser complained of."""
    asked: list[str] = field(default_factory=list)
    """Every address that was asked for, streams too."""

    def hosts(self) -> set[str]:
        """The hosts and ports that were asked for."""
        return {urlsplit(address).netloc for address in self.asked}

    def event_ids(self) -> list[str]:
        """The events on the page, newest first."""
        return self.page.locator(".feed li").evaluate_all("all => all.map(one => one.dataset.id)")

    def watch(self) -> None:
        """Keep all that the page says of its connection and of trouble from now on, however briefly; a page loaded anew keeps nothing."""
        self.page.evaluate(WATCH)

    def says(self, what: str) -> None:
        """Wait until that was said since the page was watched."""
        until(
            self,
            lambda: self.page.evaluate("what => window.said.some(text => text.includes(what))", what),
            f"never said: {what}",
        )

    def fits(self) -> bool:
        """Whether nothing is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def tap(self, name: str, exact: bool = False) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=exact).click()

    def tab(self, name: str) -> None:
        """Choose one of Positions, Open orders, Fills, Past orders."""
        self.page.get_by_role("tab", name=name).click()

    def draft(self, kind: str, quantity: str, price: str = "", side: str = "buy") -> None:
        """Fill in the ticket and ask for the review."""
        ticket = self.page.locator(".panel.ticket")
        ticket.locator(f".sides-choice label.{side}").click()
        ticket.get_by_label("Type").select_option(kind)
        ticket.locator("input[name=quantity]").fill(quantity)
        if price:
            ticket.locator("input[name=price]").fill(price)
        self.tap(f"Review {side} order")

    def send(self, kind: str, quantity: str, price: str = "", side: str = "buy") -> str:
        """An order through the ticket; its name."""
        self.draft(kind, quantity, price, side)
        self.tap(f"{side.capitalize()}, paper")
        answer = self.page.locator(".panel.ticket .done strong")
        expect(answer).to_contain_text("PAPER-0-")
        return answer.inner_text().split(":")[0]


def visit(browser: Browser, url: str, size: str = "desktop", **options: Any) -> Visit:
    """Open the desk's page in a context of its own, and wait until the desk is shown."""
    page = browser.new_context(**{**SIZES[size], **options}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    seen = Visit(page, url)
    page.on("console", lambda told: seen.errors.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda asked: seen.asked.append(asked.url))
    page.on("websocket", lambda stream: seen.asked.append(stream.url))
    page.goto(url)
    shown(seen)
    return seen


def shown(seen: Visit) -> None:
    """Until the page follows its desk."""
    expect(seen.page.locator(".connection.live")).to_be_visible()
    expect(seen.page.locator(".feed li").first).to_be_visible()
    expect(seen.page.locator(".levels.bid tbody tr").first).to_be_visible()


def until(seen: Visit, what: Callable[[], Any], otherwise: str) -> None:
    """Until something is true that no single element tells; the page goes on meanwhile."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not what():
        assert time.monotonic() < end, otherwise
        seen.page.wait_for_timeout(100)


@contextmanager
def visiting(browser: Browser, url: str, size: str = "desktop", **options: Any) -> Iterator[Visit]:
    """A visit that is over afterwards."""
    seen = visit(browser, url, size, **options)
    try:
        yield seen
    finally:
        seen.page.context.close()


def same_events(seen: Visit, one: Desk) -> int:
    """Hold the page's events against the desk's own: each once, in order, none left out. How many they are."""
    ids = seen.event_ids()[::-1]
    places = [place(told) for told in ids]
    assert places == sorted(set(places)), "each event once, in order"
    kept: list[str] = []
    after = ids[0]
    while place(after) < places[-1]:
        told = one.get("events", after=after, limit=1000)
        assert told["events"], f"the desk knows nothing after {after}, and the page shows {ids[-1]}"
        kept += [event["id"] for event in told["events"]]
        after = kept[-1]
    known = [told for told in kept if place(told) <= places[-1]]
    missed, made_up = [told for told in known if told not in ids], [told for told in ids[1:] if told not in known]
    assert not missed and not made_up, f"the page lacks {missed}; the desk does not know {made_up}"
    return len(ids)


def place(told: str) -> tuple[int, int]:
    """The place of an event id, SEQ.NUMBER."""
    seq, _, number = told.partition(".")
    return int(seq), int(number)
