"""A country driver holds one country's law: numbering, languages, time, retention, what is issued when.

It is pure. What signs, stamps or talks to an authority is an adapter (`infrastructure/`).
"""

from datetime import date
from typing import Protocol

from domain.accounts.fiscal_profile import OwnerType, ProfileField
from domain.documents.document import DocType, Language, Retention
from domain.documents.order_snapshot import OrderData
from domain.kernel.facts import Value
from domain.numbering.series import NumberFormat


class Called(Value):
    """A document that policy calls for: its type, its issuer and the reason, for the record."""

    doc_type: DocType
    issuer_entity_id: str
    template_version: str
    reason: str


class CountryDriver(Protocol):
    """What every country answers. `name` and `version` are recorded with each document."""

    name: str
    version: str

    def called_for_by_payment(self, order: OrderData) -> tuple[Called, ...]:
        """The documents that a paid order calls for by itself (S3 §4.1, §4.2)."""
        ...

    def fiscal_invoice(self, issuer_entity_id: str) -> Called:
        """The document that an issued invoice of a work order becomes."""
        ...

    def credit_note(self, issuer_entity_id: str) -> Called:
        """The document that a credit of such an invoice becomes."""
        ...

    def may_void(self, doc_type: DocType) -> bool:
        """Whether the law lets an issued document of that type be voided."""
        ...

    def profile_demands(self, owner_type: OwnerType) -> tuple[ProfileField, ...]:
        """What a fiscal profile must hold before a fiscal document names such an owner (S3 §4.2)."""
        ...

    def language(self, country_code: str) -> Language:
        """The language of documents under that country's law."""
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
