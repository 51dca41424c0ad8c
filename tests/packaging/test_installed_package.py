"""The wheel holds what the code reads: tax rules, SQL, fonts, the demo's orders."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.source_tree import PACKAGES, PROJECT

NOT_CODE = (".toml", ".sql", ".ttf", ".txt", ".json")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*PACKAGES, "pyproject.toml", "README.md"):
        (source / name).symlink_to(PROJECT / name)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True, timeout=120
    )
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_every_data_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    expected = {
        path.relative_to(PROJECT).as_posix()
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.suffix in NOT_CODE
    }
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.slow
def test_an_installed_project_knows_its_tax_rules(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "from datetime import date; from application import tax_tables as t; print(t.__file__); "
        "print(t.tax_rules_for('US', 'CA', date(2026, 11, 21)).version)"
    )
    asked = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    file, version = asked.stdout.split()
    assert Path(file).is_relative_to(tmp_path) and version.startswith("US-CA/")
