"""A page stays open while parts of its desk die, while its market goes away, and while two hundred others listen: it says so, and goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.app.desk import environment, walk
from tests.e2e.browser import Visit, same_events, until, visiting
from tests.e2e.venue import line_to_venue
from tests.family.desk import REPO, Desk, desk

CROWD = 200


def end(one: Desk, name: str) -> None:
    """As hard as can be."""
    os.kill(one.processes()[name]["pid"], signal.SIGKILL)


def goes_on(seen: Visit, one: Desk) -> None:
    """The same page lives, hears of new orders, and missed nothing."""
    page = seen.page
    expect(page.locator(".connection.live")).to_be_visible()
    expect(page.locator(".alerts")).to_be_empty()
    expect(page.locator("main.old")).to_have_count(0)
    assert page.evaluate("Array.isArray(window.said)"), "the page was loaded anew"
    order = seen.send("market", "0.001")
    expect(page.locator(".feed li.good", has_text=f"{order} bought")).not_to_have_count(0)
    assert same_events(seen, one) > 5
    assert [told for told in seen.errors if "WebSocket" not in told and "Failed to load resource" not in told] == []


def test_api_and_engine_die_beneath_the_page(browser: Browser, tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one, both(browser, one) as pages:
        end(one, "api")
        for seen in pages:
            seen.says("Reconnecting")
            seen.says("Not connected")
            goes_on(seen, one)
        engine = one.processes()["engine"]["pid"]
        os.kill(engine, signal.SIGSTOP)
        for seen in pages:
            expect(seen.page.locator(".alerts")).to_contain_text("The engine is silent")
        end(one, "engine")
        for seen in pages:
            goes_on(seen, one)
        assert one.processes()["engine"]["restarts"] == 1 == one.processes()["api"]["restarts"]


def test_a_live_market_goes_away_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    with (
        line_to_venue("--rate", "300") as line,
        desk(tmp_path / "home", "--venue-at", line.address, feed="live") as one,
        both(browser, one) as pages,
    ):
        for seen in pages:
            expect(seen.page.locator(".banner .source")).to_contain_text("SIMULATED")
        line.cut()
        for seen in pages:
            expect(seen.page.locator(".alerts")).to_contain_text("Market data is stale")
            expect(seen.page.locator(".chart .over")).to_contain_text("Orders stop")
            expect(seen.page.locator(".ticket form .refusal")).to_contain_text("Market data is stale")
        pages[0].draft("market", "0.001")
        pages[0].tap("Buy, paper")
        expect(pages[0].page.locator("dialog[open] .refusal").last).to_contain_text("What to do:")
        pages[0].page.keyboard.press("Escape")
        line.mend()
        for seen in pages:
            expect(seen.page.locator(".chart .over")).to_have_count(0)
            goes_on(seen, one)
        assert [name for seen in pages for name in seen.errors if "422" not in name] == []
        for seen in pages:
            seen.watch()
        end(one, "door")
        for seen in pages:
            seen.says("Market data is stale")
            goes_on(seen, one)
        assert one.processes()["door"]["restarts"] == 1


def test_a_replay_says_so(browser: Browser, tmp_path: Path) -> None:
    data = walk(tmp_path / "walk.jsonl", steps=300)
    with desk(tmp_path / "home", "--data", data, "--speed", "1", feed="replay") as one, both(browser, one) as pages:
        for seen in pages:
            expect(seen.page.locator(".banner .source")).to_contain_text("REPLAY")
            expect(seen.page.locator(".banner .paper")).to_contain_text("PAPER TRADING")
            quote = seen.page.locator(".quote").inner_text()
            until(
                seen, lambda seen=seen, quote=quote: seen.page.locator(".quote").inner_text() != quote, "no price moves"
            )
            assert seen.errors == [] and seen.fits()


def test_a_crowd_listens(browser: Browser, tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one, visiting(browser, one.url) as seen:
        before = one.processes()["api"]["rss_mb"]
        crowd = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.crowd", one.url, str(CROWD), f"{one.get('desk')['seq']}.0"],
            env=environment({"PYTHONPATH": f"{REPO / 'src'}:{REPO}"}), cwd=REPO, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert crowd.stdout is not None and crowd.stdout.readline() == "joined\n"
            expect(seen.page.locator(".health")).to_contain_text(f"{CROWD + 1} pages open")
            quote = seen.page.locator(".quote").inner_text()
            until(seen, lambda: seen.page.locator(".quote").inner_text() != quote, "the page stands still")
            order = seen.send("market", "0.001")
            expect(seen.page.locator(".feed li.good", has_text=f"{order} bought")).not_to_have_count(0)
            during = one.processes()["api"]["rss_mb"]
            told, _ = crowd.communicate(timeout=60)
        finally:
            crowd.kill()
            crowd.communicate()
        least, same = told.split()
        print(
            f"{CROWD} streams: the api held {before:.0f} MB before and {during:.0f} MB with them; each heard {least} events or more"
        )
        assert int(least) > 0 and same == "same"
        assert same_events(seen, one) > 5 and seen.errors == []


@contextmanager
def both(browser: Browser, one: Desk) -> Iterator[list[Visit]]:
    """A page on a desk and one on a phone, each marked so that loading it anew would show."""
    with visiting(browser, one.url, "desktop") as wide, visiting(browser, one.url, "phone") as narrow:
        for seen in (wide, narrow):
            seen.watch()
        yield [wide, narrow]
