"""The project's own source, for tests that read it."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "application", "projections", "infrastructure", "interfaces")
_NOT_OURS = frozenset({"__pycache__", "node_modules", "build", "dist"})


@cache
def modules(*packages: str) -> tuple[Path, ...]:
    """Every Python module of these packages (all of them where none is named)."""
    folders = packages or PACKAGES
    return tuple(sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def for_each(paths: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Makes one test of a check that every one of the files has to pass; it tells of all that do not.

    One, because a test a file and rule would be thousands, and those take longer than what they check.
    """

    def as_one_test(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            found = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as error:
                    found.append(f"{name_of(path)}: {error}")
            assert not found, "\n".join(found)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return as_one_test


def name_of(path: Path) -> str:
    """A path as people name it, from the project's root."""
    return path.relative_to(PROJECT).as_posix()


def text_files() -> Iterator[tuple[Path, str]]:
    """Every text file of the project with its content; what is built or ignored is left out."""
    for path in sorted(_files(PROJECT)):
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or path.name in _NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            # Dot folders are caches, environments and data, but for the workflows of continuous integration.
            if not path.name.startswith(".") or path.name == ".github":
                yield from _files(path)
        else:
            yield path
