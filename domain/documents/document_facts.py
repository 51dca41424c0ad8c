"""What happens to a document, as facts, and the values that they are made of (S3 §6.2, §6.3)."""

from datetime import date
from typing import Literal

from domain.accounts.choices import DeliveryMethod
from domain.accounts.fiscal_profile import OwnerType, ProfileField, ProfileOwner
from domain.documents.seal import Seal
from domain.kernel.facts import CountryCode, Fact, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits, SignedMinorUnits
from domain.kernel.streams import StreamId

DocType = Literal[
    "RECEIPT",
    "FISCAL_INVOICE",
    "CREDIT_NOTE",
    "SELLER_STATEMENT",
    "PAYOUT_STATEMENT",
    "LEDGER_EVIDENCE_PACK",
    "AUDIT_EXPORT",
    "ADJUSTMENT_STATEMENT",
]
Status = Literal["DRAFT", "ISSUED", "VOIDED", "REPLACED"]
Language = Literal["en", "es", "de"]

Audience = Literal["BUYER", "SELLER", "FINANCE"]
"""Who a document is made for. A buyer never sees what is for its seller, whatever the order (S3 §3.1)."""

FailureReason = Literal[
    "vault_unavailable",
    "vault_conflict",
    "render_failed",
    "seal_failed",
    "issue_failed_profile_missing",
    "driver_timeout",
    "driver_unavailable",
    "driver_rejected",
]
"""The first four are of our own making, the last three are an authority's."""


class SourceRef(Value):
    """What the document is about."""

    type: Literal["ORDER", "WORK_ORDER"]
    id: str


class ContentRef(Value):
    """The history that the document's content is made of, and which cause within it (a credit's id)."""

    stream_type: Literal["order", "invoice", "receipt"]
    stream_id: str
    cause_id: str | None = None

    @property
    def stream(self) -> StreamId:
        """That history."""
        return StreamId(self.stream_type, self.stream_id)


class LinkedDocument(Value):
    """Another document, and what this one is to it."""

    document_id: str
    doc_type: DocType
    relation: Literal["CORRECTS", "CORRECTED_BY", "REPLACES", "REPLACED_BY"]


class Corrected(Value):
    """What a credit note or an adjustment says of the document that it corrects."""

    doc_type: DocType
    number: str
    issue_date: date


class NamedProfile(Value):
    """A fiscal profile that the document names, in the version (of its stream) that it had then."""

    role: Literal["ISSUER", "BUYER"]
    profile_id: str
    version: int


class MissingProfile(Value):
    """Whose fiscal profile lacks which fields, so that a document cannot be issued."""

    owner_type: OwnerType
    owner_id: str
    country_code: CountryCode
    fields: tuple[ProfileField, ...]

    @property
    def profile_id(self) -> str:
        """The profile that would have them."""
        owner = ProfileOwner(
            owner_type=self.owner_type, owner_id=self.owner_id, country_code=self.country_code
        )
        return owner.profile_id


class ChainLink(Value):
    """A document's place in a chain that its country's law wants: its number in it, and the hashes.

    `previous_id` is the document before it; the first one has none, and no `previous_hash`.
    """

    chain_id: str
    sequence: int
    hash: str
    previous_id: str | None = None
    previous_hash: str | None = None


class FiscalStamp(Value):
    """What an authority gave for a document, and the file in the vault that holds it."""

    authority: str
    uuid: str
    stamped_at: Utc
    qr: str | None = None
    file_name: str
    sha256: str


class Totals(Value):
    """What lists show of a document's amounts, minor units of its currency; copied from the snapshot.

    items_subtotal + fee_total + tax_total = grand_total, as its reader sees them: to a seller, fees and taxes
    that are taken off what it sold are negative.
    """

    items_subtotal: MinorUnits
    discount_total: MinorUnits
    fee_total: SignedMinorUnits
    tax_total: SignedMinorUnits
    grand_total: MinorUnits


class Retention(Value):
    """How long the vault keeps the document, and whether anybody could shorten that."""

    retention_class: str
    until: date
    mode: Literal["COMPLIANCE", "GOVERNANCE"]


class Verdict(Value):
    """Which policy, in which version, called for the document, and why."""

    policy: str
    version: str
    reason: str


class DocumentDrafted(Fact):
    """The document exists: what it is about and which snapshot, template, driver and policy make it.

    `retention_class` is policy's word for how it is kept; how long is for the country's law to say.
    """

    document_key: str
    document_version: int
    doc_type: DocType
    source_ref: SourceRef
    content_ref: ContentRef
    snapshot_id: str
    country_code: CountryCode
    issuer_entity_id: str
    buyer_id: str
    seller_id: str
    language: Language
    currency_uom_id: CurrencyCode
    totals: Totals
    audience: Audience
    delivery_method: DeliveryMethod
    template_version: str
    driver: str
    driver_version: str
    verdict: Verdict
    retention_class: str | None = None
    corrects: Corrected | None = None
    replaces_document_id: str | None = None
    linked_documents: tuple[LinkedDocument, ...] = ()


class DocumentNumbered(Fact):
    """A number and an issue time belong to the document for good. `issue_date` is in the issuer's zone.

    `profiles` are the fiscal profiles whose data it shows, `chain` its place in a chain.
    """

    series_id: str
    number: str
    issued_at: Utc
    issue_date: date
    profiles: tuple[NamedProfile, ...] = ()
    chain: ChainLink | None = None


class DocumentStamped(Fact):
    """The authority has stamped it; what it gave is in the vault."""

    stamp: FiscalStamp


class DocumentIssued(Fact):
    """Its files are in the vault under these names, sealed; from now on everybody entitled may see it.

    `sealed_under` is the id of the reader's key, without which they do not open.
    """

    pdf_name: str
    json_name: str
    sealed_under: str | None = None
    seal: Seal
    retention: Retention


class DocumentIssueFailed(Fact):
    """An attempt to issue it failed. `attempt` counts from 1.

    The worker tries again at `retry_at`; without one, somebody has to do something: complete the profiles in
    `missing_profiles`, or see to what the authority refused, in whose words `authority_code` says why.
    """

    reason: FailureReason
    attempt: int
    retry_at: Utc | None = None
    missing_profiles: tuple[MissingProfile, ...] = ()
    authority_code: str | None = None


class DocumentRetryAsked(Fact):
    """Somebody asked for another attempt, now."""

    retry_at: Utc


class DocumentLinked(Fact):
    """Another document came that has to do with this one."""

    linked_document: LinkedDocument


class DocumentVoided(Fact):
    """The document counts no more; its number and its files stay. `reason_code` is of the VOID reasons.

    Of a receipt's it is PAYMENT_VOIDED where the payment was voided without a reason. `approver` is the
    credential of the second person, where the document was voided by itself.
    """

    reason_code: str
    approver: str | None = None


class DocumentReplaced(Fact):
    """Another version of the document stands in its place."""

    replaced_by_document_id: str
    reason_code: str
    approver: str
