"""Pins the golden runs anew: `python -m tests.golden.regenerate`.

Where the fold does something else with the same inputs, ENGINE_VERSION must have been raised; else nothing is written.
`--unreleased` skips that, for a version that has not been released and of which nobody has a log.
"""

from __future__ import annotations

import json
import sys

from tests.golden.runs import PINS, all_runs, pinned


def main() -> int:
    """Runs everything and writes the pins; 1 if the engine changed under the same version."""
    new = all_runs()
    if PINS.exists() and "--unreleased" not in sys.argv[1:]:
        old = pinned()
        same = [name for name, pin in new["runs"].items() if old["runs"].get(name, {}).get("inputs") == pin["inputs"]]
        changed = [name for name in same if old["runs"][name] != new["runs"][name]]
        if changed and old["engine_version"] == new["engine_version"]:
            print(f"the same inputs give other results in: {', '.join(changed)}.", file=sys.stderr)
            print(
                "Logs of this version could no longer be folded again. Raise ENGINE_VERSION in engine/state.py.",
                file=sys.stderr,
            )
            return 1
    PINS.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
    print(f"{len(new['runs'])} runs pinned for engine version {new['engine_version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
