"""`billing migrate`: an older data folder becomes one that this version works with, and loses nothing."""

import shutil
from pathlib import Path

import psycopg
import pytest

from infrastructure.keys.store import KeyStore
from interfaces.cli.main import main
from tests.support.ledger_fixtures import LedgerUrls
from tests.support.subject_keys import store_key


def migrate(capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `billing migrate`."""
    with pytest.raises(SystemExit) as ended:
        main(["migrate"])
    return int(ended.value.code or 0), *capsys.readouterr()


def test_an_older_data_folder_is_brought_up_to_date_and_a_lost_ring_is_missed(
    database_urls: LedgerUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", database_urls.admin)
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))
    seal = KeyStore.create(tmp_path / "keys").seal.current_id()
    shutil.rmtree(tmp_path / "keys" / "subjects")
    assert migrate(capsys) == (0, "The database is up to date.\n", "")
    assert KeyStore.create(tmp_path / "keys").seal.current_id() == seal
    with psycopg.connect(database_urls.service) as connection:
        store_key(connection, "lost")
    shutil.rmtree(tmp_path / "keys" / "subjects")
    assert migrate(capsys) == (3, "", "The subjects key is missing.\n")
    assert not (tmp_path / "keys" / "subjects").exists()
