"""Compiled code: one decorator, one way to lay out records.

Everything that touches money is written once, in plain Python over integers and preallocated records, and compiled by numba.
With `NUMBA_DISABLE_JIT=1` the same functions run interpreted: integer overflow then raises (numpy warns, warnings are errors) and
branch coverage can be measured.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
import numpy as np

from paperdesk.domain import cache

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Mark a function of the core for compilation; callers in compiled code see its integers, never Python objects."""
    compiled: Any = numba.njit(function)
    template = getattr(compiled, "get_call_template", None)
    if template is not None:
        compiled.get_call_template = lambda args, kws: template(tuple(wide(kind) for kind in args), kws)
    kept: Function = compiled
    return kept


def wide(kind: Any) -> Any:
    """The type a kernel is compiled for when it is called with `kind`: any integer, constant or narrow, is an int64.

    Without this the compiler makes a copy of the callee for every constant that is passed, and one more for every width: 313 copies
    of 195 kernels, and nearly twice the compile time.
    """
    plain = numba.types.unliteral(kind)
    return numba.types.int64 if isinstance(plain, numba.types.Integer) else plain


def rows_of(dtype: np.dtype[Any]) -> Any:
    """The compiler's type for a contiguous one-dimensional array of a dtype, for `entry` signatures."""
    return numba.from_dtype(dtype)[::1]


def entry(*arguments: Any) -> Callable[[Function], Function]:
    """A kernel that Python calls: compiled for exactly these argument types when imported, kept in `domain.cache`.

    Without argument types it is compiled when first called: for what a run seldom needs.
    """

    def compile_entry(function: Function) -> Function:
        """Compile now, or when first called."""
        kept = cache.FOLDER is not None
        compiled: Function = (
            numba.njit(arguments, cache=kept)(function) if arguments else numba.njit(cache=kept)(function)
        )
        return compiled

    return compile_entry


def record(
    fields: Sequence[tuple[Any, ...]], union: Sequence[Sequence[tuple[Any, ...]]] = (), at: int = 0
) -> np.dtype[Any]:
    """Lay out one record without padding surprises.

    `fields` are (name, format[, shape]) in order; each list in `union` starts again at byte `at`, so that every kind of event
    names its own payload while all share one record. Formats are signed integers only: mixing signs turns int64 into float64.
    """
    names: list[str] = []
    formats: list[Any] = []
    offsets: list[int] = []
    size = 0
    for group, start in [(fields, 0), *[(variant, at) for variant in union]]:
        offset = start
        for name, *rest in group:
            form = np.dtype(rest[0] if len(rest) == 1 else (rest[0], rest[1]))
            align = min(form.base.itemsize, 8) if form.base.names is None else 8
            assert offset % align == 0, f"{name} is not aligned"
            names.append(name)
            formats.append(form)
            offsets.append(offset)
            offset += form.itemsize
        size = max(size, offset)
    size += -size % 8
    layout = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})
    return np.dtype((np.record, layout))
