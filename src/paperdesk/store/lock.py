"""One desk per home: a lock that the kernel gives back when its holder dies, however it dies."""

import fcntl
import os
from pathlib import Path
from typing import Final

from paperdesk.store.errors import StoreError, why

LOCK_NAME: Final = "desk.lock"


class HomeLocked(StoreError):  # noqa: N818  a fact, named as one
    """Another desk works in this home."""


class HomeLock:
    """Holds the exclusive lock of a home folder until `release`; also a context manager."""

    def __init__(self, home: Path) -> None:
        """Take the lock at once; HomeLocked names the holder's process id; StoreError if the folder is unusable."""
        self.path = home / LOCK_NAME
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"The home folder {home} cannot be used: {why(error)}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise HomeLocked(
                f"Another desk (process {holder}) is running in {home}. One home holds one desk: stop that one "
                "first, or give this one another folder with --home."
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StoreError(f"The home folder {home} cannot be locked: {why(error)}.") from error
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "HomeLock":
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
