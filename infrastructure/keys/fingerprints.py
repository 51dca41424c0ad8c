"""Keyed hashes of what must be recognised again, so that nobody can guess back what was hashed."""

import hashlib
import hmac
import json
from typing import Any


class KeyedFingerprint:
    """HMAC-SHA256 over JSON with sorted keys. Satisfies `application.ports.Fingerprint`."""

    def __init__(self, key: bytes) -> None:
        """`key` stays the same for good, or nothing is recognised any more."""
        self._key = key

    def __call__(self, content: Any) -> str:
        """The fingerprint of a JSON-ready value, 64 lower-case hexadecimal digits."""
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()
