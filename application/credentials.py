"""Credentials of approvers: what makes a PIN or password acceptable, setting, ending and listing them."""

import re
from dataclasses import dataclass, field, replace

from application.handlers.credentials import disabling_credential, setting_credential
from application.ledger import Answer, Audit, Command, EventFilter, Handler, Ledger
from application.people import People
from application.ports import Secrets
from application.roles import PERMISSIONS
from application.validation import invalid_field
from domain.accounts.credential import (
    CREDENTIAL,
    CredentialAdded,
    CredentialChanged,
    CredentialDataErased,
    CredentialDisabled,
    SecretKind,
)
from domain.kernel.facts import Fact
from domain.kernel.privacy import ERASED_TEXT

PASSWORD_MIN_LENGTH = 10
SECRET_MAX_LENGTH = 128
_PIN = re.compile(r"[0-9]{4,12}")
_NAMES = tuple(
    f"{CREDENTIAL.name}.{happened}" for happened in ("added", "changed", "disabled", "personal-data-erased")
)
_PAGE = 200


@dataclass(frozen=True)
class NewCredential:
    """Whose credential is set to what; the secret is kept out of the repr."""

    username: str
    kind: SecretKind
    secret: str = field(repr=False)
    permissions: frozenset[str]


@dataclass(frozen=True)
class CredentialRow:
    """A credential as operators see it."""

    credential_id: str
    username: str
    kind: SecretKind
    permissions: tuple[str, ...]
    enabled: bool


def require_acceptable(new: NewCredential) -> None:
    """Raises `VALIDATION_FAILED`, never quoting the secret."""
    if not new.username.strip():
        raise invalid_field("username", "MISSING", "A username is needed.")
    if new.kind == "PIN" and not _PIN.fullmatch(new.secret):
        raise invalid_field("pin", "PIN_FORMAT", "A PIN is 4 to 12 digits.")
    if new.kind == "PASSWORD" and not PASSWORD_MIN_LENGTH <= len(new.secret) <= SECRET_MAX_LENGTH:
        sentence = f"A password has {PASSWORD_MIN_LENGTH} to {SECRET_MAX_LENGTH} characters."
        raise invalid_field("password", "PASSWORD_LENGTH", sentence)
    if not new.permissions <= PERMISSIONS:
        raise invalid_field("permissions", "UNKNOWN", "One of them is no permission of this service.")


class Credentials:
    """Sets, ends and lists the credentials of a ledger."""

    def __init__(self, ledger: Ledger, secrets: Secrets, people: People) -> None:
        self._ledger = ledger
        self._secrets = secrets
        self._people = people

    async def setting(self, tenant: str, new: NewCredential) -> tuple[Handler, str]:
        """What sets a credential, with its secret hashed already, and the id. Raises `VALIDATION_FAILED`."""
        require_acceptable(new)
        credential_id = self._people.id_of(tenant, new.username)
        handler = setting_credential(
            credential_id,
            username=new.username,
            kind=new.kind,
            verifier=await self._secrets.verifier(credential_id, new.secret),
            permissions=new.permissions,
        )
        return handler, credential_id

    async def set(self, audit: Audit, new: NewCredential) -> Answer:
        """Sets a credential: 201, or 200 where there was one. Raises `VALIDATION_FAILED`."""
        handler, credential_id = await self.setting(audit.tenant_id, new)
        command = Command(
            audit,
            handler,
            frozenset({CREDENTIAL.stream(credential_id)}),
            subjects=frozenset({subject(credential_id)}),
        )
        return (await self._ledger.commit(command)).answer

    async def disable(self, audit: Audit, username: str) -> Answer:
        """Ends a credential. Raises `NOT_FOUND`."""
        credential_id = self._people.id_of(audit.tenant_id, username)
        handler = disabling_credential(credential_id)
        command = Command(audit, handler, frozenset({CREDENTIAL.stream(credential_id)}))
        return (await self._ledger.commit(command)).answer

    async def all(self, tenant: str) -> list[CredentialRow]:
        """Every credential of a tenant, by username; names that were erased say so."""
        rows: dict[str, CredentialRow] = {}
        after = 0
        while True:
            wanted = EventFilter(names=_NAMES, stream_type=CREDENTIAL.name, after_position=after, limit=_PAGE)
            events = await self._ledger.search(wanted)
            for event in events:
                if event.tenant_id == tenant:
                    _fold(rows, event.stream.id, event.fact)
            if len(events) < _PAGE:
                return sorted(rows.values(), key=lambda row: (row.username, row.credential_id))
            after = events[-1].position


def subject(credential_id: str) -> str:
    """The subject whose personal data a credential holds."""
    return f"user:{credential_id}"


def _fold(rows: dict[str, CredentialRow], credential_id: str, fact: Fact) -> None:
    match fact:
        case CredentialAdded() | CredentialChanged():
            rows[credential_id] = CredentialRow(
                credential_id, fact.username, fact.kind, fact.permissions, enabled=True
            )
        case CredentialDisabled() if credential_id in rows:
            rows[credential_id] = replace(rows[credential_id], enabled=False)
        case CredentialDataErased() if credential_id in rows:
            rows[credential_id] = replace(rows[credential_id], username=ERASED_TEXT, enabled=False)
        case _:
            # Of persons who never had a credential there is nothing to list.
            return
