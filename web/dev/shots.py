"""Pictures of the dashboard at two widths and in both themes, for looking at it while it is made.

python web/dev/shots.py URL FOLDER; the fake desk (node web/dev/fake.mjs) or a real one must be up. Also says what the browser complained of.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main(url: str, folder: Path) -> None:
    """Four pictures; the narrow ones show the whole page."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for theme in ("dark", "light"):
            for name, width, height in (("wide", 1440, 900), ("narrow", 390, 844)):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
                page.on("console", lambda told: print("console:", told.type, told.text))
                page.on("pageerror", lambda error: print("error:", error))
                page.goto(url)
                page.wait_for_selector(".panel.chart")
                page.wait_for_timeout(2500)
                page.screenshot(path=folder / f"{name}-{theme}.png", full_page=name == "narrow")
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wider > 0:
                    print(f"{name}-{theme}: the page is {wider} px wider than the screen")
                page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
