"""Keys of an older version get the ring that came later; one that was lost is missed, and never made anew."""

import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from application.signing import KeyUnusable
from infrastructure.keys.store import KeyStore
from infrastructure.keys.upgrading import upgrade_keys
from tests.support.ledger_fixtures import LedgerUrls
from tests.support.subject_keys import store_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys as a version without subjects' keys made them."""
    folder = tmp_path / "data" / "keys"
    KeyStore.create(folder)
    shutil.rmtree(folder / "subjects")
    return folder


def keep_a_key(urls: LedgerUrls, wrapped: bytes | None = b"wrapped") -> None:
    """As the first event of a person leaves the ledger, or what an erasure made of that."""
    with psycopg.connect(urls.service) as connection:
        store_key(connection, "gone", wrapped)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_keys_of_an_older_version_get_the_new_ring_and_keep_the_others(
    folder: Path, database_urls: LedgerUrls
) -> None:
    before = content(folder)
    with pytest.raises(KeyUnusable, match="subjects"):
        KeyStore.create(folder)
    upgrade_keys(folder, database_urls.service)
    KeyStore.create(folder)
    assert before.items() < content(folder).items()
    assert {path.stat().st_mode & 0o777 for path in (folder / "subjects").iterdir()} == {0o600}
    assert list(folder.parent.iterdir()) == [folder]
    after = content(folder)
    keep_a_key(database_urls)
    upgrade_keys(folder, database_urls.service)
    assert content(folder) == after


@pytest.mark.parametrize("wrapped", [b"wrapped", None], ids=["a live key", "a tombstone"])
def test_a_ring_under_which_something_was_sealed_is_missed_and_not_made_anew(
    folder: Path, database_urls: LedgerUrls, wrapped: bytes | None
) -> None:
    keep_a_key(database_urls, wrapped)
    before = content(folder)
    with pytest.raises(KeyUnusable, match="The subjects key is missing"):
        upgrade_keys(folder, database_urls.service)
    assert content(folder) == before
    shutil.rmtree(folder)
    with pytest.raises(KeyUnusable, match="The subjects key is missing"):
        upgrade_keys(folder, database_urls.service)
    assert not folder.exists()


def test_a_ring_that_lost_its_keys_is_not_filled_anew(folder: Path, database_urls: LedgerUrls) -> None:
    (folder / "subjects").mkdir()
    upgrade_keys(folder, database_urls.service)
    assert not any((folder / "subjects").iterdir())
    with pytest.raises(KeyUnusable, match="The subjects key is missing"):
        KeyStore.create(folder)


def test_many_upgrades_at_once_agree_on_one_ring(folder: Path, database_urls: LedgerUrls) -> None:
    together = threading.Barrier(6)
    seen: list[str] = []

    def upgrade() -> None:
        together.wait()
        upgrade_keys(folder, database_urls.service)
        seen.append(KeyStore(folder).subjects.current_id())

    threads = [threading.Thread(target=upgrade) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6 and len(set(seen)) == 1
    assert list(folder.parent.iterdir()) == [folder]


def test_where_there_are_no_keys_at_all_they_are_left_to_be_made_together(
    tmp_path: Path, database_urls: LedgerUrls
) -> None:
    upgrade_keys(tmp_path / "keys", database_urls.service)
    assert not (tmp_path / "keys").exists()
