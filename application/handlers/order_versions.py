"""The next version of an order's document: of the same cause and snapshot, by today's policy and template."""

from application.desk import Desk
from application.handlers.documents import PlannedDocument, existing, today_there
from application.handlers.order_documents import (
    PAYMENT,
    draft_order_document,
    plan_order_document,
    ruling_on,
)
from application.ledger import Transaction
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import DocType
from domain.documents.order_facts import Cause
from domain.documents.order_state import ORDER, Order


def next_version_of(
    transaction: Transaction, desk: Desk, document_id: str, document: Document, *, replaces: bool
) -> tuple[PlannedDocument, Cause]:
    """What follows a document, with its cause; its issuer, its amounts and what it corrects stay."""
    drafted = document.drafted
    state = transaction.state(ORDER, drafted.content_ref.stream_id)
    assert state is not None and state.order is not None, "a document of an order has one"
    order = state.order
    called = (each for of_cause in state.documents.values() for each in of_cause)
    cause = next((each.cause for each in called if each.document_id == document_id), PAYMENT)
    ruling = ruling_on(
        desk,
        order,
        drafted.doc_type,
        today_there(transaction, drafted.country_code),
        order.order_financial_snapshot,
        fiscal_invoice_issued=drafted.doc_type == "CREDIT_NOTE",
    )
    verdict = ruling.verdict
    if (drafted.doc_type, cause) == ("CREDIT_NOTE", PAYMENT):
        # Somebody asked for it, and their reason is the document's.
        verdict = verdict.model_copy(update={"reason": drafted.verdict.reason})
    corrected = [link.document_id for link in drafted.linked_documents if link.relation == "CORRECTS"]
    plan = plan_order_document(
        order,
        drafted.doc_type,
        cause,
        ruling.model_copy(update={"issuer_entity_id": drafted.issuer_entity_id, "verdict": verdict}),
        drafted.totals,
        currency_uom_id=drafted.currency_uom_id,
        version=drafted.document_version + 1,
        corrects=(corrected[0], existing(transaction, corrected[0])) if corrected else None,
        replaces=document_id if replaces else None,
    )
    return plan, cause


def draft_what_was_voided(
    transaction: Transaction, desk: Desk, order_id: str, state: Order, doc_type: DocType
) -> str | None:
    """Drafts the next versions of voided documents of a type, one for each cause; the first one's id."""
    transaction.expect(DOCUMENT.stream(each) for each in state.document_ids(doc_type))
    drafted = None
    for of_cause in state.documents.values():
        newest = [each.document_id for each in of_cause if each.doc_type == doc_type][-1:]
        for document_id in newest:
            document = existing(transaction, document_id)
            if document.status == "VOIDED":
                plan, cause = next_version_of(transaction, desk, document_id, document, replaces=False)
                draft_order_document(transaction, order_id, cause, plan)
                drafted = drafted or plan.document_id
    return drafted
