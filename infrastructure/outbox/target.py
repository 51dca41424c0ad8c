"""Where a webhook stands and the secrets that sign for it: sealed at rest, told once, rotated smoothly."""

import base64
import os
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field
from standardwebhooks import Webhook

from application.signing import KeyUnusable
from domain.kernel.facts import Utc

SECRET_BYTES = 32
SECRET_OVERLAP = timedelta(hours=24)
"""For so long after a rotation both secrets sign, so that receivers may follow in their own time."""

_NONCE_BYTES = 12
_FORMAT = b"subscriber/1"


class AddressRefused(Exception):
    """The address cannot be a webhook's; the message says why and does not repeat it."""


class Secret(BaseModel):
    """A signing secret, `whsec_` and base64; `until` (UTC) is None for the current one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(repr=False)
    until: Utc | None = None


class WebhookTarget(BaseModel):
    """What it takes to deliver to a webhook; its repr tells none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(repr=False)
    secrets: tuple[Secret, ...]

    def signatures(self, message_id: str, at: datetime, body: bytes) -> str:
        """The `webhook-signature` header: one signature for each secret that is good at that time."""
        text = body.decode()
        good = [secret for secret in self.secrets if secret.until is None or secret.until > at]
        return " ".join(Webhook(secret.text).sign(message_id, at, text) for secret in good)

    def rotated(self, secret: str, at: datetime) -> "WebhookTarget":
        """The same with a new current secret; the ones before sign along until their time is over."""
        until = at + SECRET_OVERLAP
        kept = [
            Secret(text=old.text, until=min(old.until or until, until))
            for old in self.secrets
            if old.until is None or old.until > at
        ]
        return WebhookTarget(url=self.url, secrets=(Secret(text=secret), *kept))


def new_secret() -> str:
    """A fresh secret of Standard Webhooks: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode("ascii")


def shown_address(url: str) -> str:
    """The address as it may be shown: without user, password, query. Raises `AddressRefused`.

    It must be https; http is taken for loopback only, where nobody listens in.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is not an address.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or not url.isprintable() or " " in url:
        raise AddressRefused("An address begins with https:// and names a host.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise AddressRefused("Only https is taken, but for addresses of this machine.")
    if parts.fragment:
        raise AddressRefused("An address has no fragment.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return SplitResult(parts.scheme, netloc, parts.path, "", "").geturl()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class TargetSeal:
    """Seals targets with AES-256-GCM under a key of 32 bytes; each opens for its own subscriber only."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, target: WebhookTarget, subscriber_id: UUID) -> bytes:
        """The bytes to store."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = target.model_dump_json().encode()
        return nonce + self._cipher.encrypt(nonce, plain, _FORMAT + subscriber_id.bytes)

    def open(self, sealed: bytes, subscriber_id: UUID) -> WebhookTarget:
        """The target. Raises `KeyUnusable` where key or bytes are not what they were."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, body, _FORMAT + subscriber_id.bytes)
        except InvalidTag:
            raise KeyUnusable("ledger", "corrupt") from None
        return WebhookTarget.model_validate_json(plain)
