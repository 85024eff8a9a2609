"""Tries the built page in a browser against the fake desk: what must hold on every screen, and what must happen in trouble.

python web/dev/check.py; needs Chromium, Python's playwright, `npm ci` and a built page. Prints a line for each thing tried; ends with 1 where one failed.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from shots import ARGS

PORT = 8797
URL = f"http://127.0.0.1:{PORT}/"
FAKE = Path(__file__).with_name("fake.mjs")
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")


class Desk:
    """The fake desk, which can be ended and begun."""

    def begin(self) -> None:
        """Until it answers."""
        self.process = subprocess.Popen(["node", str(FAKE), "--port", str(PORT)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), "the fake desk did not begin"

    def end(self) -> None:
        """And wait for it."""
        self.process.kill()
        self.process.communicate()


def play(what: str) -> None:
    """Tell the fake desk what to play."""
    urllib.request.urlopen(urllib.request.Request(f"{URL}fake/{what}", data=b"", method="POST")).close()  # noqa: S310


def open_page(
    browser: Browser, complaints: list[str], theme: str = "dark", width: int = 1440, height: int = 900
) -> Page:
    """A page that shows the desk; what the browser complains of is kept."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(URL)
    expect(page.locator(".connection.live")).to_be_visible()
    expect(page.locator(".feed li").first).to_be_visible()
    return page


def looks(browser: Browser, desk: Desk) -> None:
    """Every size and theme: nothing too wide, the banner always there, contrast, names."""
    complaints: list[str] = []
    for theme in ("dark", "light"):
        for width, height in ((1440, 900), (1024, 768), (390, 844)):
            page = open_page(browser, complaints, theme, width, height)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"too wide at {width}"
            page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            for sign in (".banner .paper", ".banner .source"):
                box = page.locator(sign).bounding_box()
                assert box and 0 <= box["y"] < 60, f"{sign} is gone at {width}"
            wrong = page.evaluate(LOOK)
            assert wrong == {"faint": [], "nameless": []}, f"{theme} {width}: {wrong}"
            page.close()
    assert complaints == [], complaints


def keyboard(browser: Browser, desk: Desk) -> None:
    """An order from the keyboard alone; focus is always seen."""
    page = open_page(browser, [])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = 0
    while page.evaluate("document.activeElement.name") != "quantity":
        page.keyboard.press("Tab")
        seen += 1
        assert seen < 60, "the ticket is not reached"
        shown = page.evaluate(
            "(() => { const n = document.activeElement, o = getComputedStyle(n.type === 'radio' ? n.closest('label') : n);"
            " return o.outlineStyle !== 'none' && parseFloat(o.outlineWidth) >= 2; })()"
        )
        assert shown, f"focus is not seen on {page.evaluate('document.activeElement.outerHTML.slice(0, 80)')}"
    page.keyboard.type("0.0100001")
    page.keyboard.press("Enter")
    expect(page.locator(".fault").first).to_contain_text("steps of 0.00001")
    page.keyboard.press("Control+A")
    page.keyboard.type("0.01")
    page.keyboard.press("Tab")
    page.keyboard.type("60000")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] .confirm-sentence")).to_contain_text("Buy 0.01 BTC at 60")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".ticket .done")).to_contain_text("submitted")
    page.close()


def restarts(browser: Browser, desk: Desk) -> None:
    """Streams end; the page comes back by itself, and misses nothing."""
    page = open_page(browser, [])
    page.evaluate("window.same = true")
    began = time.monotonic()
    play("restart")
    for what in ("stale", "live", "stale", "live"):  # told while nobody listens
        play(what)
    page.locator(".connection.reconnecting").wait_for()
    page.locator(".connection.live").wait_for()
    took = time.monotonic() - began
    assert took < 1.5, f"it took {took:.1f} s to come back"
    page.wait_for_timeout(500)
    titles = page.locator(".feed li > div > span").evaluate_all("all => all.map((one) => one.title)")
    seqs = [int(title.rpartition(" ")[2]) for title in titles][:20]
    assert seqs == list(range(seqs[0], seqs[0] - 20, -1)), f"events are missing or told twice: {seqs}"
    assert sum(title.startswith("market") for title in titles[:10]) >= 4, titles[:10]
    desk.end()
    page.locator(".connection.reconnecting").wait_for()
    expect(page.locator(".alerts")).to_contain_text("Not connected")
    expect(page.locator("main.old")).to_be_visible()
    page.wait_for_timeout(2500)
    desk.begin()
    page.locator(".connection.live").wait_for(timeout=12_000)
    expect(page.locator(".alerts")).not_to_contain_text("Not connected")
    expect(page.locator("main.old")).to_have_count(0)
    assert page.evaluate("window.same"), "the page was loaded anew"
    page.close()


def trouble(browser: Browser, desk: Desk) -> None:
    """Stale data, a failed bot, a refusal, the kill switch: each is said plainly."""
    page = open_page(browser, [])
    play("stale")
    expect(page.locator(".alerts")).to_contain_text("stale_data")
    expect(page.locator(".chart .over")).to_contain_text("Market data is stale")
    expect(page.locator(".ticket form .refusal")).to_contain_text("stale_data")
    page.get_by_label("Type").select_option("market")
    page.get_by_label("Quantity, BTC").fill("0.01")
    page.get_by_role("button", name="Review buy order").click()
    page.get_by_role("button", name="Buy, paper").click()
    expect(page.locator("dialog[open] .refusal").last).to_contain_text("What to do")
    page.keyboard.press("Escape")
    play("live")
    expect(page.locator(".chart .over")).to_have_count(0)
    play("fail")
    page.locator(".bots summary").click()
    expect(page.locator(".bots pre")).to_contain_text("ZeroDivisionError")
    page.get_by_role("button", name="Kill switch").click()
    page.get_by_role("button", name="Kill: stop and cancel all").click()
    expect(page.locator(".killed-word")).to_be_visible()
    expect(page.get_by_role("tab", name="Open orders 0")).to_be_visible()
    page.get_by_role("button", name="Resume desk").click()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator(".killed-word")).to_have_count(0)
    page.close()


def theme(browser: Browser, desk: Desk) -> None:
    """The theme chosen by hand is kept."""
    page = open_page(browser, [], "dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    while page.evaluate("document.documentElement.dataset.theme") != "light":
        page.get_by_role("button", name="Theme").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark
    page.close()


CHECKS: tuple[Callable[[Browser, Desk], None], ...] = (looks, keyboard, restarts, trouble, theme)


def main() -> int:
    """All of them."""
    failed, desk = 0, Desk()
    desk.begin()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
            for check in CHECKS:
                try:
                    check(browser, desk)
                    print(f"ok      {check.__name__}: {check.__doc__}")
                except AssertionError as error:
                    failed += 1
                    print(f"FAILED  {check.__name__}: {str(error).splitlines()[0]}")
            browser.close()
    finally:
        desk.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
