"""The folder vault on a real disk: encryption, damage, retention, repair."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from application.vault import (
    Deposit,
    StoredObject,
    SubjectSecret,
    VaultConflict,
    VaultCorrupt,
    VaultError,
    VaultMissing,
    VaultUnavailable,
)
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.vault.folder import FolderVault
from tests.infrastructure.vault.vault_contract import NAME, UNTIL, VaultContract
from tests.support.decisions import rule

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "keys")


@pytest.fixture
def open_vault(keys: KeyStore) -> Callable[[Path], FolderVault]:
    def opened(root: Path) -> FolderVault:
        return FolderVault(root, keys.vault, Ed25519Signer(keys.seal), lambda: MOMENT)

    return opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    FolderVault.initialise(tmp_path / "vault")
    return tmp_path / "vault"


@pytest.fixture
def vault(root: Path, open_vault: Callable[[Path], FolderVault]) -> FolderVault:
    return open_vault(root)


class TestFolderVault(VaultContract):
    @pytest.fixture
    def vault(self, root: Path, open_vault: Callable[[Path], FolderVault]) -> FolderVault:
        return open_vault(root)


def put(vault: FolderVault, content: bytes = b"sealed", name: str = NAME) -> None:
    vault.put(Deposit(name, content, "fiscal", UNTIL))


def object_files(root: Path) -> list[Path]:
    return [path for path in (root / "objects").rglob("*") if path.is_file()]


def retention_lines(root: Path) -> list[bytes]:
    return [line for log in (root / "retention").iterdir() for line in log.read_bytes().splitlines()]


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


@rule("PII-16")
def test_an_object_is_read_only_and_unreadable_without_the_key(vault: FolderVault, root: Path) -> None:
    put(vault, b"the secret name of a buyer")
    (path,) = object_files(root)
    assert path.stat().st_mode & 0o777 == 0o444
    assert b"secret" not in path.read_bytes()
    assert list((root / "incoming").iterdir()) == []


def test_a_flipped_bit_in_any_byte_of_an_object_is_found(vault: FolderVault, root: Path) -> None:
    put(vault)
    (path,) = object_files(root)
    intact = path.read_bytes()
    for offset in range(len(intact)):
        flipped = bytearray(intact)
        flipped[offset] ^= 1 << offset % 8
        overwrite(path, bytes(flipped))
        with pytest.raises(VaultCorrupt):
            vault.get(NAME)
    overwrite(path, intact)
    assert vault.get(NAME) == b"sealed"


def test_an_object_cut_short_or_prolonged_anywhere_is_found(vault: FolderVault, root: Path) -> None:
    put(vault)
    (path,) = object_files(root)
    intact = path.read_bytes()
    for damaged in [*(intact[:length] for length in range(len(intact))), intact + b"\0"]:
        overwrite(path, damaged)
        with pytest.raises(VaultCorrupt):
            vault.get(NAME)


def test_a_damaged_object_is_reported_by_put_and_never_replaced(vault: FolderVault, root: Path) -> None:
    put(vault)
    (path,) = object_files(root)
    overwrite(path, path.read_bytes()[:-1])
    with pytest.raises(VaultCorrupt):
        put(vault)
    damaged, sound = vault.put_all([Deposit(name, b"sealed", "fiscal", UNTIL) for name in (NAME, "other")])
    assert isinstance(damaged, VaultCorrupt)
    assert isinstance(sound, StoredObject)


def test_an_object_moved_to_another_name_is_found(vault: FolderVault, root: Path) -> None:
    put(vault, b"one", "documents/one/document.pdf")
    (one,) = object_files(root)
    stolen = one.read_bytes()
    put(vault, b"two", "documents/two/document.pdf")
    (two,) = set(object_files(root)) - {one}
    overwrite(two, stolen)
    with pytest.raises(VaultCorrupt):
        vault.get("documents/two/document.pdf")


def test_a_flipped_byte_in_the_master_key_is_found_by_an_open_vault(
    vault: FolderVault, tmp_path: Path
) -> None:
    put(vault)
    (key_file,) = (tmp_path / "keys" / "vault").glob("*.key")
    intact = key_file.read_bytes()
    for offset in range(len(intact)):
        flipped = bytearray(intact)
        flipped[offset] ^= 1 << offset % 8
        key_file.write_bytes(flipped)
        with pytest.raises(VaultCorrupt):
            vault.get(NAME)
        with pytest.raises(VaultUnavailable):
            put(vault, b"new", "documents/new/document.pdf")
        with pytest.raises(VaultUnavailable):
            vault.probe()
    key_file.write_bytes(intact)
    assert vault.get(NAME) == b"sealed"


def test_a_master_key_that_the_disk_refuses_now_is_not_called_damage(
    vault: FolderVault, tmp_path: Path
) -> None:
    put(vault)
    (key_file,) = (tmp_path / "keys" / "vault").glob("*.key")
    key_file.unlink()
    key_file.mkdir()
    with pytest.raises(VaultUnavailable):
        vault.get(NAME)


def test_old_objects_stay_readable_after_the_master_key_rotates(
    vault: FolderVault, keys: KeyStore, root: Path
) -> None:
    put(vault, b"old", "old")
    (old,) = object_files(root)
    keys.rotate("vault")
    put(vault, b"new", "new")
    (new,) = set(object_files(root)) - {old}
    assert (vault.get("old"), vault.get("new")) == (b"old", b"new")
    assert old.read_bytes()[:16] != new.read_bytes()[:16]


def test_each_object_has_one_signed_retention_entry(vault: FolderVault, root: Path) -> None:
    put(vault)
    put(vault)
    (path,) = object_files(root)
    (line,) = retention_lines(root)
    signed = json.loads(line)
    assert signed["entry"] == {
        "name": NAME,
        "storedSha256": sha256(path.read_bytes()).hexdigest(),
        "retentionClass": "fiscal",
        "retainUntil": "2036-12-31",
        "at": "2026-03-01T12:00:00.000000Z",
    }
    entry = vault.retention_of(NAME)
    assert entry is not None
    assert (entry.retention_class, entry.retain_until) == ("fiscal", UNTIL)


def test_a_retention_entry_altered_in_any_byte_no_longer_holds(vault: FolderVault, root: Path) -> None:
    put(vault)
    (log,) = [log for log in (root / "retention").iterdir() if log.stat().st_size]
    intact = log.read_bytes()
    for offset in range(len(intact) - 1):
        flipped = bytearray(intact)
        flipped[offset] ^= 1
        log.write_bytes(flipped)
        assert vault.retention_of(NAME) is None, offset
    log.write_bytes(intact)
    assert vault.retention_of(NAME) is not None


def test_a_missing_retention_entry_is_written_by_the_next_put(vault: FolderVault, root: Path) -> None:
    put(vault)
    (log,) = [log for log in (root / "retention").iterdir() if log.stat().st_size]
    log.write_bytes(b"")
    assert vault.retention_of(NAME) is None
    put(vault)
    assert vault.retention_of(NAME) is not None


def test_a_line_torn_by_a_crash_spoils_only_itself(vault: FolderVault, root: Path) -> None:
    put(vault)
    (log,) = [log for log in (root / "retention").iterdir() if log.stat().st_size]
    torn = log.read_bytes()[:-20]
    log.write_bytes(torn)
    put(vault)
    assert vault.retention_of(NAME) is not None
    assert log.read_bytes().startswith(torn + b"\n")


def test_left_overs_of_crashed_writers_are_swept_after_an_hour(vault: FolderVault, root: Path) -> None:
    young, old = root / "incoming" / ".tmp-young", root / "incoming" / ".tmp-old"
    young.touch()
    old.touch()
    os.utime(old, (time.time() - 3700, time.time() - 3700))
    vault.probe()
    assert [path.name for path in (root / "incoming").iterdir()] == [".tmp-young"]


def test_a_vault_that_is_not_there_is_unavailable_and_is_not_made_anew(
    tmp_path: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    unmounted = tmp_path / "unmounted"
    unmounted.mkdir()
    a_file = tmp_path / "file"
    a_file.touch()
    for root in (tmp_path / "absent", unmounted, a_file):
        vault = open_vault(root)
        for use in (vault.probe, lambda v=vault: put(v), lambda v=vault: v.get(NAME)):
            with pytest.raises(VaultUnavailable) as refusal:
                use()
            assert str(tmp_path) not in str(refusal.value)
        with pytest.raises(VaultUnavailable):
            vault.exists(NAME)
    assert list(unmounted.iterdir()) == []
    assert not (tmp_path / "absent").exists()


def test_initialising_again_changes_nothing(vault: FolderVault, root: Path) -> None:
    put(vault)
    FolderVault.initialise(root)
    assert vault.get(NAME) == b"sealed"


def test_an_immutable_object_resists_root_where_the_file_system_can(root: Path, keys: KeyStore) -> None:
    vault = FolderVault(root, keys.vault, Ed25519Signer(keys.seal), lambda: MOMENT, immutable=True)
    put(vault)
    put(vault)
    assert vault.get(NAME) == b"sealed"
    (path,) = object_files(root)
    chattr = shutil.which("chattr")
    sample = root / "sample"
    sample.touch()
    if (
        chattr is None
        or subprocess.run([chattr, "+i", str(sample)], capture_output=True, check=False).returncode
    ):
        pytest.skip("this process or file system cannot set the immutable flag")
    subprocess.run([chattr, "-i", str(sample)], check=True)
    try:
        with pytest.raises(PermissionError):
            path.unlink()
    finally:
        subprocess.run([chattr, "-i", str(path)], check=True)


def test_by_default_a_data_folder_can_be_removed(vault: FolderVault, root: Path) -> None:
    put(vault)
    shutil.rmtree(root)
    assert not root.exists()


def test_every_refusal_is_a_vault_error() -> None:
    assert all(
        issubclass(error, VaultError)
        for error in (VaultUnavailable, VaultConflict, VaultCorrupt, VaultMissing)
    )


def test_a_retention_given_later_does_not_shorten_the_first(vault: FolderVault) -> None:
    put(vault)
    vault.put(Deposit(NAME, b"sealed", "short", date(2027, 1, 1)))
    entry = vault.retention_of(NAME)
    assert entry is not None
    assert entry.retain_until == UNTIL


@rule("PII-16")
def test_what_is_sealed_for_a_person_opens_with_that_persons_key_only(vault: FolderVault) -> None:
    mine, other = SubjectSecret(UUID(int=1), b"m" * 32), SubjectSecret(UUID(int=2), b"o" * 32)
    vault.put(Deposit(NAME, b"sealed", "fiscal", UNTIL, mine))
    assert vault.get(NAME, mine) == b"sealed"
    for wrong in (None, other):
        with pytest.raises(VaultCorrupt):
            vault.get(NAME, wrong)
    assert vault.put(Deposit(NAME, b"sealed", "fiscal", UNTIL, mine)).size_bytes == len(b"sealed")
    assert "mmmm" not in repr(mine)
