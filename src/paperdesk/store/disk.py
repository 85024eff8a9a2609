"""The seam to the disk: what the store asks of a folder, the real one, and a simulated one that behaves as badly as
allowed.

A write is only a wish until its file was synced; a new name, a rename or a removal is only a wish until its folder was.
After a sync has failed, what was written may or may not be on the disk, and a second sync may well report success
without having written anything: whoever gets an OSError from here must stop.
"""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final, Protocol

from paperdesk.store.errors import StoreError, why

PAGE_BYTES: Final = 4096


class Disk(Protocol):
    """One folder of files, by plain names. Every method may raise OSError; a missing file is FileNotFoundError."""

    def names(self) -> list[str]:
        """Names of the files in the folder, sorted."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def size(self, name: str) -> int:
        """Bytes in a file."""

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Up to `length` bytes (all, if None) from `offset`; fewer at the end of the file."""

    def append(self, name: str, data: bytes | bytearray) -> None:
        """Write at the end of a file, which is created if it does not exist. All of it, or OSError."""

    def truncate(self, name: str, size: int) -> None:
        """Cut a file to `size` bytes."""

    def sync(self, name: str) -> None:
        """Make the contents of a file durable."""

    def rename(self, source: str, target: str) -> None:
        """Give a file another name, replacing any file of that name."""

    def remove(self, name: str) -> None:
        """Delete a file."""

    def sync_folder(self) -> None:
        """Make names, renames and removals durable."""

    def close(self) -> None:
        """Let go of everything held open."""


class RealDisk:
    """A folder of the operating system's. Files being appended to stay open, so that a failed sync is reported to who
    wrote.
    """

    def __init__(self, root: Path, create: bool = True) -> None:
        """The folder is made where it is missing and `create`; StoreError if it cannot be."""
        self.root = root
        self._open: dict[str, int] = {}
        if create and not root.is_dir():
            try:
                root.mkdir(parents=True, exist_ok=True, mode=0o700)
                _sync_path(root.parent)
            except OSError as error:
                raise StoreError(f"The folder {root} cannot be made: {why(error)}.") from error

    def names(self) -> list[str]:
        """Names of the files in the folder, sorted."""
        return sorted(path.name for path in self.root.iterdir() if path.is_file()) if self.root.is_dir() else []

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def size(self, name: str) -> int:
        """Bytes in a file."""
        return (self.root / name).stat().st_size

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Up to `length` bytes (all, if None) from `offset`."""
        with (self.root / name).open("rb") as file:
            file.seek(offset)
            return file.read(-1 if length is None else length)

    def append(self, name: str, data: bytes | bytearray) -> None:
        """Write at the end of a file."""
        view, descriptor = memoryview(data), self._writable(name)
        while view:
            view = view[os.write(descriptor, view) :]

    def truncate(self, name: str, size: int) -> None:
        """Cut a file to `size` bytes."""
        os.ftruncate(self._writable(name), size)

    def sync(self, name: str) -> None:
        """fdatasync: the contents, and the size."""
        os.fdatasync(self._writable(name))

    def rename(self, source: str, target: str) -> None:
        """Give a file another name."""
        self._release(target)
        (self.root / source).replace(self.root / target)
        if source in self._open:
            self._open[target] = self._open.pop(source)

    def remove(self, name: str) -> None:
        """Delete a file."""
        self._release(name)
        (self.root / name).unlink()

    def sync_folder(self) -> None:
        """fsync of the folder."""
        _sync_path(self.root)

    def close(self) -> None:
        """Close all files."""
        for name in list(self._open):
            self._release(name)

    def _writable(self, name: str) -> int:
        descriptor = self._open.get(name)
        if descriptor is None:
            descriptor = os.open(self.root / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._open[name] = descriptor
        return descriptor

    def _release(self, name: str) -> None:
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _File:
    """Contents as programs see them, and as they would survive."""

    def __init__(self, durable: bytes = b"") -> None:
        self.seen = bytearray(durable)
        self.durable = durable
        self.poisoned = False
        """A sync failed: pages are marked clean although never written, so that later syncs write nothing of them."""
        self.fresh_from = len(durable)
        """Bytes from here on were written after the last sync, failed or not: a later sync does write them."""


class SimulatedDisk:
    """A folder in memory with one seed's worth of bad luck.

    `faults` maps the number of a write operation (append, sync, folder sync; counted from 1) to the errno it fails
    with; `capacity_bytes` makes the disk full. `crash()` is a power cut: it gives the disk as it comes back.
    """

    def __init__(
        self, seed: int = 0, faults: Mapping[int, int] | None = None, capacity_bytes: int | None = None
    ) -> None:
        """An empty folder."""
        self.dice = Random(seed)  # noqa: S311  bad luck by seed, no secret
        self.faults = dict(faults or {})
        self.capacity_bytes = capacity_bytes
        self.operations = 0
        self._files: dict[str, _File] = {}
        self._durable_names: dict[str, _File] = {}
        self._changes: list[dict[str, _File]] = []

    def names(self) -> list[str]:
        """Names of the files in the folder, sorted."""
        return sorted(self._files)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def size(self, name: str) -> int:
        """Bytes in a file."""
        return len(self._file(name).seen)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Up to `length` bytes (all, if None) from `offset`."""
        seen = self._file(name).seen
        return bytes(seen[offset : len(seen) if length is None else offset + length])

    def append(self, name: str, data: bytes | bytearray) -> None:
        """Write at the end of a file; a full disk takes what still fits, a failing one a random part."""
        if name not in self._files:
            self._files[name] = _File()
            self._changed()
        file, fault = self._files[name], self._fault()
        if fault:
            file.seen += data[: self.dice.randint(0, len(data))]
            raise OSError(fault, os.strerror(fault), name)
        if self.capacity_bytes is not None:
            room = max(0, self.capacity_bytes - sum(len(other.seen) for other in self._files.values()))
            if len(data) > room:
                file.seen += data[:room]
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        file.seen += data

    def truncate(self, name: str, size: int) -> None:
        """Cut a file to `size` bytes."""
        file = self._file(name)
        del file.seen[size:]
        file.fresh_from = min(file.fresh_from, size)

    def sync(self, name: str) -> None:
        """Make the contents durable, or fail: then some of them may be, and those that are not never will be."""
        file, fault = self._file(name), self._fault()
        if fault:
            if self.dice.random() < 0.5:
                file.durable = self._survivor(file)
            file.poisoned, file.fresh_from = True, len(file.seen)
            raise OSError(fault, os.strerror(fault), name)
        if file.poisoned:
            hole = max(0, file.fresh_from - len(file.durable))
            file.durable = bytes(file.durable[: file.fresh_from]) + bytes(hole) + bytes(file.seen[file.fresh_from :])
        else:
            file.durable = bytes(file.seen)
        file.fresh_from = len(file.seen)

    def rename(self, source: str, target: str) -> None:
        """Give a file another name."""
        self._files[target] = self._file(source)
        del self._files[source]
        self._changed()

    def remove(self, name: str) -> None:
        """Delete a file."""
        self._file(name)
        del self._files[name]
        self._changed()

    def sync_folder(self) -> None:
        """Make names durable."""
        fault = self._fault()
        if fault:
            raise OSError(fault, os.strerror(fault))
        self._durable_names = dict(self._files)
        self._changes = []

    def close(self) -> None:
        """Nothing is held open."""

    def crash(self) -> "SimulatedDisk":
        """The disk after a power cut: synced bytes are there; of the others a part, nothing, zeros or garbage; names
        likewise.
        """
        after = SimulatedDisk()
        after.dice.setstate(self.dice.getstate())
        self.dice.random()
        survived = after.dice.randint(0, len(self._changes))
        names = self._changes[survived - 1] if survived else self._durable_names
        contents: dict[int, _File] = {}
        for name in sorted(names):
            file = names[name]
            if id(file) not in contents:
                contents[id(file)] = _File(after._survivor(file))
            after._files[name] = contents[id(file)]
        after._durable_names = dict(after._files)
        after.capacity_bytes = self.capacity_bytes
        return after

    def flip(self, name: str, offset: int, mask: int = 1) -> None:
        """Rot: change bits of one stored byte."""
        file = self._file(name)
        file.seen[offset] ^= mask
        file.durable = bytes(file.seen)

    def copy(self) -> "SimulatedDisk":
        """The same contents, all durable, on a disk without faults."""
        twin = SimulatedDisk()
        twin._files = {name: _File(bytes(file.seen)) for name, file in self._files.items()}
        twin._durable_names = dict(twin._files)
        return twin

    def _survivor(self, file: _File) -> bytes:
        """What a power cut leaves of a file: at least what was synced."""
        durable, seen = file.durable, bytes(file.seen)
        if len(seen) < len(durable):  # a truncation that was not synced
            return seen if self.dice.random() < 0.5 else durable
        if file.poisoned:
            return durable
        tail = seen[len(durable) :]
        kind, cut = self.dice.randrange(6), self.dice.randint(0, len(tail))
        if kind == 0 or not tail:
            return durable
        if kind == 1:
            return durable + tail[:cut]
        if kind == 2:
            return durable + tail
        if kind == 3:
            return durable + bytes(cut)
        if kind == 4:
            return durable + tail[:cut] + self.dice.randbytes(min(len(tail) - cut, 3 * PAGE_BYTES))
        holed = bytearray(tail)
        holed[cut : cut + PAGE_BYTES] = bytes(len(holed[cut : cut + PAGE_BYTES]))
        return durable + bytes(holed)

    def _changed(self) -> None:
        self._changes.append(dict(self._files))

    def _fault(self) -> int:
        self.operations += 1
        return self.faults.pop(self.operations, 0)

    def _file(self, name: str) -> _File:
        if name not in self._files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._files[name]
