"""Every setting of the service: environment variables `BILLING_` + name (README, Settings)."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infrastructure.mail.smtp_server import SmtpServer

LOCAL_ISSUER = "billing-docs"

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")

_HTTP_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_STANDARD_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class Settings(BaseSettings):
    """The settings, read from the environment. Empty strings mean the default."""

    model_config = SettingsConfigDict(
        env_prefix="BILLING_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    port: int = Field(8000, ge=1, le=65535, description="port of the API")
    host: str = Field("127.0.0.1", description="address that the API listens on")
    data_dir: Path = Field(
        Path(".data"), description="folder of the keys, the folder vault and the embedded PostgreSQL"
    )
    database_url: str = Field("", description="PostgreSQL 15 or newer; empty: the embedded one")
    vault_url: str = Field("", description="`file://` folder of the vault; empty: `vault` in the data folder")
    demo: bool = Field(
        default=False, description="1 loads demo orders and invoices into an empty ledger (set by `make run`)"
    )
    workers: int = Field(1, ge=1, le=64, description="API processes")
    issuers: int = Field(2, ge=1, le=64, description="worker processes that draw and seal documents")
    jwt_jwks_url: str = Field("", description="JWKS of the identity provider; empty: the local key pair")
    jwt_issuer: str = Field("", description="`iss` that tokens must carry; empty: the local issuer")
    jwt_audience: str = Field("", description="`aud` that tokens must carry; empty: the local audience")
    event_source: str = Field(
        "urn:billing-docs",
        min_length=1,
        description="`source` of outbound facts, a URI that no other installation uses",
    )
    webhook_give_up_hours: int = Field(
        24, ge=1, le=720, description="how long a webhook's message is tried before it is a dead letter"
    )
    public_url: str = Field(
        "",
        description="where readers reach the API, for links in e-mails; empty: `http://` host and port",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="`smtp://user:password@host:port` or `smtps://…`; empty: e-mails are kept in the outbox "
        "folder, `mail` in the data folder",
    )
    mail_from: str = Field("billing-docs@localhost", description="address in whose name e-mails are sent")
    artifact_hosts: str = Field(
        "",
        description="hosts, commas between, from which artifacts named by `uri` are fetched; empty: none",
    )
    policy_dir: str = Field(
        "", description="folder of document policies of your own, `.toml` files; empty: the packaged ones"
    )
    simulated_authority_url: str = Field(
        "",
        description="http or https address of a simulated authority, which stamps documents of the simulated"
        " country XS; empty: they wait",
    )
    stripe_url: str = Field(
        "", description="http or https address of Stripe's API; empty: Stripe's own, where there is a key"
    )
    stripe_api_key: SecretStr = Field(
        SecretStr(""),
        description="secret or restricted API key; empty: no customer's payment is taken (`billing run`"
        " simulates)",
    )
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="signing secret of the webhook endpoint at Stripe, `whsec_…`; two with a comma between"
        " while one replaces the other; empty: notices are refused",
    )
    bank_url: str = Field(
        "",
        description="http or https address of the bank's API; empty: no vendor is paid"
        " (`billing run` simulates)",
    )
    bank_api_key: SecretStr = Field(SecretStr(""), description="bearer token for the bank's API")
    bank_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Standard Webhooks secret of the bank's notices, `whsec_…`; two with a comma between"
        " while one replaces the other; empty: notices are refused",
    )
    gateway_timeout_seconds: float = Field(
        10, gt=0, le=60, description="how long a step at Stripe or the bank may take before it counts as lost"
    )
    stripe_seen_seconds: int = Field(
        60, ge=0, le=86400, description="how far Stripe's search may be behind what Stripe has done"
    )
    bank_seen_seconds: int = Field(
        5, ge=0, le=86400, description="how long a request may be on its way to the bank"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level logged")
    log_format: Literal["json", "console"] = Field(
        "json", description="`json` lines, or `console` for people"
    )

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        """A link's path begins with one. Raises ValueError for what no browser would follow."""
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("BILLING_PUBLIC_URL begins with https:// or http://.")
        return url.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _names_a_server(cls, url: SecretStr) -> SecretStr:
        """Raises ValueError, which does not repeat it, for what is none."""
        if url.get_secret_value():
            SmtpServer.of(url.get_secret_value())
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        """Raises ValueError for what mail servers would not take as a sender."""
        if not _ADDRESS.fullmatch(address):
            raise ValueError("BILLING_MAIL_FROM is an e-mail address.")
        return address

    @field_validator("artifact_hosts")
    @classmethod
    def _host_names(cls, listed: str) -> str:
        """As names are compared: lower case, no spaces. Raises ValueError for what is no host name."""
        names = [name.strip().lower() for name in listed.split(",") if name.strip()]
        if not all(_HOST_NAME.fullmatch(name) for name in names):
            raise ValueError("BILLING_ARTIFACT_HOSTS holds host names with commas between.")
        return ",".join(names)

    @field_validator("simulated_authority_url", "stripe_url", "bank_url")
    @classmethod
    def _is_an_http_address(cls, url: str, info: ValidationInfo) -> str:
        """Without a slash at its end. Raises ValueError for what is no such address."""
        if url and not _HTTP_ADDRESS.fullmatch(url):
            raise ValueError(f"BILLING_{str(info.field_name).upper()} is an http or https address.")
        return url.rstrip("/")

    @field_validator("bank_webhook_secret")
    @classmethod
    def _are_secrets_of_standard_webhooks(cls, secrets: SecretStr) -> SecretStr:
        """Raises ValueError, which does not repeat them, for what are none."""
        if not all(_STANDARD_SECRET.fullmatch(secret) for secret in _secrets(secrets)):
            raise ValueError("BILLING_BANK_WEBHOOK_SECRET is `whsec_` and base64.")
        return secrets

    @model_validator(mode="after")
    def _gateways_are_complete(self) -> Self:
        """Raises ValueError where an address has no key or a key no address."""
        if self.stripe_url and not self.stripe_api_key.get_secret_value():
            raise ValueError("BILLING_STRIPE_URL needs BILLING_STRIPE_API_KEY.")
        if bool(self.bank_url) != bool(self.bank_api_key.get_secret_value()):
            raise ValueError("BILLING_BANK_URL and BILLING_BANK_API_KEY go together.")
        return self

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """Those that Stripe may sign with."""
        return _secrets(self.stripe_webhook_secret)

    @property
    def bank_webhook_secrets(self) -> tuple[str, ...]:
        """Those that the bank may sign with."""
        return _secrets(self.bank_webhook_secret)

    @property
    def artifact_host_names(self) -> frozenset[str]:
        """The hosts from which artifacts may be fetched."""
        return frozenset(name for name in self.artifact_hosts.split(",") if name)

    @property
    def issuer(self) -> str:
        """The `iss` of tokens."""
        return self.jwt_issuer or LOCAL_ISSUER

    @property
    def audience(self) -> str:
        """The `aud` of tokens."""
        return self.jwt_audience or LOCAL_ISSUER

    @property
    def base_url(self) -> str:
        """Where this machine reaches the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - a comparison
        return f"http://{host}:{self.port}"

    @property
    def links_url(self) -> str:
        """What links in e-mails begin with, without a slash at its end."""
        return self.public_url or self.base_url

    @property
    def vault_folder(self) -> Path:
        """The folder of a `file://` vault. Raises ValueError for other vaults."""
        if not self.vault_url:
            return self.data_dir / "vault"
        scheme, _, path = self.vault_url.partition("://")
        if scheme != "file" or not path:
            raise ValueError("BILLING_VAULT_URL must be a file:// folder.")
        return Path(path)


def _secrets(listed: SecretStr) -> tuple[str, ...]:
    return tuple(secret.strip() for secret in listed.get_secret_value().split(",") if secret.strip())
