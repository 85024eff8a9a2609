"""How long from the venue's socket to the screen? A whole desk, a venue on this machine, a real browser.

Workload: a venue that sends `--rate` messages a second; the desk's own page in headless Chromium. Measured is, for each public trade, the time from
its arrival at the door's socket until the browser has drawn the frame after the message that brought it. Pictures are conflated to ten a second,
so half of that is waiting by design. The baseline is the way to the browser's socket, without drawing.

    python benchmarks/bench_screen.py [--seconds 15] [--rate 300]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO), str(REPO / "src")]

from playwright.sync_api import sync_playwright  # noqa: E402
from tests.family.desk import desk  # noqa: E402
from tests.family.test_live import venue  # noqa: E402

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
WATCH = """
window.heard = []; window.drawn = [];
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) {
    super(...given);
    this.addEventListener('message', (message) => {
      const told = JSON.parse(message.data);
      if (told.type !== 'market') return;
      const now = performance.timeOrigin + performance.now();
      const came = [];
      for (const market of told.markets ?? [told.market ?? told]) for (const trade of market.trades ?? []) came.push(Number(trade.ts_ns) / 1e6);
      for (const one of came) window.heard.push(now - one);
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const then = performance.timeOrigin + performance.now();
        for (const one of came) window.drawn.push(then - one);
      }));
    });
  }
};
"""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rate", type=float, default=300.0)
    given = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("bench_screen: there is no chromium here (Debian: apt-get install chromium); nothing was measured.")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        venue("--rate", str(given.rate), "--count", "100000") as address,
        desk(Path(folder), "--strategy", "quoter", "--venue-at", address, feed="live") as one,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCH)
        page.goto(one.url)
        page.wait_for_timeout(3000)
        page.evaluate("window.heard = []; window.drawn = []")
        page.wait_for_timeout(given.seconds * 1000)
        heard, drawn = page.evaluate("[window.heard, window.drawn]")
        browser.close()
    print(f"{len(drawn)} trades at {given.rate:g} messages/s; ms from the door's socket")
    for title, took in (("to the browser's socket", heard), ("to the screen", drawn)):
        median, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"{title:24} median {median:6.1f}  p99 {p99:7.1f}  ratio {median / statistics.median(heard):4.2f}")


if __name__ == "__main__":
    main()
