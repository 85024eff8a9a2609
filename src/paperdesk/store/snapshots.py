"""Snapshots: the state after some input, so that a restart need not fold the whole log. Never the authority: a broken
one is skipped.

    file      snapshot-<seq>.snap: HEAD │ zstd(msgpack map of named byte strings) │ blake2b over all before it, 32 bytes

A snapshot is written beside its final name, synced and only then renamed, so that a name that exists is whole; the
newest three are kept. It says at which place of which chain it was taken: whoever loads it compares `chain_hash` with
the log's frame that ends at `seq`.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec
import zstandard

from paperdesk.domain.events import SCHEMA_VERSION
from paperdesk.store.disk import Disk
from paperdesk.store.errors import StoreError, why
from paperdesk.store.frames import CHAIN_BYTES

SNAPSHOT_LAYOUT: Final = 1
MAGIC: Final = b"PAPERSNP"
HEAD: Final = struct.Struct("<8sHHIQQ32s32s32s64s")
"""magic, snapshot layout, record layout, zero, seq, body bytes, run, engine version, chain hash, state hash
(hexadecimal).
"""
KEPT: Final = 3
PREFIX, SUFFIX = "snapshot-", ".snap"
UNFINISHED: Final = "snapshot.tmp"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after the input `seq` in named parts, and the log's chain hash there."""

    name: str
    seq: int
    run: str
    engine_version: str
    chain_hash: bytes
    state_hash: str
    parts: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A snapshot that was not used, and why, for people."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} was not used: {self.reason}"


class SnapshotFailed(StoreError):  # noqa: N818  a fact, named as one
    """A snapshot could not be written. The log is whole: a restart takes longer, nothing is lost."""


def write(
    disk: Disk, run: str, engine_version: str, seq: int, chain_hash: bytes, state_hash: str, parts: Mapping[str, bytes]
) -> str:
    """Write one snapshot durably and remove all but the newest three; its file name. SnapshotFailed where the disk
    refuses.
    """
    names = (run.encode(), engine_version.encode())
    assert len(chain_hash) == CHAIN_BYTES and max(map(len, names)) <= 32, "the fields fit the head"
    body = zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(dict(parts)))
    fields = (SNAPSHOT_LAYOUT, SCHEMA_VERSION, 0, seq, len(body), *names, chain_hash, state_hash.encode())
    data = HEAD.pack(MAGIC, *fields) + body
    name = f"{PREFIX}{seq:015}{SUFFIX}"
    try:
        if disk.exists(UNFINISHED):
            disk.remove(UNFINISHED)
        disk.append(UNFINISHED, data + blake2b(data, digest_size=CHAIN_BYTES).digest())
        disk.sync(UNFINISHED)
        disk.rename(UNFINISHED, name)
        disk.sync_folder()
        for old in _names(disk)[KEPT:]:
            disk.remove(old)
    except OSError as error:
        raise SnapshotFailed(
            f"The snapshot at seq {seq} cannot be written: {why(error)}. The log is whole; a restart will take longer."
        ) from error
    return name


def load_newest(disk: Disk, max_seq: int) -> tuple[Snapshot | None, list[Skipped]]:
    """The newest whole snapshot at or before `max_seq`, or None; and the newer ones that were passed over, each with
    the reason.
    """
    skipped: list[Skipped] = []
    try:
        for name in _names(disk):
            found = _load(disk, name, max_seq)
            if isinstance(found, Snapshot):
                return found, skipped
            skipped.append(found)
    except OSError as error:
        raise StoreError(f"The snapshots cannot be read: {why(error)}.") from error
    return None, skipped


def newest_seq(disk: Disk) -> int:
    """The seq of the newest snapshot by name, 0 if there is none: a log that ends before it has lost committed data."""
    return max((_seq(name) for name in _names(disk)), default=0)


def _names(disk: Disk) -> list[str]:
    """Snapshot files, newest first."""
    names = [name for name in disk.names() if name.startswith(PREFIX) and name.endswith(SUFFIX) and _seq(name) >= 0]
    return sorted(names, key=_seq, reverse=True)


def _seq(name: str) -> int:
    digits = name.removeprefix(PREFIX).removesuffix(SUFFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _load(disk: Disk, name: str, max_seq: int) -> Snapshot | Skipped:
    data = disk.read(name)
    if len(data) < HEAD.size + CHAIN_BYTES or data[: len(MAGIC)] != MAGIC:
        return Skipped(name, "it is not a whole snapshot file; delete it")
    if blake2b(data[:-CHAIN_BYTES], digest_size=CHAIN_BYTES).digest() != data[-CHAIN_BYTES:]:
        return Skipped(name, "its checksum differs: the file is damaged; delete it")
    _, layout, schema, _, seq, body_bytes, run, version, chain_hash, state_hash = HEAD.unpack_from(data)
    engine_version = _text(version)
    if (layout, schema) != (SNAPSHOT_LAYOUT, SCHEMA_VERSION):
        return Skipped(
            name,
            f"version {engine_version} wrote it with snapshot layout {layout} and record layout {schema}; this version "
            f"reads {SNAPSHOT_LAYOUT} and {SCHEMA_VERSION}",
        )
    if seq != _seq(name) or HEAD.size + body_bytes + CHAIN_BYTES != len(data):
        return Skipped(name, "its name or length does not fit what is inside; delete it")
    if seq > max_seq:
        return Skipped(
            name, f"it was taken at seq {seq}, but the log ends at {max_seq}: the log has lost committed data"
        )
    try:
        packed = zstandard.ZstdDecompressor().decompress(data[HEAD.size : -CHAIN_BYTES])
        parts = msgspec.msgpack.decode(packed, type=dict[str, bytes])
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        return Skipped(name, f"its contents cannot be unpacked ({error}); delete it")
    return Snapshot(name, seq, _text(run), engine_version, chain_hash, _text(state_hash), parts)


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
