"""Ports: what the application needs from outside. Adapters stand in `infrastructure/`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from application.vault import SubjectSecret
from domain.accounts.credential import CREDENTIAL
from domain.documents.access import FileFormat
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        ...


class Ids(Protocol):
    """Where identities come from."""

    def new(self) -> UUID:
        """A fresh UUIDv7."""
        ...


class Fingerprint(Protocol):
    """Hashes by which the same content is recognised again."""

    def __call__(self, content: Any) -> str:
        """The keyed hash of a JSON-ready value, whatever the order of its keys."""
        ...


class Patterns(Protocol):
    """Regular expressions that users wrote, run in time linear in the text (syntax of RE2)."""

    def is_valid(self, pattern: str) -> bool:
        """Whether it is one that can be run here."""
        ...

    def matches(self, pattern: str, text: str) -> bool:
        """Whether it matches the whole text. Raises `ValueError` for one that is not valid."""
        ...


class SubjectSecrets(Protocol):
    """Persons' keys for files. Raises `LedgerUnavailable`."""

    async def by_id(self, key_ids: Collection[UUID]) -> dict[UUID, SubjectSecret | None]:
        """The keys of these ids; None for destroyed ones."""
        ...


class Renderer(Protocol):
    """Draws documents."""

    async def render(self, content_json: bytes) -> bytes:
        """The PDF of a document's canonical JSON; the same bytes for the same JSON, always."""
        ...

    def close(self) -> None:
        """Lets go of what drawing needed."""
        ...


@dataclass(frozen=True)
class PrintedText:
    """Text for the printer of a till, and of what type it is."""

    content: str = field(repr=False)
    content_type: str


class ReceiptText(Protocol):
    """Writes payments' receipts for the printers of tills."""

    def __call__(self, content_json: bytes, copy_number: int) -> PrintedText:
        """The text of a RECEIPT's canonical JSON, always the same; 0 is the original, 1 its first copy."""
        ...


class ReadStoreUnavailable(Exception):
    """The read models cannot be reached now. Try again."""


@dataclass(frozen=True)
class Found:
    """What queries gave, a list of rows for each, and the ledger position that they show."""

    results: list[list[dict[str, Any]]]
    position: int


class ReadStore(Protocol):
    """The read models."""

    async def fetch(self, projections: Sequence[str], *statements: Any) -> Found:
        """Runs the projections' own statements in one snapshot. Raises `ReadStoreUnavailable`."""
        ...

    async def wait_for(self, projections: Sequence[str], position: int, timeout_seconds: float) -> bool:
        """Waits until the projections have reached a position; False when time runs out."""
        ...


class WorkList(Protocol):
    """What the worker has to finish."""

    async def documents_to_issue(self, limit: int) -> list[str]:
        """Ids of numbered drafts whose time to be (re)tried has come, the longest due first."""
        ...


class BlockedDocuments(Protocol):
    """What waited for a fiscal profile that was set since. Raises `ReadStoreUnavailable`."""

    async def documents_to_resume(self, limit: int) -> list[str]:
        """Ids of such drafts, the oldest first."""
        ...


class StampWorkList(Protocol):
    """What authorities have to stamp. None of it is in `WorkList` before it has its stamp."""

    async def documents_to_stamp(self, authority: str, limit: int) -> list[str]:
        """Ids of numbered drafts that want this authority's stamp and whose time to ask has come."""
        ...


class DocumentObserver(Protocol):
    """Counts what happens to documents (contract §8)."""

    def repeated(self, doc_type: str) -> None:
        """A repeat was answered with the existing document."""
        ...

    def issued(self, doc_type: str, country: str) -> None:
        """A document was issued."""
        ...

    def failed(self, reason: str, country: str) -> None:
        """An attempt to issue a document failed."""
        ...

    def blocked(self, country: str) -> None:
        """A document was blocked, for a fiscal profile lacks something."""
        ...

    def authority_took(self, country: str, seconds: float) -> None:
        """An authority was asked for a stamp; how long it took to answer, or not to."""
        ...


@dataclass(frozen=True)
class DownloadClaims:
    """What a download token stands for, and until when (UTC)."""

    document_id: str
    file_format: FileFormat
    caller: str
    role: str
    tenant: str
    expires_at: datetime


class DownloadTokens(Protocol):
    """Short-lived tokens that stand for one file of one document, made for one caller."""

    def issue(self, claims: DownloadClaims) -> str:
        """A token that nobody can forge."""
        ...

    def read(self, token: str) -> DownloadClaims:
        """What the token stands for. Raises `DOWNLOAD_TOKEN_INVALID` if forged, altered or expired."""
        ...


@dataclass(frozen=True)
class ArtifactClaims:
    """What a token for an artifact's content stands for, once, and until when (UTC)."""

    token_id: str
    invoice_id: str
    artifact_ref_id: str
    caller: str
    role: str
    tenant: str
    expires_at: datetime


class ArtifactTokens(Protocol):
    """Short-lived tokens that stand for one artifact of one invoice, made for one caller."""

    def issue(self, claims: ArtifactClaims) -> str:
        """A token that nobody can forge."""
        ...

    def read(self, token: str) -> ArtifactClaims:
        """What the token stands for. Raises `DOWNLOAD_TOKEN_INVALID` if forged, altered or expired."""
        ...


class ArtifactNotFetched(Exception):
    """Upstream did not hand an artifact out. `reason` is a word that may be logged, without an address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ArtifactTooLarge(ArtifactNotFetched):
    """There is more than was asked for."""

    def __init__(self) -> None:
        super().__init__("TOO_LARGE")


class ArtifactSource(Protocol):
    """Where upstream keeps the artifacts that it names by address."""

    def serves(self, uri: str) -> bool:
        """Whether this address may be asked at all, by what is written in it."""
        ...

    async def fetch(self, uri: str, most_bytes: int) -> bytes:
        """What stands there, up to so many bytes. Raises `ArtifactTooLarge`, `ArtifactNotFetched`."""
        ...


@dataclass(frozen=True)
class Proof:
    """A stream's facts and state as far as they can be read, and what is wrong with its stored rows.

    `erased` says that personal data of it was erased.
    """

    facts: tuple[Fact, ...]
    state: Any
    problems: tuple[str, ...]
    erased: bool = False


class LedgerProof(Protocol):
    """Recomputes what the ledger claims of itself."""

    async def prove(self, stream: StreamId) -> Proof:
        """Recomputes the leaf hash of every stored row of a stream and folds it."""
        ...


@dataclass(frozen=True)
class ElevationClaims:
    """What an elevation token stands for; `token_hash` is SHA-256 (hex) of the token itself."""

    tenant: str
    credential_id: str
    grant_id: str
    token_hash: str

    @property
    def stream(self) -> StreamId:
        """What a command that uses the token reads: the approver's stream."""
        return CREDENTIAL.stream(self.credential_id)


class ElevationTokens(Protocol):
    """Single-use tokens that stand for one grant of one approver."""

    def issue(self, tenant: str, credential_id: str, grant_id: str) -> tuple[str, ElevationClaims]:
        """A token that nobody can forge, nor make again."""
        ...

    def read(self, token: str) -> ElevationClaims:
        """What the token stands for. Raises `ELEVATION_INVALID` if forged or altered."""
        ...


class Secrets(Protocol):
    """PINs and passwords, hashed so slowly that it is done beside the event loop, a few at once."""

    async def verifier(self, credential_id: str, secret: str) -> str:
        """What to keep of a secret: a salted hash, sealed for this credential."""
        ...

    async def matches(self, credential_id: str, verifier: str | None, secret: str) -> bool:
        """Whether the secret is the one kept; takes as long where None is kept."""
        ...
