"""The service's keys in one folder, made once and together: seals, tokens, the vault, the ledger's secret."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.signing import KeyUnusable
from infrastructure.durable import sync_folder, temporary_name
from infrastructure.keys.rings import KeyRing, SecretRing, SigningRing

RotatingRing = Literal["seal", "jwt", "vault", "subjects"]
"""The rings whose current key may be replaced."""

_LEFT_OVER_AFTER_SECONDS = 3600
_RINGS: tuple[tuple[type[SigningRing] | type[SecretRing], str], ...] = (
    (SigningRing, "seal"),
    (SigningRing, "jwt"),
    (SecretRing, "vault"),
    (SecretRing, "subjects"),
    (SecretRing, "ledger"),
)


class KeyStore:
    """Opens the keys of one folder; nothing is read before it is asked for.

    `seal` signs documents, `jwt` signs local tokens, `vault` holds the master keys of files, `subjects` those
    of persons' keys, `ledger` one secret from which named keys are derived. Every use raises KeyUnusable
    where its key is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is the data directory's `keys`; it must have been created."""
        self.seal = SigningRing(folder / "seal")
        self.jwt = SigningRing(folder / "jwt")
        self.vault = SecretRing(folder / "vault")
        self.subjects = SecretRing(folder / "subjects")
        self._ledger = SecretRing(folder / "ledger")

    @classmethod
    def create(cls, folder: Path) -> "KeyStore":
        """Make all keys where the folder is absent or empty, else leave it be; then check every key.

        The folder appears complete in one rename: of several processes starting at once one wins and the
        others use its keys, a kill leaves none at all, and a ring lost later is missed, never made anew.
        """
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _remove_left_overs(folder.parent)
            if _is_empty(folder):
                _create_complete(folder, folder.parent, _write_rings)
        except OSError as error:
            raise KeyUnusable("service", "unwritable") from error
        store = cls(folder)
        store.check()
        return store

    @staticmethod
    def add_subjects(folder: Path) -> None:
        """Make the ring `subjects` in a folder that has keys and lacks it, as one of an older version does.

        Only for who knows that nothing was ever sealed under that ring: from the folder alone a lost one
        looks the same. Whole or not at all, as in `create`. Raises KeyUnusable.
        """
        ring = folder / "subjects"
        if _is_empty(folder) or ring.exists():
            return
        try:
            _create_complete(ring, folder.parent, lambda draft: SecretRing(draft).rotate())
        except OSError as error:
            raise KeyUnusable("subjects", "unwritable") from error

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose (`b"request-hash"`), the same at every start (HKDF-SHA256, RFC 5869).

        The ledger's secret never rotates, because keyed request hashes must compare for good. Derive once at
        start and keep the result.
        """
        secret = self._ledger.current().secret
        return HKDF(SHA256(), length=32, salt=None, info=b"billing-docs/" + purpose).derive(secret)

    def rotate(self, ring: RotatingRing) -> str:
        """Give a ring a new current key and return its id; what older ones did stays readable."""
        rings: dict[RotatingRing, KeyRing] = {
            "seal": self.seal,
            "jwt": self.jwt,
            "vault": self.vault,
            "subjects": self.subjects,
        }
        return rings[ring].rotate()

    def check(self) -> None:
        """Read every key there is; about 1 ms. Raises KeyUnusable at the first that is missing or damaged."""
        for ring in (self.seal, self.jwt, self.vault, self.subjects, self._ledger):
            ring.check()


def _is_empty(folder: Path) -> bool:
    return not folder.exists() or not any(folder.iterdir())


def _create_complete(folder: Path, beside: Path, fill: Callable[[Path], object]) -> None:
    """Makes a folder of keys in a draft beside it, and gives it its name when all is on the disk."""
    draft = beside / f"{temporary_name()}-keys"
    draft.mkdir(mode=0o700)
    try:
        fill(draft)
        sync_folder(draft)
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # Another process may have been first: a folder with keys cannot be renamed over, and its keys count.
        if _is_empty(folder):
            raise
    sync_folder(folder.parent)


def _write_rings(folder: Path) -> None:
    for kind, name in _RINGS:
        (folder / name).mkdir(mode=0o700)
        kind(folder / name).rotate()


def _remove_left_overs(parent: Path) -> None:
    """Drafts of killed processes hold keys that nobody ever used."""
    for draft in parent.glob(".tmp-*-keys"):
        # A draft may become the key folder at this very moment.
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _LEFT_OVER_AFTER_SECONDS:
                shutil.rmtree(draft, ignore_errors=True)
