"""Kills processes of a whole desk at random, under load, and says what a user saw; fails where anything was lost.

python scripts/kill_family.py --kills 50            a simulated market: engine, api and a strategy's process are killed
python scripts/kill_family.py --kills 50 --live     a venue on this machine: the door's process too
"""

import argparse
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO), str(REPO / "src")]

from tests.family.kills import run  # noqa: E402
from tests.family.test_live import venue  # noqa: E402


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.live:
            with venue("--rate", "300", "--count", "100000") as address:
                outcome = run(Path(folder), arguments.kills, arguments.seed, address)
        else:
            outcome = run(Path(folder), arguments.kills, arguments.seed)
    print(f"{arguments.kills} kills, seed {arguments.seed}: {dict(outcome.kills)}")
    print(
        f"{outcome.acknowledged} orders acknowledged, each kept once; {outcome.events} events told, each once, over {outcome.connections} connections"
    )
    for name, share in outcome.shares.items():
        print(f"{name}: {share:.1%} of tries answered, longest without an answer {outcome.longest_s[name]:.2f} s")


if __name__ == "__main__":
    main()
