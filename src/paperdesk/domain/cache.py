"""Where compiled code is kept between runs.

The compiler's own cache does not notice an edited callee, and a stale cache is stale money. So the folder's name is a hash of every
source file of the compiled rooms, the compiler's version and the processor; it lies in the user's cache folder, readable by its
owner alone. Where that folder cannot be had, everything is compiled anew at each start, and `COLD` says so.
"""

import os
import shutil
from hashlib import blake2b
from pathlib import Path
from typing import Final

import llvmlite.binding
import numba

COMPILED_ROOMS: Final = ("domain", "ledger", "venue", "engine", "features", "strategies", "feeds")
KEPT_VERSIONS: Final = 6


def kernel_key() -> str:
    """Hash of everything that compiled code depends on."""
    digest = blake2b(digest_size=16)
    package = Path(__file__).resolve().parent.parent
    for room in COMPILED_ROOMS:
        for source in sorted((package / room).rglob("*.py")):
            digest.update(str(source.relative_to(package)).encode() + b"\0" + source.read_bytes() + b"\0")
    host = llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()
    digest.update(repr((numba.__version__, llvmlite.__version__, host)).encode())
    return digest.hexdigest()


def _owned_folder(path: Path) -> bool:
    """Whether a folder exists (or could be made) that only we can read and write."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        return status.st_uid == os.geteuid() and status.st_mode & 0o077 == 0 and os.access(path, os.W_OK)
    except OSError:
        return False


def choose_folder() -> Path | None:
    """The cache folder of this version's compiled code, or None where there is none to trust; forgets all but the newest few."""
    base = os.environ.get("XDG_CACHE_HOME")
    kernels = (Path(base) if base else Path("~/.cache").expanduser()) / "paperdesk" / "kernels"
    folder = kernels / kernel_key()
    if not _owned_folder(kernels) or not _owned_folder(folder):
        return None
    try:
        os.utime(folder)
        others = sorted(
            (p for p in kernels.iterdir() if p.is_dir() and p != folder), key=lambda p: p.stat().st_mtime, reverse=True
        )
        for old in others[KEPT_VERSIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return folder
    return folder


FOLDER: Final = choose_folder()
COLD: Final = not numba.config.DISABLE_JIT and (FOLDER is None or not any(FOLDER.rglob("*.nbi")))
"""Whether the core is about to be compiled in this process (one to two minutes)."""
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)
