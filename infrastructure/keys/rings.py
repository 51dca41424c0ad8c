"""Rings of keys on disk: each key is named by its own fingerprint, so that one flipped byte is found.

A ring is a folder with its keys, old ones included, and `current`, which names the one in use. Files are read
at every use and compared byte for byte with the one form in which they are written, so damage shows at once;
only the parsing of bytes that were found sound before is spared.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from application.signing import KeyUnusable
from infrastructure.durable import sync_folder, temporary_name, write_synced

_KEY_ID = re.compile(r"[0-9a-f]{16}")
_POINTER = re.compile(rb"([0-9a-f]{16})\n")
_CURRENT = "current"
_SECRET_DOMAIN = b"billing-docs secret fingerprint v1\n"


class NotRetired(Exception):
    """A key is not retired, and nothing has changed; the text is a sentence that says why."""


class KeyRing(ABC):
    """What all rings share: the folder, the pointer to the current key and the making of new ones."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the keys; its last part names the ring in errors."""
        self._folder = folder
        self.name = folder.name

    def current_id(self) -> str:
        """The id of the key in use. Raises KeyUnusable."""
        pointer = _POINTER.fullmatch(self._read(_CURRENT))
        if pointer is None:
            raise KeyUnusable(self.name, "corrupt")
        return pointer[1].decode("ascii")

    def key_ids(self) -> tuple[str, ...]:
        """Every key the ring has, sorted."""
        try:
            names = [entry.name for entry in self._folder.iterdir()]
        except FileNotFoundError:
            raise KeyUnusable(self.name, "missing") from None
        except OSError as error:
            raise KeyUnusable(self.name, "unreadable") from error
        return tuple(sorted({name[:16] for name in names if _KEY_ID.fullmatch(name.partition(".")[0])}))

    def rotate(self) -> str:
        """Make a new current key and return its id; the old ones stay readable. Raises KeyUnusable."""
        key_id, files = self._generate()
        pointer = self._folder / temporary_name()
        try:
            for suffix, content in files.items():
                self._write_whole(f"{key_id}{suffix}", content)
            sync_folder(self._folder)
            write_synced(pointer, f"{key_id}\n".encode(), mode=0o600)
            pointer.replace(self._folder / _CURRENT)
            sync_folder(self._folder)
        except OSError as error:
            raise KeyUnusable(self.name, "unwritable") from error
        return key_id

    @abstractmethod
    def check(self) -> None:
        """Read every key of the ring. Raises KeyUnusable at the first that is missing or damaged."""

    @abstractmethod
    def _generate(self) -> tuple[str, dict[str, bytes]]:
        """A new key: its id, and the content of its files by suffix."""

    def _read(self, file_name: str) -> bytes:
        try:
            return (self._folder / file_name).read_bytes()
        except FileNotFoundError:
            raise KeyUnusable(self.name, "missing") from None
        except OSError as error:
            raise KeyUnusable(self.name, "unreadable") from error

    def _read_key(self, key_id: str, suffix: str) -> bytes:
        # Ids arrive in tokens, seals and object headers, so they must not reach the file system unchecked.
        if not _KEY_ID.fullmatch(key_id):
            raise KeyUnusable(self.name, "missing")
        return self._read(f"{key_id}{suffix}")

    def _write_whole(self, file_name: str, content: bytes) -> None:
        """A kill between the two steps leaves a file that no id matches, never half a key under its id."""
        temporary = self._folder / temporary_name()
        write_synced(temporary, content, mode=0o600)
        temporary.rename(self._folder / file_name)


class SigningRing(KeyRing):
    """Ed25519 key pairs, `<keyId>.pem` and `<keyId>.pub.pem`; the id is SHA-256 of the raw public key."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the pairs; its last part names the ring in errors."""
        super().__init__(folder)
        self._sound_private: dict[tuple[str, bytes], Ed25519PrivateKey] = {}
        self._sound_public: dict[tuple[str, bytes], Ed25519PublicKey] = {}

    def current(self) -> tuple[str, Ed25519PrivateKey]:
        """The key to sign with, and its id. Raises KeyUnusable."""
        key_id = self.current_id()
        return key_id, self._private(key_id)

    def public(self, key_id: str) -> Ed25519PublicKey:
        """The public key of that id, current or old. Raises KeyUnusable."""
        content = self._read_key(key_id, ".pub.pem")
        if (sound := self._sound_public.get((key_id, content))) is not None:
            return sound
        key = self._parsed(load_pem_public_key, content)
        if not isinstance(key, Ed25519PublicKey):
            raise KeyUnusable(self.name, "corrupt")
        if _public_pem(key) != content or _public_key_id(key) != key_id:
            raise KeyUnusable(self.name, "corrupt")
        self._sound_public[key_id, content] = key
        return key

    def check(self) -> None:
        """Read every pair. Raises KeyUnusable."""
        self.current()
        for key_id in self.key_ids():
            self._private(key_id)
            self.public(key_id)

    def _private(self, key_id: str) -> Ed25519PrivateKey:
        content = self._read_key(key_id, ".pem")
        if (sound := self._sound_private.get((key_id, content))) is not None:
            return sound
        key = self._parsed(lambda pem: load_pem_private_key(pem, None), content)
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnusable(self.name, "corrupt")
        if _private_pem(key) != content or _public_key_id(key.public_key()) != key_id:
            raise KeyUnusable(self.name, "corrupt")
        self._sound_private[key_id, content] = key
        return key

    def _parsed(self, load: Callable[[bytes], object], content: bytes) -> object:
        try:
            return load(content)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
            # A flip in the key's type makes OpenSSL itself stumble.
            raise KeyUnusable(self.name, "corrupt") from None

    def _generate(self) -> tuple[str, dict[str, bytes]]:
        key = Ed25519PrivateKey.generate()
        public = key.public_key()
        return _public_key_id(public), {".pem": _private_pem(key), ".pub.pem": _public_pem(public)}


@dataclass(frozen=True)
class SecretKey:
    """A 32-byte secret and its id; the bytes are kept out of its repr."""

    key_id: str
    secret: bytes = field(repr=False)


class SecretRing(KeyRing):
    """32-byte secrets, one a file `<keyId>.key` in hex; the id is a tagged SHA-256 of the secret."""

    def current(self) -> SecretKey:
        """The secret in use. Raises KeyUnusable."""
        return self.by_id(self.current_id())

    def by_id(self, key_id: str) -> SecretKey:
        """The secret of that id, current or old. Raises KeyUnusable."""
        content = self._read_key(key_id, ".key")
        try:
            secret = bytes.fromhex(content.decode("ascii"))
        except ValueError:
            raise KeyUnusable(self.name, "corrupt") from None
        if _secret_file(secret) != content or _secret_id(secret) != key_id:
            raise KeyUnusable(self.name, "corrupt")
        return SecretKey(key_id, secret)

    def retire(self, key_id: str) -> None:
        """Remove an old secret for good, damaged or not: what it sealed or wrapped opens no more.

        Raises NotRetired for the current one and where there is none of that id, KeyUnusable.
        """
        if key_id not in self.key_ids():
            raise NotRetired(f"There is no key {key_id}.")
        if key_id == self.current_id():
            raise NotRetired(f"{key_id} is the current key: rotate first.")
        try:
            (self._folder / f"{key_id}.key").unlink()
            sync_folder(self._folder)
        except OSError as error:
            raise KeyUnusable(self.name, "unwritable") from error

    def check(self) -> None:
        """Read every secret. Raises KeyUnusable."""
        self.current()
        for key_id in self.key_ids():
            self.by_id(key_id)

    def _generate(self) -> tuple[str, dict[str, bytes]]:
        secret = AESGCM.generate_key(256)
        return _secret_id(secret), {".key": _secret_file(secret)}


def _fingerprint(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


def _public_key_id(key: Ed25519PublicKey) -> str:
    return _fingerprint(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _secret_id(secret: bytes) -> str:
    return _fingerprint(_SECRET_DOMAIN + secret)


def _secret_file(secret: bytes) -> bytes:
    return f"{secret.hex()}\n".encode()
