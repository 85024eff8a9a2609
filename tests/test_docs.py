"""Docs are tested: what exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.app.desk import paperdesk
from typer.main import get_command

from paperdesk.app.cli import app
from paperdesk.safety.config_file import FEEDS, KEYS, MAX_COOLDOWN_S, MAX_LATENCY_MS
from paperdesk.safety.settings import LOG_LEVELS, PAPER_LOCK, VARIABLES, LimitSettings, read_settings

REPO = Path(__file__).resolve().parent.parent
PAGES = [
    REPO / "README.md",
    REPO / "CHANGELOG.md",
    REPO / "THIRD_PARTY_NOTICES.md",
    *sorted((REPO / "docs").rglob("*.md")),
]


def text_of(name: str) -> str:
    return (REPO / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """A page without its fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def slug(heading: str) -> str:
    """The anchor that a heading gets on common forges."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPO).as_posix())
def test_links_inside_the_docs_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        headings = (
            re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            if file.is_file() and anchor
            else []
        )
        if not file.exists() or (anchor and anchor not in map(slug, headings)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPO).as_posix())
def test_pages_have_one_title(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1 and text.startswith("# ")


def test_every_page_of_the_docs_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [REPO / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", without_code(page.read_text(encoding="utf-8")))
        todo += [(page.parent / target).resolve() for target in targets if ":" not in target]
    assert sorted(str(page.relative_to(REPO)) for page in set((REPO / "docs").rglob("*.md")) - seen) == []


def test_every_make_target_is_documented_and_the_reverse() -> None:
    makefile = text_of("Makefile")
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    said = set(
        re.findall(
            r"\bmake ([a-z]+(?:-[a-z]+)*)(?=[\s`,.;:]|$)",
            "\n".join(re.findall(r"`[^`]*`|^make .*$", pages, re.MULTILINE)),
        )
    )
    assert said <= phony, "a documented target does not exist"
    assert {"run", "test", "check", "bench", "lock", "notices"} <= said


def test_every_variable_is_documented_and_the_reverse() -> None:
    for name in ("README.md", "docs/configuration.md"):
        known = {*VARIABLES, *PAPER_LOCK}
        said = set(re.findall(r"\bPAPERDESK_[A-Z_]+\b", text_of(name)))
        assert said <= known, f"{name} tells of variables that do not exist"
        assert all(variable in text_of(name) for variable in known)
    assert all(f"`{level}`" in text_of("README.md") for level in LOG_LEVELS)


def test_every_key_of_the_file_is_documented_and_the_reverse() -> None:
    text = text_of("docs/configuration.md")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    said = {key for row in rows for key in re.findall(r"`([a-z_.]+)`", row)}
    limits = {f"limits.{name}" for name in LimitSettings.__struct_fields__}
    assert said == (set(KEYS) - {"limits"}) | limits
    assert all(f'"{feed}"' in text for feed in FEEDS)
    assert f"0 to {MAX_LATENCY_MS}" in text and f"0 to {MAX_COOLDOWN_S}" in text


def test_the_documented_file_is_read(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", text_of("docs/configuration.md"), re.DOTALL)
    assert len(example) == 1
    path = tmp_path / "paperdesk.toml"
    path.write_text(example[0], encoding="utf-8")
    settings = read_settings({}, path)
    assert all(getattr(settings, key) for key in KEYS)
    assert all(getattr(settings.limits, name) for name in LimitSettings.__struct_fields__)


def test_supported_pythons_are_those_of_the_package() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    declared = sorted(re.findall(r"Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE))
    row = next(line for line in text_of("docs/platforms.md").splitlines() if line.startswith("| Python |"))
    assert re.findall(r"3\.\d+", row) == declared
    assert project["requires-python"] == f">={declared[0]}"


def test_third_party_notices_name_each_package_that_is_installed() -> None:
    pins = re.findall(r"^([a-z0-9-]+)==(\S+)(.*)", text_of("requirements.lock"), re.MULTILINE)
    wanted = {(name, version) for name, version, rest in pins if "win32" not in rest}
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in text_of("THIRD_PARTY_NOTICES.md").splitlines()]
    said = {(row[0], row[1]): row[2] for row in rows if len(row) == 4 and row[0] not in ("package", "---")}
    assert said.keys() == wanted, "run `make notices`"
    assert all(said.values()), "a package without a licence"


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", text_of("CHANGELOG.md"), re.MULTILINE)


def test_the_page_of_reasons_is_current() -> None:
    """docs/reasons.md is what scripts/reasons.py prints."""
    printed = subprocess.run(
        [sys.executable, "scripts/reasons.py"], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert text_of("docs/reasons.md") == printed.stdout, "run: python scripts/reasons.py > docs/reasons.md"


def commands_and_options() -> dict[str, set[str]]:
    """Every visible command of the command line with its options; "" is the root."""
    found: dict[str, set[str]] = {}
    todo = [("", get_command(app))]
    while todo:
        name, command = todo.pop()
        for word, inner in getattr(command, "commands", {}).items():
            todo.append((f"{name} {word}".strip(), inner))
        shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        found[name] = {option for parameter in shown for option in parameter.opts if option.startswith("--")}
    return found


def test_every_command_and_option_is_documented_and_the_reverse() -> None:
    text = text_of("docs/first-steps.md")
    commands = commands_and_options()
    groups = {name for name in commands if any(other.startswith(f"{name} ") for other in commands)}
    rows = re.findall(r"^\| `paperdesk ([a-z ]+?)(?: [A-Z]+)?` \|", text, re.MULTILINE)
    assert set(rows) == set(commands) - groups - {""}
    documented = re.findall(r"^\| `(--[a-z-]+)` \|", text, re.MULTILINE)
    assert set(documented) == commands["up"] - {"--home", "--json"}, "the table of options of `up`"
    known = {option for options in commands.values() for option in options} | {"--help"}
    pages = [text_of(f"docs/{name}") for name in ("first-steps.md", "data.md", "configuration.md", "strategies.md")]
    said = {option for page in pages for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)}
    known |= {
        option for option in said if option.startswith("--no-") and option.replace("--no-", "--", 1) in commands["up"]
    }
    assert said <= known and known <= said | {"--help"}


def test_every_key_of_the_json_is_documented_and_the_reverse() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", text_of("docs/first-steps.md"), re.MULTILINE)
    said = {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)} - {"paperdesk"}
    tree = ast.parse(text_of("src/paperdesk/app/report.py"))
    (summary,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "summary"]
    (told,) = [node.value for node in ast.walk(summary) if isinstance(node, ast.Return)]
    assert isinstance(told, ast.Dict)
    assert said == {ast.literal_eval(key) for key in told.keys if key is not None}


def test_the_example_of_first_steps_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", text_of("docs/first-steps.md"), re.DOTALL)
    path = tmp_path / "my_strategy.py"
    path.write_text(example, encoding="utf-8")
    arguments = ("--feed", "sim", "--speed", "max", "--events", "3000", "--strategy", path)
    ended = paperdesk("up", "--home", tmp_path / "home", "--json", *arguments)
    assert ended.code == 0 and ended.json["fills"] > 2 and ended.json["stopped_bots"] == []


def test_files_and_functions_in_the_life_of_an_order_exist() -> None:
    text = text_of("docs/life-of-an-order.md")
    files = set(re.findall(r"`([a-z]+/[a-z_]+\.py)`", text))
    source = ""
    for name in files:
        source += text_of(f"src/paperdesk/{name}")
    names = set(re.findall(r"`([A-Za-z_]+(?:\.[a-z_]+)?)`", text)) - {"feeds", "seq", "src"}
    for name in names:
        last = name.split(".")[-1]
        assert re.search(rf"\b(?:def|class) {last}\b|^{last}\b.*=", source, re.MULTILINE), name
    assert len(files) > 12 and len(names) > 20
