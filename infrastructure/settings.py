"""Every setting of the service: environment variables `BILLING_` + name (README, Settings)."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_ISSUER = "billing-docs"

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")


class Settings(BaseSettings):
    """The settings, read from the environment. Empty strings mean the default."""

    model_config = SettingsConfigDict(env_prefix="BILLING_", env_ignore_empty=True, frozen=True)

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
    artifact_hosts: str = Field(
        "",
        description="hosts, commas between, from which artifacts named by `uri` are fetched; empty: none",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level logged")
    log_format: Literal["json", "console"] = Field(
        "json", description="`json` lines, or `console` for people"
    )

    @field_validator("artifact_hosts")
    @classmethod
    def _host_names(cls, listed: str) -> str:
        """As names are compared: lower case, no spaces. Raises ValueError for what is no host name."""
        names = [name.strip().lower() for name in listed.split(",") if name.strip()]
        if not all(_HOST_NAME.fullmatch(name) for name in names):
            raise ValueError("BILLING_ARTIFACT_HOSTS holds host names with commas between.")
        return ",".join(names)

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
    def vault_folder(self) -> Path:
        """The folder of a `file://` vault. Raises ValueError for other vaults."""
        if not self.vault_url:
            return self.data_dir / "vault"
        scheme, _, path = self.vault_url.partition("://")
        if scheme != "file" or not path:
            raise ValueError("BILLING_VAULT_URL must be a file:// folder.")
        return Path(path)
