"""Signs and verifies with the seal's Ed25519 keys (RFC 8032)."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature

from application.signing import KeyUnusable, Signature, SignatureInvalid
from infrastructure.keys.rings import SigningRing

ALGORITHM = "Ed25519"


class Ed25519Signer:
    """Satisfies `application.signing.Signer`.

    Keys are read from disk at every call, so that a running service finds a damaged key and uses a new one.
    """

    def __init__(self, ring: SigningRing) -> None:
        """`ring` holds the key pairs."""
        self._ring = ring

    def sign(self, payload: bytes) -> Signature:
        """Sign with the current key. Raises KeyUnusable."""
        key_id, key = self._ring.current()
        signature = base64.b64encode(key.sign(payload)).decode("ascii")
        return Signature(key_id=key_id, algorithm=ALGORITHM, signature_base64=signature)

    def verify(self, payload: bytes, signature: Signature) -> None:
        """Return if the signature holds. Raises SignatureInvalid; KeyUnusable where the disk fails now."""
        if signature.algorithm != ALGORITHM:
            raise SignatureInvalid("The signature's algorithm is not one of ours.")
        try:
            key = self._ring.public(signature.key_id)
        except KeyUnusable as error:
            if error.problem == "unreadable":
                raise
            raise SignatureInvalid(f"The signature's public key is {error.problem}.") from error
        try:
            key.verify(_decoded(signature.signature_base64), payload)
        except InvalidSignature:
            raise SignatureInvalid("The signature does not belong to these bytes.") from None


def _decoded(signature_base64: str) -> bytes:
    """Only the one canonical spelling counts: base64 leaves spare bits, and a flip there must be found."""
    try:
        signature = base64.b64decode(signature_base64, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureInvalid("The signature is not base64.") from None
    if base64.b64encode(signature).decode("ascii") != signature_base64:
        raise SignatureInvalid("The signature is not canonical base64.")
    return signature
