"""Pictures of a real desk in its main states, for looking at: `python -m tests.e2e.shots FOLDER`.

Wide and narrow, dark and light: first look, order confirmation, the ticket's rarer terms, a failed bot, killed, stale.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.e2e.browser import SIZES, Visit, chromium, missing, visit
from tests.e2e.venue import FAILING, line_to_venue
from tests.family.desk import desk

PAUSE_MS = 20_000


def picture(visits: dict[str, Visit], folder: Path, state: str) -> None:
    """One of each page; narrow ones whole."""
    for name, seen in visits.items():
        seen.page.screenshot(path=folder / f"{state}-{name}.png", full_page="phone" in name and "order" not in state)
        if not seen.fits():
            print(f"{state}-{name}: wider than the screen")


def simulated(browser: Browser, folder: Path, home: Path) -> None:
    """First look, confirmation, failed bot, killed."""
    own = home.with_name("own.py")
    own.write_text(FAILING, encoding="utf-8")
    with desk(home, "--strategy", "quoter", "--strategy", "ema_cross", "--strategy", own) as one:
        visits = pages(browser, one.url)
        first = visits["desktop-dark"].page
        first.wait_for_timeout(PAUSE_MS)
        one.order(quantity="0.02")
        first.wait_for_timeout(1000)
        picture(visits, folder, "first")
        for seen in visits.values():
            seen.draft("limit", "0.01", "59000")
        picture(visits, folder, "order")
        for seen in visits.values():
            seen.page.keyboard.press("Escape")
            ticket = seen.page.locator(".panel.ticket")
            ticket.get_by_label("Type").select_option("take_profit_limit")
            ticket.get_by_label("Time in force").select_option("gtd")
            ticket.locator("summary").click()
            ticket.get_by_label("Reduce-only").check()
            ticket.locator("input[name=trigger]").fill("58000")
        picture(visits, folder, "terms")
        for seen in visits.values():
            seen.tab("Fills")
            seen.page.locator(".fold").first.click()
            seen.page.locator(".bots summary").click()
            seen.page.locator(".panel.bots").scroll_into_view_if_needed()
        expect(first.locator(".receipt-box")).to_be_visible()
        picture(visits, folder, "failed")
        one.post("kill")
        for seen in visits.values():
            expect(seen.page.locator(".killed-word")).to_be_visible()
            seen.page.evaluate("scrollTo(0, 0)")
        picture(visits, folder, "killed")
        for name, seen in visits.items():
            print(name, seen.errors)
            seen.page.context.close()


def live(browser: Browser, folder: Path, home: Path) -> None:
    """Stale, and the desk gone."""
    with line_to_venue("--rate", "300") as line, desk(home, "--venue-at", line.address, feed="live") as one:
        visits = pages(browser, one.url)
        door = one.processes()["door"]["pid"]
        os.kill(door, signal.SIGSTOP)
        for seen in visits.values():
            expect(seen.page.locator(".chart .over")).to_be_visible()
        picture(visits, folder, "stale")
        os.kill(door, signal.SIGCONT)
        one.stop()
        for seen in visits.values():
            expect(seen.page.locator(".connection.reconnecting")).to_be_visible()
        picture(visits, folder, "gone")
        for seen in visits.values():
            seen.page.context.close()


def pages(browser: Browser, url: str) -> dict[str, Visit]:
    """A page of each size and theme."""
    return {
        f"{size}-{theme}": visit(browser, url, size, color_scheme=theme)
        for size in SIZES
        for theme in ("dark", "light")
    }


def main(folder: Path) -> None:
    """All of them."""
    if lacking := missing():
        raise SystemExit(lacking)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, tempfile.TemporaryDirectory() as home:
        simulated(browser, folder, Path(home) / "sim")
        live(browser, folder, Path(home) / "live")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
