"""A user's strategy as the desk knows it: text and a description, never a class. Its code runs in its own process alone.

The file, and the modules beside it that it imports (whoever imports them), are read here and handed over as bytes; that process
cannot read them itself.
"""

import ast
from pathlib import Path
from typing import Final

import msgspec

from paperdesk.strategies.api import StrategyError

MOST_FILES: Final = 200
MOST_BYTES: Final = 4 << 20
NAME_CHARS: Final = 60


class Described(msgspec.Struct, frozen=True):
    """What a strategy says of itself: its name, and the names of its parameters."""

    name: str
    parameters: list[str]


class UserStrategy:
    """A strategy file that was read. `name` and `parameters` (their names) as its process describes them."""

    def __init__(self, path: Path, files: dict[str, bytes]) -> None:
        """`files` as from `read_files`."""
        self.path = path
        self.files = files
        self.name = path.stem
        self.parameters: tuple[str, ...] = ()

    def describe(self, said: Described) -> None:
        """Take over what its process found, cut and cleaned: it goes into records and on terminals."""
        self.name = shown(said.name, NAME_CHARS) or self.path.stem
        self.parameters = tuple(shown(name, NAME_CHARS) for name in said.parameters)

    @property
    def source(self) -> str:
        """The text of the file and of the modules beside it, in the order of their paths."""
        return "\n".join(self.files[name].decode("utf-8", "replace") for name in sorted(self.files))


def read_files(name: str) -> tuple[Path, dict[str, bytes]]:
    """The resolved path of a strategy file, and absolute path → bytes of it and of the modules beside it that it imports.

    StrategyError where there is no such file, or too much of it.
    """
    path = Path(name).expanduser().resolve()
    if path.suffix != ".py" or not path.is_file():
        raise StrategyError(f"{path}: there is no such Python file; give the path of a file that ends in .py")
    files: dict[str, bytes] = {}
    todo = [path]
    while todo:
        one = todo.pop()
        if str(one) in files or not one.is_file():
            continue
        try:
            files[str(one)] = one.read_bytes()
        except OSError as error:
            raise StrategyError(f"{one}: the file cannot be read ({error.strerror}); check its permissions") from error
        if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
            raise StrategyError(
                f"{path}: the strategy and the modules beside it are more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB; "
                "import less from its folder"
            )
        todo.extend(_beside(path.parent, one, files[str(one)]))
    return path, files


def _beside(folder: Path, file: Path, source: bytes) -> list[Path]:
    """Where modules may lie that a file imports; nothing where it cannot be parsed, which its process will tell better."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(folder, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = folder if not node.level else file.parents[min(node.level, len(file.parents)) - 1]
            names.add((base, node.module or ""))
            names |= {(base, f"{node.module or ''}.{alias.name}".strip(".")) for alias in node.names}
    found = []
    for base, name in sorted(names):
        parts = [part for part in name.split(".") if part]
        for depth in range(1, len(parts) + 1):
            place = base.joinpath(*parts[:depth])
            if place.is_relative_to(folder):
                found += [place.with_name(place.name + ".py"), place / "__init__.py"]
    return found


def shown(text: str, most: int) -> str:
    """Text from a process that is not trusted, as it may be shown: cut, and without signs that steer a terminal."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text[:most])
