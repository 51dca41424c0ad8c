"""The folder vault on disks that are full, read-only or lost."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from application.vault import (
    Deposit,
    StoredObject,
    VaultUnavailable,
)
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.vault.folder import FolderVault
from tests.infrastructure.vault.vault_contract import NAME, UNTIL

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "keys")


@pytest.fixture
def open_vault(keys: KeyStore) -> Callable[[Path], FolderVault]:
    def opened(root: Path) -> FolderVault:
        return FolderVault(root, keys.vault, Ed25519Signer(keys.seal), lambda: MOMENT)

    return opened


def put(vault: FolderVault, content: bytes = b"sealed", name: str = NAME) -> None:
    vault.put(Deposit(name, content, "fiscal", UNTIL))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 512 KiB."""
    mount_point = tmp_path / "small"
    mount_point.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=512k", "none", str(mount_point)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this system does not let root mount a file system")
    yield mount_point
    subprocess.run(["umount", "-l", str(mount_point)], check=True)


def test_a_full_disk_is_unavailable_leaves_nothing_partial_and_heals(
    small_disk: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    root = small_disk / "vault"
    FolderVault.initialise(root)
    vault = open_vault(root)
    contents = {f"documents/{number}/document.pdf": os.urandom(20_000) for number in range(100)}
    stored: list[str] = []
    with pytest.raises(VaultUnavailable, match="ENOSPC"):
        for name, content in contents.items():
            put(vault, content, name)
            stored.append(name)
    assert 5 < len(stored) < 100
    with pytest.raises(VaultUnavailable):
        vault.probe()
    assert all(vault.get(name) == contents[name] for name in stored)
    assert list((root / "incoming").iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    vault.probe()
    for name, content in contents.items():
        put(vault, content, name)
        assert vault.retention_of(name) is not None


def test_an_object_that_does_not_fit_keeps_none_out_that_were_put_with_it(
    small_disk: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    root = small_disk / "vault"
    FolderVault.initialise(root)
    vault = open_vault(root)
    contents = {"a": b"small", "b": bytes(1_000_000), "c": b"small too"}
    first, refused, last = vault.put_all([Deposit(*each, "fiscal", UNTIL) for each in contents.items()])
    assert isinstance(first, StoredObject)
    assert isinstance(refused, VaultUnavailable)
    assert isinstance(last, StoredObject)
    assert [vault.get(name) for name in ("a", "c")] == [b"small", b"small too"]
    assert not vault.exists("b")
    assert list((root / "incoming").iterdir()) == []


def test_a_disk_that_fills_under_any_byte_never_shows_a_partial_object(
    small_disk: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    root = small_disk / "vault"
    FolderVault.initialise(root)
    vault = open_vault(root)
    ballast = small_disk / "ballast"
    content = os.urandom(9_000)
    refusals = 0
    for free_bytes in range(0, 40_000, 4096):
        ballast.unlink(missing_ok=True)
        disk = os.statvfs(small_disk)
        with ballast.open("wb") as file:
            file.write(bytes(disk.f_bavail * disk.f_frsize - free_bytes))
        name = f"documents/{free_bytes}/document.pdf"
        try:
            put(vault, content, name)
        except VaultUnavailable:
            refusals += 1
        if vault.exists(name):
            assert vault.get(name) == content
        ballast.unlink()
        put(vault, content, name)
        assert vault.retention_of(name) is not None
    assert refusals > 1


def test_a_read_only_disk_is_unavailable_for_writing_and_still_read(
    small_disk: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    root = small_disk / "vault"
    FolderVault.initialise(root)
    vault = open_vault(root)
    put(vault)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(VaultUnavailable, match="EROFS"):
        vault.probe()
    with pytest.raises(VaultUnavailable):
        put(vault, b"other", "documents/other/document.pdf")
    assert vault.get(NAME) == b"sealed"


def test_a_lost_mount_is_unavailable_and_not_an_empty_vault(
    small_disk: Path, open_vault: Callable[[Path], FolderVault]
) -> None:
    FolderVault.initialise(small_disk)
    vault = open_vault(small_disk)
    put(vault)
    subprocess.run(["umount", str(small_disk)], check=True)
    try:
        for use in (vault.probe, lambda: put(vault), lambda: vault.get(NAME), lambda: vault.exists(NAME)):
            with pytest.raises(VaultUnavailable):
                use()
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "none", str(small_disk)], check=True)
