"""Artifacts of invoices (BILL-DEC-005): what there is, a token for one of them, its content for the token.

A draft freezes its references. A content came by value and is in the vault, or upstream keeps it at an
address that is asked when somebody wants it. Neither addresses nor tokens are logged.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import structlog

from application.caller import Caller
from application.downloads import TOKEN_LIFETIME, IssuedToken
from application.ledger import Answer, Audit, Command, Handler, Ledger, Transaction
from application.operations.artifacts import DOWNLOAD_ARTIFACT
from application.past import Moment, state_at
from application.ports import (
    ArtifactClaims,
    ArtifactNotFetched,
    ArtifactSource,
    ArtifactTokens,
    ArtifactTooLarge,
    Clock,
    Ids,
    SubjectSecrets,
)
from application.vault import SubjectSecret, Vault
from domain.documents.access import ArtifactDownloaded, access_stream
from domain.invoicing.invoice import INVOICE, Invoice
from domain.invoicing.work_order import WORK_ORDER, ArtifactFile, ArtifactRef
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError, not_found
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId, StreamType

log = structlog.get_logger(__name__)

MOST_FETCHED_BYTES = 20 * 1024 * 1024

Unavailable = Literal["NO_CONTENT", "SOURCE_NOT_ALLOWED", "TOO_LARGE", "ERASED"]
"""Why a content cannot be had.

Upstream gave none; its address is not allowed here; it has more than 20 MiB there; its owner was erased.
"""


@dataclass(frozen=True)
class Artifact:
    """An artifact of an invoice, where its content is, or why it cannot be had (`unavailable`)."""

    ref: ArtifactRef
    file: ArtifactFile | None
    secret: SubjectSecret | None
    unavailable: Unavailable | None


@dataclass(frozen=True)
class ArtifactsOfInvoice:
    """What an invoice refers to, and whose it is."""

    customer_account_id: str
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True)
class DownloadedArtifact:
    """The bytes with what a browser needs to keep them; `position` is that of the event that tells of it."""

    content: bytes
    ref: ArtifactRef
    sha256: str
    position: int


class Artifacts:
    """Finds artifacts, makes tokens for them and redeems these, once each."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        vault: Vault,
        secrets: SubjectSecrets,
        source: ArtifactSource,
        tokens: ArtifactTokens,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._vault = vault
        self._secrets = secrets
        self._source = source
        self._tokens = tokens
        self._clock = clock
        self._ids = ids

    async def of_invoice(self, invoice_id: str, position: int | None = None) -> ArtifactsOfInvoice:
        """What the invoice refers to, as of a ledger position (None: now). Raises `NOT_FOUND`."""
        moment = Moment(position=position)
        invoice: Invoice | None = await self._state(INVOICE, invoice_id, moment)
        if invoice is None:
            raise not_found("The invoice")
        work_order = await self._state(WORK_ORDER, invoice.drafted.work_order_id, moment)
        refs = invoice.drafted.traceability.artifact_refs
        files = [work_order.file_of(ref) for ref in refs]
        key_ids = {UUID(file.sealed_under) for file in files if file is not None and file.sealed_under}
        secrets = await self._secrets.by_id(key_ids)
        artifacts = (self._artifact(ref, file, secrets) for ref, file in zip(refs, files, strict=True))
        return ArtifactsOfInvoice(invoice.drafted.customer_account_id, tuple(artifacts))

    def make_token(self, caller: Caller, invoice_id: str, artifact_ref_id: str, role: str) -> IssuedToken:
        """A token for an artifact that the caller was already found to see."""
        expires_at = self._clock.now() + TOKEN_LIFETIME
        claims = ArtifactClaims(
            token_id=str(self._ids.new()),
            invoice_id=invoice_id,
            artifact_ref_id=artifact_ref_id,
            caller=caller.claims.sub,
            role=role,
            tenant=caller.tenant,
            expires_at=expires_at,
        )
        return IssuedToken(self._tokens.issue(claims), expires_at)

    async def redeem(
        self, token: str, caller: Caller | None, *, ip: str | None, device: str | None, correlation_id: str
    ) -> DownloadedArtifact:
        """The content that a token stands for; that it was handed out is recorded first, and only once.

        `caller` is who asks, where the request says so. A content that could not be had leaves the token
        unused. Raises `DOWNLOAD_TOKEN_INVALID`, `NOT_FOUND`, `ARTIFACT_SOURCE_UNAVAILABLE`,
        `ARTIFACT_DIFFERS`, `VaultError`.
        """
        claims = self._tokens.read(token)
        if caller is not None and (caller.claims.sub, caller.tenant) != (claims.caller, claims.tenant):
            raise _token_invalid("OTHER_CALLER", "The download token was made for somebody else.")
        # Nothing is fetched for a token that served; uses at the same time are told apart under the lock.
        if await self._ledger.history(_claim_of(claims)):
            raise _used()
        artifact = await self.one(claims.invoice_id, claims.artifact_ref_id)
        content = await self._content(claims.invoice_id, artifact)
        sha256 = hashlib.sha256(content).hexdigest()
        audit = Audit(
            tenant_id=claims.tenant,
            actor=claims.caller,
            role=claims.role,
            operation=DOWNLOAD_ARTIFACT.name,
            correlation_id=correlation_id,
        )
        downloaded = ArtifactDownloaded(
            invoice_id=claims.invoice_id,
            artifact_ref_id=claims.artifact_ref_id,
            sha256=sha256,
            caller=claims.caller,
            ip=ip,
            device=device,
        )
        command = Command(audit, _record(claims, downloaded), frozenset({_claim_of(claims)}))
        committed = await self._ledger.commit(command)
        return DownloadedArtifact(content, artifact.ref, sha256, committed.position)

    async def one(self, invoice_id: str, artifact_ref_id: str) -> Artifact:
        """An artifact whose content can be had. Raises `NOT_FOUND`, with the reason where there is one."""
        found = await self.of_invoice(invoice_id)
        artifact = next((one for one in found.artifacts if one.ref.artifact_ref_id == artifact_ref_id), None)
        if artifact is None:
            raise not_found("The artifact")
        if artifact.unavailable is not None:
            raise DomainError(
                "NOT_FOUND", "The artifact's content cannot be had.", reason_code=artifact.unavailable
            )
        return artifact

    async def _state(self, stream_type: StreamType[Any], stream_id: str, moment: Moment) -> Any:
        return await state_at(self._ledger, self._registry, stream_type.stream(stream_id), moment)

    def _artifact(
        self, ref: ArtifactRef, file: ArtifactFile | None, secrets: dict[UUID, SubjectSecret | None]
    ) -> Artifact:
        secret = None
        unavailable: Unavailable | None = None
        if file is not None:
            secret = secrets.get(UUID(file.sealed_under)) if file.sealed_under else None
            unavailable = "ERASED" if file.sealed_under and secret is None else None
        elif ref.uri is None:
            unavailable = "NO_CONTENT"
        elif not self._source.serves(ref.uri):
            unavailable = "SOURCE_NOT_ALLOWED"
        elif ref.size_bytes > MOST_FETCHED_BYTES:
            unavailable = "TOO_LARGE"
        return Artifact(ref, file, secret, unavailable)

    async def _content(self, invoice_id: str, artifact: Artifact) -> bytes:
        ref = artifact.ref
        if artifact.file is not None:
            return await asyncio.to_thread(self._vault.get, artifact.file.vault_name, artifact.secret)
        assert ref.uri is not None, "what is neither kept nor elsewhere cannot be had"
        try:
            content = await self._source.fetch(ref.uri, ref.size_bytes)
        except ArtifactTooLarge:
            raise _differs(invoice_id) from None
        except ArtifactNotFetched as failure:
            log.warning("artifact-not-fetched", invoiceId=invoice_id, reason=failure.reason)
            raise DomainError(
                "ARTIFACT_SOURCE_UNAVAILABLE", "Upstream does not hand the artifact out now; try again."
            ) from None
        if len(content) != ref.size_bytes or ref.sha256 not in {None, hashlib.sha256(content).hexdigest()}:
            raise _differs(invoice_id)
        return content


def _claim_of(claims: ArtifactClaims) -> StreamId:
    return claim_stream("DOWNLOAD_TOKEN", claims.token_id)


def _record(claims: ArtifactClaims, downloaded: ArtifactDownloaded) -> Handler:
    def handle(transaction: Transaction) -> Answer:
        stream = _claim_of(claims)
        if transaction.state(CLAIM, stream.id) is not None:
            raise _used()
        claim = ClaimTaken(
            purpose="DOWNLOAD_TOKEN", key=claims.token_id, holder=claims.invoice_id, fingerprint=""
        )
        transaction.append(stream, (claim,))
        transaction.append(access_stream(claims.invoice_id, transaction.stamp.at), (downloaded,))
        return Answer(200, None)

    return handle


def _differs(invoice_id: str) -> DomainError:
    log.warning("artifact-differs", invoiceId=invoice_id)
    return DomainError("ARTIFACT_DIFFERS", "What upstream hands out is not what the invoice refers to.")


def _used() -> DomainError:
    return _token_invalid("USED", "The download token was used before.")


def _token_invalid(reason_code: str, message: str) -> DomainError:
    return DomainError("DOWNLOAD_TOKEN_INVALID", message, reason_code=reason_code)
