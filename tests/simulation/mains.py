"""A simulated disk on a mains plug that is pulled at one chosen operation: between two, or in the middle of one."""

from __future__ import annotations

from random import Random

from paperdesk.store.disk import SimulatedDisk


class PowerCut(Exception):  # noqa: N818  a fact, named as one
    """The machine is off. Nothing of the product may catch this."""


class Mains:
    """A `Disk` that passes everything on to `inside` until the operation number `cut_at` that changes something."""

    def __init__(self, inside: SimulatedDisk, dice: Random, cut_at: int | None = None) -> None:
        """Operations are counted from 1; None: the plug stays in."""
        self.inside, self.dice, self.cut_at = inside, dice, cut_at
        self.changes = 0

    def names(self) -> list[str]:
        """See `Disk.names`."""
        return self.inside.names()

    def exists(self, name: str) -> bool:
        """See `Disk.exists`."""
        return self.inside.exists(name)

    def size(self, name: str) -> int:
        """See `Disk.size`."""
        return self.inside.size(name)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See `Disk.read`."""
        return self.inside.read(name, offset, length)

    def append(self, name: str, data: bytes | bytearray) -> None:
        """See `Disk.append`; cut in the middle, a part of the data was handed to the disk."""
        if self._is_cut():
            self.inside.append(name, data[: self.dice.randint(0, len(data))])
            raise PowerCut(name)
        self.inside.append(name, data)

    def truncate(self, name: str, size: int) -> None:
        """See `Disk.truncate`."""
        cut = self._is_cut()
        if not cut or self.dice.random() < 0.5:
            self.inside.truncate(name, size)
        if cut:
            raise PowerCut(name)

    def sync(self, name: str) -> None:
        """See `Disk.sync`; cut in the middle, nobody was told that it had succeeded."""
        cut = self._is_cut()
        if not cut or self.dice.random() < 0.5:
            self.inside.sync(name)
        if cut:
            raise PowerCut(name)

    def rename(self, source: str, target: str) -> None:
        """See `Disk.rename`."""
        cut = self._is_cut()
        if not cut or self.dice.random() < 0.5:
            self.inside.rename(source, target)
        if cut:
            raise PowerCut(target)

    def remove(self, name: str) -> None:
        """See `Disk.remove`."""
        cut = self._is_cut()
        if not cut or self.dice.random() < 0.5:
            self.inside.remove(name)
        if cut:
            raise PowerCut(name)

    def sync_folder(self) -> None:
        """See `Disk.sync_folder`."""
        cut = self._is_cut()
        if not cut or self.dice.random() < 0.5:
            self.inside.sync_folder()
        if cut:
            raise PowerCut("the folder")

    def close(self) -> None:
        """Nothing is held open."""

    def _is_cut(self) -> bool:
        self.changes += 1
        if self.cut_at is not None and self.changes > self.cut_at:
            raise PowerCut("the machine is off already")
        return self.changes == self.cut_at
