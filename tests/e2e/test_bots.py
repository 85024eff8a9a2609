"""Bots on the page: stop and start, and one whose code raises while the others go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.browser import Visit, until, visiting
from tests.e2e.venue import FAILING
from tests.family.desk import Desk, desk


@pytest.fixture(scope="module")
def one(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    own = folder / "own.py"
    own.write_text(FAILING, encoding="utf-8")
    with desk(folder / "home", "--strategy", "quoter", "--strategy", own) as made:
        yield made


def fills(seen: Visit, bot: str) -> str:
    """What the page says of a bot's orders and fills."""
    return seen.page.locator(".bot-list li", has_text=bot).locator(".figures-line").inner_text()


def test_stop_and_start(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        quoter = seen.page.locator(".bot-list li", has_text="quoter-1")
        expect(quoter.locator(".state")).to_have_text("running")
        seen.tap("Stop quoter-1")
        expect(quoter.locator(".state")).to_have_text("paused")
        expect(quoter.locator(".figures-line")).to_contain_text("0 open orders")
        seen.tap("Start quoter-1")
        expect(quoter.locator(".state")).to_have_text("running")
        before = seen.event_ids()[0]
        mine = seen.page.locator(".feed li", has_text="of quoter-1:")
        until(seen, lambda: before not in seen.event_ids()[:1] and mine.count(), "it does not go on")
        assert seen.errors == [] and seen.fits()


def test_one_that_raises_says_so_and_the_others_go_on(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        doomed = page.locator(".bot-list li", has_text="doomed-2")
        expect(doomed.locator(".state")).to_have_text("failed")
        expect(doomed.locator("summary")).to_contain_text("ZeroDivisionError: the plan ran out")
        doomed.locator("summary").click()
        expect(doomed.locator("pre")).to_contain_text('raise ZeroDivisionError("the plan ran out")')
        expect(doomed.locator("pre")).to_contain_text("own.py")
        assert seen.fits()
        inside = page.locator(".panel.bots").bounding_box()
        for part in ("summary", "pre", "button"):
            box = doomed.locator(part).bounding_box()
            assert box and inside and box["x"] + box["width"] <= inside["x"] + inside["width"], f"{part} is cut off"
        before = fills(seen, "quoter-1")
        until(seen, lambda: fills(seen, "quoter-1") != before, "the other bot does not go on")
        assert seen.errors == []
