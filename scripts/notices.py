"""Writes the third-party notices to standard output: what requirements.lock installs, with licence and licence text.

Run inside an environment made from the lock (`make notices` does). Everything is read from the installed packages' own
metadata, nothing from the network. A package without a stated licence stops the run: look it up, do not guess.
"""

from __future__ import annotations

import re
import sys
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Third-party notices

Paperdesk is Apache-2.0. It contains no code of others; the packages below are installed beside it from
`requirements.lock`, each under its own licence, whose text is installed with it in its `.dist-info` folder.
Written by `make notices`.

| package | version | licence | home |
|---|---|---|---|
"""


PAGE = """The page is built from `web/package-lock.json`; the packages that it bundles, with their licences, are listed in its own
`/licenses.txt`, which the build writes."""


def locked_packages(lock: Path) -> list[tuple[str, str]]:
    """Names and versions that a lock file pins for Linux, in its order."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [re.match(r"([a-z0-9-]+)==([^\s;]+)(.*)", line) for line in lines]
    return [(pin[1], pin[2]) for pin in pins if pin and "win32" not in pin[3]]


def licence(message: Message) -> str:
    """The licence as the package states it: SPDX expression, else classifiers, else a short licence field."""
    expression = message.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [str(value) for value in message.get_all("Classifier") or [] if str(value).startswith("License :: ")]
    names = [value.rpartition(" :: ")[2] for value in classifiers]
    if names:
        return " and ".join(names)
    field = str(message.get("License") or "").strip()
    if field.startswith("MIT License\n"):  # the whole text stands where its name should
        return "MIT"
    return field if field and "\n" not in field and len(field) < 80 else ""


def home(message: Message) -> str:
    """The project's address: home page, else its repository, else nothing."""
    links = dict(str(value).split(", ", 1) for value in message.get_all("Project-URL") or [] if ", " in str(value))
    by_name = {name.lower(): link for name, link in links.items()}
    wanted = ("homepage", "home", "source", "source code", "repository", "github", "code")
    return str(message.get("Home-page") or "") or next((by_name[name] for name in wanted if name in by_name), "")


def main() -> int:
    """Prints the notices; 1 when a licence is missing."""
    rows, missing = [], []
    for name, version in locked_packages(ROOT / "requirements.lock"):
        message = cast(Message, metadata.metadata(name))
        stated = licence(message)
        if not stated:
            missing.append(name)
        rows.append(f"| {name} | {version} | {stated} | {home(message)} |")
    if missing:
        print(f"No licence stated by {', '.join(missing)}: look it up and add it by hand.", file=sys.stderr)
        return 1
    print(HEAD + "\n".join(rows) + "\n\n" + PAGE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
