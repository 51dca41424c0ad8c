"""The encrypted form of a vault object: AES-256-GCM under a key of its own, wrapped by a master key.

Layout, version 1: magic (8 bytes), master key id (8), nonce of the wrapping (12), wrapped data key (48),
nonce of the content (12), ciphertext with tag. The name and everything before a ciphertext are authenticated
with it, so an object can be neither altered nor renamed. Version 2 is the same for an object that is sealed
for a person: its content is encrypted under what HKDF makes of the data key and that person's key.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.signing import KeyUnusable
from application.vault import SubjectSecret, VaultCorrupt, VaultUnavailable
from infrastructure.keys.rings import SecretKey, SecretRing

_MAGIC = b"BILLVLT1"
_MAGIC_FOR_SUBJECT = b"BILLVLT2"
_NONCE = 12
_TAG = 16
_MASTER_ID_END = len(_MAGIC) + 8
_WRAPPED_AT = _MASTER_ID_END + _NONCE
_WRAPPED_END = _WRAPPED_AT + 32 + _TAG
_HEADER = _WRAPPED_END + _NONCE


def seal_object(
    name: str, content: bytes, master: SecretKey, sealed_for: SubjectSecret | None = None
) -> bytes:
    """Encrypt content under a new data key, which is wrapped by the master key, and a person's key if any."""
    data_key = AESGCM.generate_key(256)
    prefix = (_MAGIC if sealed_for is None else _MAGIC_FOR_SUBJECT) + bytes.fromhex(master.key_id)
    wrap_nonce, content_nonce = os.urandom(_NONCE), os.urandom(_NONCE)
    wrapped = AESGCM(master.secret).encrypt(wrap_nonce, data_key, _bound(name, prefix))
    header = prefix + wrap_nonce + wrapped + content_nonce
    cipher = AESGCM(_content_key(data_key, sealed_for))
    return header + cipher.encrypt(content_nonce, content, _bound(name, header))


def open_object(
    name: str, sealed: bytes, master_keys: SecretRing, sealed_for: SubjectSecret | None = None
) -> bytes:
    """The content of a sealed object; the master key is read anew from disk.

    Raises VaultCorrupt where a byte, the name or the key is not what it was when sealed, VaultUnavailable
    where the key file cannot be read now.
    """
    if len(sealed) < _HEADER + _TAG or not sealed.startswith((_MAGIC, _MAGIC_FOR_SUBJECT)):
        raise VaultCorrupt("The stored object is malformed.")
    for_subject = sealed.startswith(_MAGIC_FOR_SUBJECT)
    if for_subject and sealed_for is None:
        raise VaultCorrupt("The stored object is sealed for a person whose key was not given.")
    try:
        master = master_keys.by_id(sealed[len(_MAGIC) : _MASTER_ID_END].hex())
    except KeyUnusable as error:
        if error.problem == "unreadable":
            raise VaultUnavailable("The vault's master key cannot be read now.") from error
        raise VaultCorrupt(f"The stored object's master key is {error.problem}.") from error
    header = sealed[:_HEADER]
    try:
        data_key = AESGCM(master.secret).decrypt(
            sealed[_MASTER_ID_END:_WRAPPED_AT],
            sealed[_WRAPPED_AT:_WRAPPED_END],
            _bound(name, sealed[:_MASTER_ID_END]),
        )
        cipher = AESGCM(_content_key(data_key, sealed_for if for_subject else None))
        return cipher.decrypt(sealed[_WRAPPED_END:_HEADER], sealed[_HEADER:], _bound(name, header))
    except InvalidTag:
        raise VaultCorrupt("The stored object does not authenticate.") from None


def _content_key(data_key: bytes, sealed_for: SubjectSecret | None) -> bytes:
    if sealed_for is None:
        return data_key
    return HKDF(SHA256(), 32, salt=None, info=b"billing-docs/vault-object").derive(
        data_key + sealed_for.secret
    )


def _bound(name: str, header: bytes) -> bytes:
    """What a ciphertext is tied to; a name holds no zero byte, so the parts cannot be shifted."""
    return name.encode("ascii") + b"\0" + header
