"""A document's canonical content, made from its own events and its source's; the same bytes every time."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.ledger import Ledger
from domain.accounts.fiscal_profile import FISCAL_PROFILE, FiscalProfile, ProfileContent
from domain.documents.content_parts import DocumentIdentity, FiscalMarks, shown_parties
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import DocumentDrafted, NamedProfile
from domain.documents.invoice_content import credit_note_content, invoice_content
from domain.documents.order_contents import OrderCause, order_document_content
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import Order
from domain.documents.payment_receipt_content import payment_adjustment_content, payment_receipt_content
from domain.invoicing.invoice import Invoice
from domain.kernel.canonical import canonical_json
from domain.kernel.errors import not_found
from domain.kernel.facts import Fact
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from domain.receivables.receipt import Receipt


def profile_stream(profile: NamedProfile) -> StreamId:
    """The history of a fiscal profile that a document names."""
    return FISCAL_PROFILE.stream(profile.profile_id)


def content_streams(document: Document) -> frozenset[StreamId]:
    """The histories that a numbered document's content is made of, its own aside."""
    profiles = document.numbered.profiles if document.numbered is not None else ()
    return frozenset((document.drafted.content_ref.stream, *map(profile_stream, profiles)))


def named_profiles(
    registry: Registry, document: Document, facts: Mapping[StreamId, Sequence[Fact]]
) -> dict[str, ProfileContent]:
    """By role the profiles that the document names, as they stood in the version that it names."""
    profiles = document.numbered.profiles if document.numbered is not None else ()
    contents: dict[str, ProfileContent] = {}
    for profile in profiles:
        stream = profile_stream(profile)
        state: FiscalProfile = registry.fold(stream, facts[stream][: profile.version])
        contents[profile.role] = state.content
    return contents


async def load_document(ledger: Ledger, registry: Registry, document_id: str) -> Document:
    """A document's newest state. Raises `NOT_FOUND`."""
    stream = DOCUMENT.stream(document_id)
    document: Document | None = registry.fold(stream, [event.fact for event in await ledger.history(stream)])
    if document is None:
        raise not_found("The document")
    return document


def fiscal_marks(document: Document) -> FiscalMarks | None:
    """What an authority and a chain have given a document so far; None where neither has."""
    chain = document.numbered.chain if document.numbered is not None else None
    chain_hash = None if chain is None else chain.hash
    if document.stamped is None:
        return None if chain_hash is None else FiscalMarks(chain_hash=chain_hash)
    stamp = document.stamped.stamp
    return FiscalMarks(
        authority=stamp.authority,
        uuid=stamp.uuid,
        stamped_at=stamp.stamped_at,
        qr=stamp.qr,
        chain_hash=chain_hash,
    )


def document_content(
    document_id: str, document: Document, source: Any, profiles: Mapping[str, ProfileContent]
) -> bytes:
    """The canonical JSON (RFC 8785) of a numbered document; `source` is the state of its `content_ref`.

    `profiles` are its `named_profiles`. Raises `ValueError` where the source does not hold it.
    """
    drafted, numbered = document.drafted, document.numbered
    if numbered is None:
        raise ValueError("a document has no content before it has a number")
    identity = DocumentIdentity(
        document_id=document_id,
        document_key=drafted.document_key,
        document_version=drafted.document_version,
        doc_type=drafted.doc_type,
        number=numbered.number,
        issued_at=numbered.issued_at,
        issue_date=numbered.issue_date,
        language=drafted.language,
        country_code=drafted.country_code,
        issuer_entity_id=drafted.issuer_entity_id,
        template_version=drafted.template_version,
        driver_version=drafted.driver_version,
        fiscal=fiscal_marks(document),
    )
    match source:
        case Order(order=OrderData() as order):
            parties = shown_parties(order.order_party_snapshot, drafted.issuer_entity_id, profiles)
            cause = _cause_of(source, drafted)
            return canonical_json(order_document_content(order, cause, drafted, identity, parties))
        case Invoice() if drafted.doc_type == "FISCAL_INVOICE":
            return canonical_json(invoice_content(source, identity))
        case Invoice() if drafted.doc_type == "CREDIT_NOTE":
            credit_id = drafted.content_ref.cause_id or ""
            return canonical_json(credit_note_content(source, credit_id, identity))
        case Receipt() if drafted.doc_type == "RECEIPT":
            return canonical_json(payment_receipt_content(source, identity))
        case Receipt() if drafted.doc_type == "ADJUSTMENT_STATEMENT" and drafted.corrects is not None:
            refund_id = drafted.content_ref.cause_id or ""
            return canonical_json(payment_adjustment_content(source, refund_id, drafted.corrects, identity))
        case _:
            raise ValueError(f"no content of a {drafted.doc_type} in its source")


def _cause_of(order: Order, drafted: DocumentDrafted) -> OrderCause:
    """What in the order's life caused the document: its completion, or what `content_ref.cause_id` names."""
    cause_id = drafted.content_ref.cause_id
    if drafted.doc_type == "SELLER_STATEMENT":
        return order.completion
    if cause_id is None:
        return None
    if drafted.doc_type == "PAYOUT_STATEMENT":
        return order.payouts[cause_id].payout
    return order.refunds[cause_id].told
