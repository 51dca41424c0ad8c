"""A document's canonical content, made from its own events and its source's; the same bytes every time."""

from typing import Any

from application.ledger import Ledger
from domain.documents.document import DOCUMENT, Document
from domain.documents.invoice_content import credit_note_content, invoice_content
from domain.documents.order import Order
from domain.documents.order_snapshot import OrderData
from domain.documents.receipt_content import DocumentIdentity, receipt_content
from domain.invoicing.invoice import Invoice
from domain.kernel.canonical import canonical_json
from domain.kernel.errors import not_found
from domain.kernel.registry import Registry


async def load_document(ledger: Ledger, registry: Registry, document_id: str) -> Document:
    """A document's newest state. Raises `NOT_FOUND`."""
    stream = DOCUMENT.stream(document_id)
    document: Document | None = registry.fold(stream, [event.fact for event in await ledger.history(stream)])
    if document is None:
        raise not_found("The document")
    return document


def document_content(document_id: str, document: Document, source: Any) -> bytes:
    """The canonical JSON (RFC 8785) of a numbered document; `source` is the state of its `content_ref`.

    Raises `ValueError` where that does not hold what the document is made of.
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
    )
    match source:
        case Order(order=OrderData() as order) if drafted.doc_type == "RECEIPT":
            return canonical_json(receipt_content(order, identity))
        case Invoice() if drafted.doc_type == "FISCAL_INVOICE":
            return canonical_json(invoice_content(source, identity))
        case Invoice() if drafted.doc_type == "CREDIT_NOTE":
            credit_id = drafted.content_ref.cause_id or ""
            return canonical_json(credit_note_content(source, credit_id, identity))
        case _:
            raise ValueError(f"no content of a {drafted.doc_type} in its source")
