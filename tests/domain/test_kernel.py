"""Record layouts: fields where they were asked for, unions that share their bytes, nothing unaligned."""

from __future__ import annotations

import numpy as np
import pytest

from paperdesk.domain.kernel import kernel, record


def test_fields_follow_each_other() -> None:
    """In order, without gaps; the size is rounded up to whole words."""
    layout = record([("a", "i2"), ("b", "i1"), ("c", "i1"), ("d", "i4"), ("e", "i8"), ("f", "i2", (3,))])
    assert layout.fields is not None
    assert [layout.fields[name][1] for name in "abcdef"] == [0, 2, 3, 4, 8, 16]
    assert layout.itemsize == 24


def test_a_union_shares_its_bytes() -> None:
    """Each variant starts again at the same byte; the longest one says the size."""
    layout = record([("kind", "i8")], at=8, union=[[("x", "i8")], [("y", "i8"), ("z", "i8", (2,))]])
    assert layout.fields is not None
    assert (layout.fields["x"][1], layout.fields["y"][1], layout.fields["z"][1]) == (8, 8, 16)
    assert layout.itemsize == 32
    block = np.zeros(1, layout)
    block["x"] = -5
    assert block["y"][0] == -5


def test_nested_records_are_allowed() -> None:
    """A record inside a record starts at a whole word."""
    inner = record([("p", "i8"), ("q", "i8")])
    layout = record([("before", "i8"), ("rows", inner, (2,))])
    assert layout.itemsize == 8 + 2 * inner.itemsize


def test_an_unaligned_field_is_refused() -> None:
    """Layouts are written so that nothing needs padding."""
    with pytest.raises(AssertionError, match="wide is not aligned"):
        record([("narrow", "i2"), ("wide", "i8")])


def test_a_kernel_is_its_function() -> None:
    """Compiled or not, the same answer."""

    @kernel
    def double(value: int) -> int:
        return value * 2

    assert double(21) == 42
