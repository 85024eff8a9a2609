"""The house rules as tests. Limits are ratchets: they may be tightened, and loosened only with a decision record.

Everything is read from the syntax trees of `src/paperdesk` and the text of the checkout; nothing of it is imported.
"""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
PACKAGE = REPO / "src" / "paperdesk"
CORE = ("domain", "ledger", "venue", "engine", "features", "strategies")

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 400
MAX_MAIN_PATH_LINES = 1_200
MAX_BROAD_EXCEPTS = 4
MIN_CORE_ASSERTS_PER_FUNCTION = 0.1  # about two is the aim: raise it as the core grows
MAIN_PATH = (
    "domain/events.py",
    "engine/step.py",
    "venue/matching.py",
    "ledger/journal.py",
    "engine/drive.py",
    "app/loop.py",
)

CORE_FORBIDDEN = frozenset(
    [
        "aiohttp",
        "asyncio",
        "concurrent",
        "datetime",
        "http",
        "httpx",
        "logging",
        "multiprocessing",
        "random",
        "requests",
        "secrets",
        "select",
        "socket",
        "sqlite3",
        "ssl",
        "threading",
        "time",
        "urllib",
        "uuid",
        "websockets",
    ]
)
NETWORK_CLIENTS = frozenset(
    ["aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib", "websockets"]
)
BANNED_MODULES = frozenset(["cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "yaml"])
BANNED_CALLS = frozenset(["eval", "exec", "os.system", "os.popen", "numpy.load", "np.load", "__import__"])
MODE_WORDS = re.compile(
    r"\b(?:is_live|live_mode|is_paper|paper_mode|dry_?run|is_backtest(?:ing)?|backtest_mode|is_replay|replay_mode|"
    r"sandbox_mode|test_mode|trading_mode|run_mode|real_mode|is_real)\b"
)
MOCK_WORDS = re.compile(r"\b(?:mock|Mock|MagicMock|AsyncMock|monkeypatch|patch)\b")
MACHINE_WORDS = re.compile(
    r"(?<![\w.])/(?:work|root|tmp|opt/pypi)\b[/\w]*|/home/[a-z]+/(?:src|work)|pypi\.org|pythonhosted\.org|--(?:extra-)?index-url|"
    r"--find-links|--trusted-host|\bissue\s*#\s*\d+",
    re.IGNORECASE,
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package by its path below the package, parsed."""
    files = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


@cache
def tracked() -> list[str]:
    """Every file under version control, or every file where git cannot say."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=False)
    if answer.returncode == 0 and answer.stdout:
        return [name for name in answer.stdout.decode().split("\0") if name and (REPO / name).is_file()]
    hidden = (".git", ".venv", "build", "dist", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")
    files = (path for path in sorted(REPO.rglob("*")) if path.is_file() and not set(hidden) & set(path.parts))
    return [path.relative_to(REPO).as_posix() for path in files]


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def in_core(where: str) -> bool:
    return where.split("/")[0] in CORE


def typing_only(tree: ast.Module) -> set[int]:
    """Ids of the nodes under `if TYPE_CHECKING`."""
    blocks = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    ]
    return {id(inner) for block in blocks for statement in block.body for inner in ast.walk(statement)}


def imported(where: str, tree: ast.Module) -> list[tuple[int, str]]:
    """Line and full dotted name of everything a module imports when it runs, hidden imports included."""
    skip = typing_only(tree)
    package = ["paperdesk", *where.split("/")[:-1]]
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if id(node) in skip:
            continue
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def imports_of(roots: frozenset[str], keep: set[str]) -> list[str]:
    """`file:line name` of each import of one of `roots` in the files of `keep`."""
    return [
        f"{where}:{line} {name}"
        for where in sorted(keep)
        for line, name in imported(where, sources()[where])
        if name.split(".")[0] in roots
    ]


# Size


def test_functions_are_short() -> None:
    long = []
    for where, tree in sources().items():
        for node in functions(tree):
            first = node.body[0]
            doc = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) is not None else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - doc
            if lines > MAX_FUNCTION_LINES:
                long.append(f"{where}:{node.lineno} {node.name} has {lines} lines")
    assert long == [], f"over {MAX_FUNCTION_LINES} lines without the docstring"


def test_files_are_short() -> None:
    lines = {where: len((PACKAGE / where).read_text(encoding="utf-8").splitlines()) for where in sources()}
    assert {where: count for where, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_the_main_path_is_read_in_an_evening() -> None:
    lines = {
        name: len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) for name in MAIN_PATH if name in sources()
    }
    assert sum(lines.values()) <= MAX_MAIN_PATH_LINES, lines


# Words and shapes


def test_every_function_is_annotated() -> None:
    bare = []
    for where, tree in sources().items():
        methods = {id(node) for cls in ast.walk(tree) if isinstance(cls, ast.ClassDef) for node in cls.body}
        for node in functions(tree):
            arguments = [*node.args.posonlyargs, *node.args.args]
            static = any(ast.unparse(decorator) == "staticmethod" for decorator in node.decorator_list)
            if id(node) in methods and not static:
                arguments = arguments[1:]
            arguments += [*node.args.kwonlyargs, *(extra for extra in (node.args.vararg, node.args.kwarg) if extra)]
            if node.returns is None or any(argument.annotation is None for argument in arguments):
                bare.append(f"{where}:{node.lineno} {node.name}")
    assert bare == []


def test_every_public_function_has_a_docstring() -> None:
    mute = [
        f"{where}:{node.lineno} {node.name}"
        for where, tree in sources().items()
        for node in functions(tree)
        if not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert mute == []


def test_every_module_opens_with_its_story() -> None:
    assert [where for where, tree in sources().items() if tree.body and ast.get_docstring(tree) is None] == []


def test_no_word_asks_for_the_mode() -> None:
    found = []
    for where in sources():
        for number, line in enumerate((PACKAGE / where).read_text(encoding="utf-8").splitlines(), start=1):
            found += [f"{where}:{number} {word}" for word in MODE_WORDS.findall(line)]
    assert found == [], "the mode is chosen where the desk is put together, and asked nowhere"


def test_the_core_says_what_it_believes() -> None:
    trees = [tree for where, tree in sources().items() if in_core(where)]
    count = sum(1 for tree in trees for _ in functions(tree))
    asserts = sum(isinstance(node, ast.Assert) for tree in trees for node in ast.walk(tree))
    if count == 0:
        pytest.skip("there is no core yet")
    assert asserts / count >= MIN_CORE_ASSERTS_PER_FUNCTION, f"{asserts} asserts in {count} functions of the core"


# Imports


def test_no_module_is_in_an_import_cycle() -> None:
    names = {where: "paperdesk." + where.removesuffix(".py").replace("/", ".") for where in sources()}
    names = {where: name.removesuffix(".__init__") for where, name in names.items()}
    modules = set(names.values())
    graph: dict[str, set[str]] = {}
    for where, tree in sources().items():
        targets = set()
        for _, name in imported(where, tree):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            targets.add(name)
        graph[names[where]] = targets - {"", names[where]}
    graphlib.TopologicalSorter(graph).prepare()  # a cycle raises, and is named


def test_the_core_imports_no_clock_dice_wire_or_thread() -> None:
    assert imports_of(CORE_FORBIDDEN, {where for where in sources() if in_core(where)}) == []


def test_the_core_draws_no_unkeyed_random_numbers_and_reads_no_clock() -> None:
    pattern = re.compile(r"\b(?:np|numpy)\.random\b|\bperf_counter|\btime_ns\b|\bmonotonic\b|\burandom\b")
    found = [
        where for where in sources() if in_core(where) and pattern.search((PACKAGE / where).read_text(encoding="utf-8"))
    ]
    assert found == []


def test_network_clients_are_imported_by_the_door_alone() -> None:
    assert imports_of(NETWORK_CLIENTS, set(sources()) - {"safety/door.py", "safety/link.py"}) == []


def test_imports_of_the_house_are_not_hidden() -> None:
    hidden = [
        f"{where}:{node.lineno}"
        for where, tree in sources().items()
        if not where.startswith("app/cli")  # the command line loads a command's modules when the command runs
        if not where.endswith("_process.py")  # a process closes itself in before it loads what starts threads
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("paperdesk"))
    ]
    assert hidden == []


def test_rooms_are_those_of_the_contracts() -> None:
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    by_id = {contract["id"]: contract for contract in contracts}
    assert sorted(name.split(".")[1] for name in by_id["core"]["source_modules"]) == sorted(CORE)
    assert set(by_id["core"]["forbidden_modules"]) <= CORE_FORBIDDEN
    layered = set(re.findall(r"\w+", " ".join(by_id["rooms"]["layers"])))
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms <= layered, "a room that no contract knows"


# Dangerous things


def test_outside_input_is_never_run() -> None:
    found = imports_of(BANNED_MODULES, set(sources()))
    for where, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in BANNED_CALLS:
                found.append(f"{where}:{node.lineno} {ast.unparse(node.func)}")
            if (
                isinstance(node, ast.keyword)
                and node.arg in ("shell", "allow_pickle")
                and ast.unparse(node.value) != "False"
            ):
                found.append(f"{where}:{node.value.lineno} {node.arg}")
    assert found == []


def test_broad_excepts_are_few() -> None:
    broad = []
    for where, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                if any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in kinds):
                    broad.append(f"{where}:{node.lineno}")
    assert len(broad) <= MAX_BROAD_EXCEPTS, broad


def test_fakes_ship_at_a_seam_and_nothing_is_replaced_under_test() -> None:
    found = []
    for path in sorted((REPO / "tests").rglob("*.py")):
        if path.name != Path(__file__).name:
            found += [
                f"{path.relative_to(REPO)} {word}" for word in MOCK_WORDS.findall(path.read_text(encoding="utf-8"))
            ]
    assert found == []


def test_nothing_tells_of_the_machine_it_was_written_on() -> None:
    found = []
    for name in tracked():
        if name == "tests/test_tidy.py":
            continue
        data = (REPO / name).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
            found += [f"{name}:{number} {word}" for word in MACHINE_WORDS.findall(line)]
    assert found == []


def test_no_large_file_is_tracked() -> None:
    sizes = {name: (REPO / name).stat().st_size for name in tracked()}
    assert {name: size for name, size in sizes.items() if size > 512 * 1024} == {}


# Locks


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_pin_hashes_and_name_no_registry(lock: str) -> None:
    text = (REPO / lock).read_text(encoding="utf-8")
    assert "://" not in text and "index" not in text and "find-links" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    loose = [
        entry.splitlines()[0]
        for entry in entries
        if not re.match(r"[a-z0-9-]+==\S+", entry) or "--hash=sha256:" not in entry
    ]
    assert loose == []


def test_locks_hold_what_pyproject_asks_for_and_agree() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    texts = [(REPO / name).read_text(encoding="utf-8") for name in ("requirements.lock", "requirements-dev.lock")]
    run, dev = (dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)) for text in texts)
    wanted = {re.match(r"[a-z0-9-]+", line)[0] for line in [*project["project"]["dependencies"], *groups["build"]]}  # type: ignore[index]
    wanted_dev = {re.match(r"[a-z0-9-]+", line)[0] for line in groups["dev"]}  # type: ignore[index]
    assert wanted <= run.keys() and wanted_dev <= dev.keys()
    assert run.items() <= dev.items(), "both locks pin the same versions"


def test_the_version_is_told_once() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = re.search(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert told and told[1] == project["version"]


def test_the_ci_entry_can_be_run() -> None:
    for name in (".ci/run", "scripts/make_env.sh", "scripts/run_tests.sh", "scripts/lock.sh"):
        path = REPO / name
        assert path.stat().st_mode & 0o111, f"{name} is not executable"
        assert "set -euo pipefail" in path.read_text(encoding="utf-8")


def test_every_planted_error_fits_the_text_it_is_planted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `scripts/plant_errors.py`, which the README names, proves nothing any more."""
    monkeypatch.syspath_prepend(str(REPO / "scripts"))
    planted = importlib.import_module("planted")
    found = {
        (one.file, one.old): (PACKAGE / one.file).read_text(encoding="utf-8").count(one.old) for one in planted.PLANTS
    }
    assert [place for place, count in found.items() if count != 1] == [] and len(found) > 40
