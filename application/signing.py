"""What the application knows of signatures and keys: who signs, what a signature is, and how a key fails."""

from typing import Literal, Protocol

from domain.kernel.facts import Value


class Signature(Value):
    """A detached signature.

    `key_id` names the public key (16 hex digits), `algorithm` is `Ed25519`, `signature_base64` is standard
    base64. All three stay plain strings, because a damaged signature must fail verification, not loading.
    """

    key_id: str
    algorithm: str
    signature_base64: str


class SignatureInvalid(Exception):
    """The signature does not belong to these bytes, or its public key is unknown or damaged.

    Its text is a sentence for people, free of paths and key material.
    """


class KeyUnusable(Exception):
    """A key cannot be used. `key_name` says which one; neither its content nor its path is ever told.

    `problem`: `missing` (no such key), `corrupt` (it fails its fingerprint), `unreadable` or `unwritable`
    (the disk refuses now; retry later).
    """

    def __init__(
        self, key_name: str, problem: Literal["missing", "corrupt", "unreadable", "unwritable"]
    ) -> None:
        super().__init__(f"The {key_name} key is {problem}.")
        self.key_name = key_name
        self.problem = problem


class Signer(Protocol):
    """Signs documents, retention entries and the like; each caller puts its own domain word first."""

    def sign(self, payload: bytes) -> Signature:
        """Sign with the current key. Raises KeyUnusable."""
        ...

    def verify(self, payload: bytes, signature: Signature) -> None:
        """Return if the signature holds. Raises SignatureInvalid, or KeyUnusable where the disk fails now."""
        ...
