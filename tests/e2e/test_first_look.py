"""What whoever opens the desk sees: what it is, that it lives, and that the page speaks to nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.browser import Visit, until, visiting
from tests.family.desk import REPO, Desk, desk

LOOK = (REPO / "web" / "dev" / "look.js").read_text(encoding="utf-8")
NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def one(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk") / "home"
    with desk(home, "--strategy", "quoter", "--venue-at", NOBODY, feed="auto") as made:
        yield made


def always_there(seen: Visit) -> None:
    """The banner and the badge, wherever the page was scrolled to."""
    for place in ("0", "document.documentElement.scrollHeight", "0"):
        seen.page.evaluate(f"scrollTo(0, {place})")
        for sign in (".banner .paper", ".banner .source"):
            box = seen.page.locator(sign).bounding_box()
            assert box is not None and 0 <= box["y"] < 60, f"{sign} is gone at {place}"
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"


def test_first_look(one: Desk, browser: Browser, size: str) -> None:
    with visiting(browser, one.url, size) as seen:
        page = seen.page
        expect(page.locator(".banner .paper")).to_contain_text("PAPER TRADING")
        expect(page.locator(".banner .source")).to_contain_text("SIMULATED")
        expect(page.locator(".banner .notice")).to_contain_text("could not be reached")
        always_there(seen)
        holder = page.locator(".chart-holder")
        before = page.locator(".legend").inner_text(), holder.screenshot()
        until(seen, lambda: page.locator(".legend").inner_text() != before[0], "the bar does not change")
        until(seen, lambda: holder.screenshot() != before[1], "the chart does not move")
        expect(page.locator(".levels.bid tbody tr")).not_to_have_count(0)
        until(seen, lambda: page.locator(".levels tbody tr").count() >= 30, "the book stays thin")
        expect(page.locator(".tape tbody tr").nth(5)).to_be_attached()
        until(seen, lambda: "fill" in " ".join(page.locator(".bots .figures-line").all_inner_texts()), "no bot's book")
        assert seen.errors == []
        assert seen.hosts() == {one.url.removeprefix("http://")}
        assert seen.page.context.cookies() == []
        assert page.evaluate("Object.keys(localStorage)") in ([], ["paperdesk.theme"])


def test_the_pages_policy_holds_it_to_its_desk(one: Desk, browser: Browser) -> None:
    with visiting(browser, one.url) as seen:
        headers = one.client.get("/").headers
        assert "default-src 'self'" in headers["content-security-policy"] and "set-cookie" not in headers
        broken = seen.page.evaluate(
            """async (elsewhere) => {
              const told = [];
              document.addEventListener("securitypolicyviolation", (event) => told.push(event.effectiveDirective));
              await fetch(elsewhere).then(() => told.push("reached"), () => undefined);
              const script = document.createElement("script");
              script.textContent = "window.inlined = true";
              document.head.append(script);
              await new Promise((resolve) => setTimeout(resolve));
              return { told, inlined: window.inlined === true };
            }""",
            f"http://{NOBODY}/",
        )
        assert broken["inlined"] is False
        assert (
            "connect-src" in broken["told"] and "script-src-elem" in broken["told"] and "reached" not in broken["told"]
        )


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_themes_are_the_systems_and_can_be_read(one: Desk, browser: Browser, size: str, theme: str) -> None:
    with visiting(browser, one.url, size, color_scheme=theme, reduced_motion="reduce") as seen:
        ground = seen.page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number)"
        )
        assert (sum(ground) < 200) is (theme == "dark"), ground
        assert seen.page.evaluate(LOOK) == {"faint": [], "nameless": []}
        assert seen.page.evaluate("document.getAnimations().length") == 0
        assert seen.fits() and seen.errors == []
