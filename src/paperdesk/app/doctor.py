"""`paperdesk doctor`: is this machine, this home, this desk in order? Each check says what it looked at and what to do."""

import io
import os
import platform
import re
import shutil
import sys
import tarfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from paperdesk import __version__
from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.app.home import Home, default_home
from paperdesk.domain import cache
from paperdesk.safety import wall
from paperdesk.safety.settings import SettingsRefused, read_settings
from paperdesk.store.disk import RealDisk
from paperdesk.store.errors import StoreError, why
from paperdesk.store.lock import HomeLock, HomeLocked
from paperdesk.store.log import read_log

ABSOLUTE_PATH: Final = re.compile(r"(?<![\w.\]])/(?:[^/\s\"']+/)*([^/\s\"':;,]+)")
LOW_DISK_BYTES = 1 << 30
PACKAGES = ("numba", "llvmlite", "numpy", "polars", "msgspec", "sqlalchemy", "alembic", "typer", "rich", "zstandard")


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(home_path: Path | None, config: Path | None, bundle: bool, as_json: bool) -> int:
    """Run all checks and print them; 1 if one fails."""
    found = list(checks(home_path, config))
    if as_json:
        print(msgspec.json.encode([check._asdict() for check in found]).decode())
    else:
        for check in found:
            print(
                f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.found}"
                + (f" -> {check.remedy}" if check.remedy and not check.ok else "")
            )
    if bundle:
        print(
            f"Wrote {write_bundle(found)}: versions and the checks above, with names of people and folders left out.",
            file=sys.stderr,
        )
    return 0 if all(check.ok for check in found) else 1


def checks(home_path: Path | None, config: Path | None) -> Iterator[Check]:
    """Everything that is looked at, in order."""
    python = platform.python_version()
    yield Check(
        "python",
        sys.version_info >= (3, 11),
        f"{platform.python_implementation()} {python} on {platform.system()} {platform.machine()}",
        "use 3.11 or newer",
    )
    yield Check("paperdesk", True, f"{__version__}; " + ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    folder = (
        "none that can be trusted"
        if cache.FOLDER is None
        else ("not compiled yet" if cache.COLD else "compiled and cached")
    )
    yield Check(
        "compiled core",
        cache.FOLDER is not None,
        folder,
        "make the user's cache folder writable and private (chmod 700); it is compiled at every start until then",
    )
    yield from wall_checks()
    try:
        settings = read_settings(os.environ, config)
        yield Check(
            "paper only", True, "PAPER_TRADING_MODE true, ALLOW_REAL_TRADES false; no credential among the settings"
        )
    except SettingsRefused as refusal:
        yield Check("paper only", False, str(refusal), "see above")
        return
    yield from home_checks(Home((home_path or settings.home or default_home()).expanduser().absolute()))


def wall_checks() -> Iterator[Check]:
    """Which walls this machine gives the processes of a desk: raised for a moment around processes that do nothing else."""
    for policy in wall.POLICIES.values():
        report = wall.survey(policy)
        yield Check(
            f"wall {policy.name}",
            policy.required <= set(report.guarantees),
            report.text(),
            "use Linux 5.13 or newer on x86-64 or aarch64, and a container that lets processes confine themselves (seccomp)",
        )


def home_checks(home: Home) -> Iterator[Check]:
    """The home folder: writable, roomy, free or in use, its logs readable."""
    try:
        home.prepare()
        yield Check("home", True, f"{home.root} is writable")
    except DeskError as error:
        yield Check("home", False, str(error), "choose another folder with --home")
        return
    free = shutil.disk_usage(home.root).free
    yield Check(
        "disk",
        free >= LOW_DISK_BYTES,
        f"{free / 1e9:.1f} GB free",
        "free some space: a busy run writes up to 100 MB a minute at full speed",
    )
    try:
        HomeLock(home.root).release()
        yield Check("lock", True, "no desk is working here")
    except HomeLocked as error:
        yield Check("lock", True, f"{str(error).split('. ')[0]}; its logs are left alone while it works")
        return
    for run in home.runs():
        try:
            home.manifest(run)
        except DeskError as error:
            yield Check(f"run {run}", False, str(error), "see above")
        try:
            reader = read_log(RealDisk(home.folder(run), create=False))
            end = reader.finish()
            torn = f"; {end.torn}" if end.torn is not None else ""
            yield Check(f"log {run}", True, f"{end.seq:,} inputs in {end.frame:,} commits, chain whole{torn}")
        except StoreError as error:
            yield Check(f"log {run}", False, str(error), "restore the run from a backup")


def redacted(text: str) -> str:
    """A text without absolute paths (the last part stays) and without the names of the user and the machine."""
    text = ABSOLUTE_PATH.sub(r"[folder]/\1", text)
    names = {Path.home().name, os.environ.get("USER", ""), os.environ.get("LOGNAME", ""), platform.node()}
    for name in sorted(names - {""}):
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", "[name]", text)
    return text


def write_bundle(found: list[Check]) -> Path:
    """A .tar.gz with versions and checks in the current folder; paths and the names of user and machine are left out."""
    report: dict[str, Any] = {
        "version": __version__,
        "platform": platform.platform(),
        "checks": [check._asdict() for check in found],
    }
    text = redacted(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    path = Path(f"paperdesk-doctor-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.tar.gz")
    data = text.encode()
    entry = tarfile.TarInfo("doctor.json")
    entry.size = len(data)
    try:
        with tarfile.open(path, "w:gz") as archive:
            archive.addfile(entry, io.BytesIO(data))
    except OSError as error:
        raise DeskError(f"The bundle cannot be written here: {why(error)}.", EXIT_IO) from error
    return path
