"""A country driver holds one country's law: what documents must hold, how they are numbered and corrected.

It is pure. What signs, stamps or talks to an authority is an adapter (`infrastructure/stamping/`), which the
driver asks for by `stamping`. Which documents there are, and when, is policy (`domain/documents/policy.py`).
"""

from datetime import date, datetime
from typing import Literal, Protocol

from domain.accounts.fiscal_profile import ProfileField
from domain.documents.document_facts import DocType, DocumentDrafted, Retention
from domain.kernel.facts import Value
from domain.numbering.series import NumberFormat

Correction = Literal["VOID", "REPLACE", "CREDIT_NOTE"]
"""What may be done to a document that was issued. None of these changes or deletes it."""

PartyRole = Literal["ISSUER", "BUYER"]


class Chain(Value):
    """The law wants each document tied to the one before it: in its series, or in all of its issuer's."""

    scope: Literal["SERIES", "ISSUER"]


class Stamping(Value):
    """The law wants a document stamped by an authority, or in its name, before it is issued.

    `authority` names the adapter; after `timeout_seconds` without an answer the document is parked.
    """

    authority: str
    timeout_seconds: int


class ChainedDocument(Value):
    """What a chain's hash is made of, beyond what was drafted. `issuer_tax_id` is the issuer's profile's."""

    drafted: DocumentDrafted
    number: str
    issued_at: datetime
    issue_date: date
    issuer_tax_id: str | None


class CountryDriver(Protocol):
    """What every country answers. `name` and `version` are recorded with each document."""

    name: str
    version: str

    def profile_demands(self, role: PartyRole, *, is_business: bool) -> tuple[ProfileField, ...]:
        """What must be known of who issues a fiscal document, or whom it is for (S3 §4.2)."""
        ...

    def takes_snapshot_for_profile(self, role: PartyRole) -> bool:
        """Whether the order's snapshot will do where there is no fiscal profile."""
        ...

    def allows(self, correction: Correction, doc_type: DocType, issue_date: date, on: date) -> bool:
        """Whether the law lets a document of that type and day be corrected so on a day."""
        ...

    def chain(self, doc_type: DocType) -> Chain | None:
        """The chain that such documents stand in, if the law wants one."""
        ...

    def chain_hash(self, document: ChainedDocument, previous_hash: str | None) -> str:
        """A document's hash in its chain: a pure function of what it says and of the hash before it."""
        ...

    def stamping(self, doc_type: DocType) -> Stamping | None:
        """How such documents are stamped, if the law wants it."""
        ...

    def time_zone(self, country_code: str) -> str:
        """The IANA zone in which an issuer there counts days and years."""
        ...

    def number_format(self, doc_type: DocType) -> NumberFormat:
        """The format of a series that opens on first use."""
        ...

    def retention(self, doc_type: DocType, issue_date: date) -> Retention:
        """How long the vault keeps such a document."""
        ...
