"""Where e-mail is handed over, as the setting names it."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote, urlsplit

_WANTED = "BILLING_SMTP_URL is smtp://user:password@host:port, or smtps://…, its signs percent-encoded."


@dataclass(frozen=True)
class SmtpServer:
    """Where mail goes, read from `smtp://user:password@host:port` or `smtps://…`."""

    host: str
    port: int
    tls: Literal["from the start", "required", "if offered"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "SmtpServer":
        """The server of a URL. Raises ValueError, which does not repeat it, for what is none.

        A password is never sent without TLS, but to this machine.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # What Python would say of it may hold a part of the password.
            raise ValueError(_WANTED) from None
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError(_WANTED)
        user = unquote(parts.username) if parts.username else None
        tls: Literal["from the start", "required", "if offered"] = "if offered"
        if parts.scheme == "smtps":
            tls = "from the start"
        elif user is not None and not _is_loopback(parts.hostname):
            tls = "required"
        default_port = 465 if parts.scheme == "smtps" else 587 if user else 25
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port or default_port, tls, user, password)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
