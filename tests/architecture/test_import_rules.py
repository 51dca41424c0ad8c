"""Who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.source_tree import PROJECT, for_each, modules, name_of, parsed

IMPURE = frozenset(
    {
        "asyncio",
        "concurrent",
        "http",
        "importlib",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
    }
)
ALLOWED_LIBRARIES = frozenset(
    {"babel", "iso4217", "msgspec", "pydantic", "pydantic_core", "rfc8785", "stdnum"}
)


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            names.add(node.module or "")
    return names


def test_the_layers_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(
        [command, "--no-cache", "--config", PROJECT / "pyproject.toml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


@for_each(modules("domain"))
def test_the_domain_imports_only_itself_and_pure_libraries(path: Path) -> None:
    roots = {name.partition(".")[0] for name in _imported(path)}
    assert not roots & IMPURE
    assert roots - {"domain"} - set(sys.stdlib_module_names) <= ALLOWED_LIBRARIES


@for_each(modules("domain", "application", "projections"))
def test_time_and_identities_come_in_as_arguments(path: Path) -> None:
    forbidden = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7"}
    for node in ast.walk(parsed(path)):
        match node:
            case ast.ImportFrom(names=names):
                assert not forbidden & {alias.name for alias in names}
            case ast.Call(func=ast.Attribute(value=port, attr=name)) if name in forbidden:
                assert ast.unparse(port) in {"self._clock", "clock"}, f"line {node.lineno}: {name}"


@for_each(modules("domain", "application", "projections"))
def test_nothing_is_changed_at_module_level(path: Path) -> None:
    """What a process holds hangs on one object made at start, so that it can serve several ledgers."""
    changed = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Global)]
    assert not changed


def test_no_stored_row_can_ask_for_an_import() -> None:
    """Stored rows name events of the closed registry; nothing turns a name into a module."""
    by_name = ("import_module", "__import__", "resolve_topic")
    found = [
        name_of(path)
        for path in modules()
        if any(word in path.read_text(encoding="utf-8") for word in by_name)
    ]
    assert not found
