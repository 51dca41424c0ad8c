"""Handing out a document's sealed files: a short-lived token, then the bytes, each hand-over audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from application.caller import Caller
from application.content import load_document
from application.files import DocumentFiles, FileErased
from application.ledger import Answer, Audit, Command, Handler, Ledger, Transaction
from application.operations.documents import DOWNLOAD_DOCUMENT
from application.ports import Clock, DownloadClaims, DownloadTokens
from domain.documents.access import DocumentDownloaded, FileFormat, access_stream
from domain.documents.document import Document
from domain.documents.document_facts import DocumentIssued
from domain.kernel.errors import not_found
from domain.kernel.registry import Registry

TOKEN_LIFETIME = timedelta(minutes=5)

CONTENT_TYPES = {"pdf": "application/pdf", "json": "application/json", "xml": "application/xml"}
"""By how a file's name ends."""


@dataclass(frozen=True)
class IssuedToken:
    """A download token and when it expires (UTC)."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class DownloadedFile:
    """The sealed bytes with what a browser needs to keep them."""

    content: bytes
    content_type: str
    file_name: str
    sha256: str
    position: int


class Downloads:
    """Makes download tokens and redeems them."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        files: DocumentFiles,
        tokens: DownloadTokens,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._files = files
        self._tokens = tokens
        self._clock = clock

    def make_token(self, caller: Caller, document_id: str, file_format: FileFormat, role: str) -> IssuedToken:
        """A token for one file of a document that the caller was already found to see."""
        expires_at = self._clock.now() + TOKEN_LIFETIME
        claims = DownloadClaims(
            document_id=document_id,
            file_format=file_format,
            caller=caller.claims.sub,
            role=role,
            tenant=caller.tenant,
            expires_at=expires_at,
        )
        return IssuedToken(self._tokens.issue(claims), expires_at)

    async def redeem(
        self, token: str, *, ip: str | None, device: str | None, correlation_id: str
    ) -> DownloadedFile:
        """The bytes that a token stands for; that they were handed out is recorded first.

        Raises `DOWNLOAD_TOKEN_INVALID`, `NOT_FOUND`, `VaultError`.
        """
        claims = self._tokens.read(token)
        document = await load_document(self._ledger, self._registry, claims.document_id)
        issued = document.issued
        if issued is None:
            raise not_found("The document")
        name, sha256 = _file_of(document, issued, claims.file_format)
        try:
            content = await self._files.read(issued, name)
        except FileErased:
            raise not_found("The document's file, erased at its owner's request,") from None
        audit = Audit(
            tenant_id=claims.tenant,
            actor=claims.caller,
            role=claims.role,
            operation=DOWNLOAD_DOCUMENT.name,
            correlation_id=correlation_id,
        )
        downloaded = DocumentDownloaded(
            document_id=claims.document_id,
            caller=claims.caller,
            file_format=claims.file_format,
            ip=ip,
            device=device,
        )
        committed = await self._ledger.commit(Command(audit, _record(downloaded)))
        number = document.numbered.number if document.numbered else claims.document_id
        ending = name.rpartition(".")[2]
        # The stamped file may end like the document's own JSON.
        extension = f"fiscal.{ending}" if claims.file_format == "FISCAL" else ending
        # A number may hold slashes, a file name may not.
        file_name = f"{number.replace('/', '-')}.{extension}"
        return DownloadedFile(content, CONTENT_TYPES[ending], file_name, sha256, committed.position)


def _record(downloaded: DocumentDownloaded) -> Handler:
    def handle(transaction: Transaction) -> Answer:
        transaction.append(access_stream(downloaded.document_id, transaction.stamp.at), (downloaded,))
        return Answer(200, None)

    return handle


def _file_of(document: Document, issued: DocumentIssued, file_format: FileFormat) -> tuple[str, str]:
    """The vault's name of a file and its SHA-256. Raises `NOT_FOUND` for a stamp that it does not have."""
    match file_format:
        case "PDF":
            return issued.pdf_name, issued.seal.sha256_pdf
        case "JSON":
            return issued.json_name, issued.seal.sha256_json
        case "FISCAL":
            if document.stamped is None:
                raise not_found("The document's fiscal file")
            return document.stamped.stamp.file_name, document.stamped.stamp.sha256
        case _:
            assert_never(file_format)
