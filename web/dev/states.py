"""Pictures of the dashboard in trouble and of its dialogs, against the fake desk (node web/dev/fake.mjs), into /tmp/shots."""

import sys
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from shots import ARGS

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8790/"
FOLDER = Path(sys.argv[2] if len(sys.argv) > 2 else "/tmp/shots")


def play(what: str) -> None:
    """Tells the fake desk what to play."""
    request = urllib.request.Request(f"{URL}fake/{what}", data=b"", method="POST")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310


def picture(page: Page, name: str) -> None:
    """Waits until the page has drawn, and takes a picture."""
    page.wait_for_timeout(1300)
    page.screenshot(path=FOLDER / f"{name}.png")


def main() -> None:
    """Goes through the states one after the other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        page.on("console", lambda told: print("console:", told.type, told.text))
        page.on("pageerror", lambda error: print("error:", error))
        page.goto(URL)
        page.wait_for_selector(".panel.chart")
        page.get_by_role("tab", name="Fills").click()
        page.wait_for_timeout(1200)
        page.locator("button.fold").first.click()
        page.get_by_label("Quantity, BTC").fill("0.0123456")
        page.get_by_label("Limit price, USDT").fill("62000")
        picture(page, "state-receipt")
        page.get_by_label("Quantity, BTC").fill("0.01")
        page.get_by_role("button", name="Review buy order").click()
        picture(page, "state-confirm")
        page.get_by_role("button", name="Buy, paper").click()
        picture(page, "state-sent")
        page.locator(".fills button.link").first.click()
        picture(page, "state-story")
        page.keyboard.press("Escape")
        play("fail")
        play("stale")
        page.get_by_role("tab", name="Open orders").click()
        picture(page, "state-stale")
        play("live")
        page.get_by_role("button", name="Kill switch").click()
        picture(page, "state-kill")
        page.get_by_role("button", name="Kill: stop and cancel all").click()
        page.wait_for_timeout(500)
        play("silent")
        picture(page, "state-killed-silent")
        play("heard")
        page.get_by_role("button", name="Resume desk").click()
        page.get_by_role("button", name="Resume", exact=True).click()
        page.wait_for_timeout(500)
        page.set_viewport_size({"width": 390, "height": 844})
        page.mouse.wheel(0, 900)
        picture(page, "state-narrow-scrolled")
        browser.close()


if __name__ == "__main__":
    main()
