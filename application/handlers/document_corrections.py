"""Voiding, replacing and crediting issued documents: as the country's driver allows, with a second person.

Nothing is changed or deleted: a void or replaced document keeps its number and its files (S3 §4.4, §5.2).
"""

from dataclasses import dataclass
from typing import NoReturn

from application.caller import Caller
from application.elevation import use_elevation
from application.handlers.accounts import is_within_reach
from application.handlers.document_demands import document_summary, policy_forbids
from application.handlers.documents import PlannedDocument, existing, require_allowed, today_there
from application.handlers.invoice_corrections import credit_whole_invoice
from application.handlers.invoices import Asking, append_void, reachable
from application.handlers.order_documents import (
    PAYMENT,
    corrected_by,
    credited_total,
    draft_order_document,
    newest_document,
    next_version,
    plan_order_document,
    ruling_on,
)
from application.handlers.order_versions import next_version_of
from application.ledger import Answer, Handler, Transaction
from application.ports import ElevationClaims
from domain.documents.document import DOCUMENT, Document, replace, void
from domain.documents.document_facts import DocumentReplaced
from domain.documents.order_parts import buyer_totals
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import ORDER, Order
from domain.invoicing.invoice import INVOICE
from domain.invoicing.invoice_facts import InvoiceVoided
from domain.kernel.errors import DomainError, not_found
from domain.receivables.receipt import RECEIPT


@dataclass(frozen=True)
class CorrectionRequest:
    """What is asked for, why, by whom, and the second person's approval.

    `fresh_id` is for what has to be named anew.
    """

    document_id: str
    reason_code: str
    elevation: ElevationClaims | None
    asking: Asking
    caller: Caller
    fresh_id: str

    def document(self, transaction: Transaction) -> Document:
        """The document, for who may know of it. Raises `NOT_FOUND`, `DOCUMENT_NOT_CORRECTABLE`."""
        document = transaction.state(DOCUMENT, self.document_id)
        if document is None:
            raise not_found("The document")
        drafted, invoice_id = document.drafted, _invoice_of(document)
        if not self.caller.reaches_document(
            buyer_id=drafted.buyer_id,
            seller_id=drafted.seller_id,
            audience=drafted.audience,
            country_code=drafted.country_code,
        ):
            raise not_found("The document")
        if invoice_id is not None:
            reachable(transaction, invoice_id, self.asking)
        if drafted.content_ref.stream_type == RECEIPT.name:
            _refuse_of_a_payment(transaction, drafted.content_ref.stream_id, self.asking)
        return document

    def approver(self, transaction: Transaction) -> str:
        """The credential of the second person; last of all checks, for an approval serves once.

        Raises `SECOND_APPROVER_REQUIRED`, `ELEVATION_INVALID`.
        """
        if self.elevation is None:
            raise DomainError("SECOND_APPROVER_REQUIRED", "A second person has to approve of a correction.")
        approver = use_elevation(
            transaction,
            self.elevation,
            purpose="DOCUMENT_CORRECTION",
            target_id=self.document_id,
            requester=self.asking.subject,
        )
        if approver.is_requester:
            raise DomainError("SECOND_APPROVER_REQUIRED", "Nobody approves of their own correction.")
        return approver.credential_id


def void_document(request: CorrectionRequest) -> Handler:
    """Voids a document, and the invoice whose document it is: 200; a void one as it is.

    Raises `NOT_FOUND`, `DRIVER_FORBIDS`, `DOCUMENT_NOT_CORRECTABLE`, `INVOICE_NOT_VOIDABLE`,
    `SECOND_APPROVER_REQUIRED`, `ELEVATION_INVALID`.
    """

    def handle(transaction: Transaction) -> Answer:
        document = request.document(transaction)
        if document.status == "VOIDED":
            return _answer(transaction, request.document_id, 200)
        if document.status == "ISSUED":
            require_allowed(transaction, document, "VOID")
        if corrected_by(transaction, document):
            raise DomainError("DOCUMENT_NOT_CORRECTABLE", "Part of it was taken back; credit the rest.")
        invoice_id = _invoice_of(document)
        if invoice_id is None:
            (voided,) = void(document, request.reason_code)
            voided = voided.model_copy(update={"approver": request.approver(transaction)})
            stream = DOCUMENT.stream(request.document_id)
            transaction.append(stream, (voided,))
            transaction.announce(stream, "docs.DocumentVoided")
        else:
            _void_invoice(transaction, request, invoice_id, document)
        return _answer(transaction, request.document_id, 200)

    return handle


def replace_document(request: CorrectionRequest) -> Handler:
    """Issues a document anew, from the same snapshot and with today's profiles and template: 201.

    A replaced one answers what replaced it: 200. Raises `NOT_FOUND`, `DRIVER_FORBIDS`,
    `DOCUMENT_NOT_CORRECTABLE`, `PROFILE_INCOMPLETE`, `SECOND_APPROVER_REQUIRED`, `ELEVATION_INVALID`.
    """

    def handle(transaction: Transaction) -> Answer:
        document = request.document(transaction)
        if document.replaced_by is not None:
            return _answer(transaction, document.replaced_by, 200)
        if document.status != "ISSUED":
            raise DomainError("DOCUMENT_NOT_CORRECTABLE", "Only an issued document can be replaced.")
        require_allowed(transaction, document, "REPLACE")
        if document.drafted.content_ref.stream_type == "invoice":
            raise DomainError("DRIVER_FORBIDS", "An invoice of a work order is credited, then billed again.")
        plan, cause = next_version_of(
            transaction, request.asking.desk, request.document_id, document, replaces=True
        )
        transaction.expect(plan.streams)
        if missing := plan.parties.missing(transaction):
            raise DomainError(
                "PROFILE_INCOMPLETE",
                "A fiscal profile lacks what the replacement needs.",
                missing_fields=tuple(field for each in missing for field in each.fields),
            )
        replaced = DocumentReplaced(
            replaced_by_document_id=plan.document_id,
            reason_code=request.reason_code,
            approver=request.approver(transaction),
        )
        draft_order_document(transaction, document.drafted.content_ref.stream_id, cause, plan)
        stream = DOCUMENT.stream(request.document_id)
        transaction.append(stream, replace(existing(transaction, request.document_id), replaced))
        transaction.announce(stream, "docs.DocumentReplaced")
        return _answer(transaction, plan.document_id, 201)

    return handle


def credit_document(request: CorrectionRequest) -> Handler:
    """Takes a fiscal invoice back whole by a credit note: 201; 200 with the one that did.

    Of an invoice that is credited in part, a work order's takes back what is left. Raises `NOT_FOUND`,
    `DRIVER_FORBIDS`, `DOCUMENT_NOT_CORRECTABLE`, `CREDIT_EXCEEDS_INVOICE`, `INVOICE_NOT_CREDITABLE`,
    `SECOND_APPROVER_REQUIRED`, `ELEVATION_INVALID`.
    """

    def handle(transaction: Transaction) -> Answer:
        document = request.document(transaction)
        if document.status != "ISSUED":
            raise DomainError("DOCUMENT_NOT_CORRECTABLE", "Only an issued document can be credited.")
        require_allowed(transaction, document, "CREDIT_NOTE")
        invoice_id = _invoice_of(document)
        if invoice_id is not None:
            _require_invoice_permission(request.asking)
            credit = credit_whole_invoice(
                transaction, invoice_id, request.fresh_id, request.reason_code, request.asking
            )
            request.approver(transaction)
            return _answer(transaction, credit, 201)
        total = document.drafted.totals.grand_total
        whole = [
            document_id
            for document_id, note in corrected_by(transaction, document)
            if note.drafted.totals.grand_total == total
        ]
        if whole:
            return _answer(transaction, whole[0], 200)
        if credited_total(transaction, document):
            raise DomainError("CREDIT_EXCEEDS_INVOICE", "Part of it is credited; refund what is left of it.")
        plan = _whole_credit(transaction, request, document)
        request.approver(transaction)
        draft_order_document(transaction, document.drafted.content_ref.stream_id, PAYMENT, plan)
        return _answer(transaction, plan.document_id, 201)

    return handle


def _whole_credit(
    transaction: Transaction, request: CorrectionRequest, document: Document
) -> PlannedDocument:
    drafted = document.drafted
    state, order = _order_of(transaction, document)
    snapshot = order.order_financial_snapshot
    today = today_there(transaction, drafted.country_code)
    ruling = ruling_on(request.asking.desk, order, "CREDIT_NOTE", today, snapshot, fiscal_invoice_issued=True)
    if ruling.outcome == "FORBIDDEN":
        raise policy_forbids(ruling)
    verdict = ruling.verdict.model_copy(update={"reason": request.reason_code})
    return plan_order_document(
        order,
        "CREDIT_NOTE",
        PAYMENT,
        ruling.model_copy(update={"issuer_entity_id": drafted.issuer_entity_id, "verdict": verdict}),
        buyer_totals(snapshot),
        version=next_version(newest_document(transaction, state, "CREDIT_NOTE", PAYMENT)),
        corrects=(request.document_id, document),
    )


def _void_invoice(
    transaction: Transaction, request: CorrectionRequest, invoice_id: str, document: Document
) -> None:
    if document.drafted.doc_type != "FISCAL_INVOICE":
        raise DomainError("DOCUMENT_NOT_CORRECTABLE", "What an invoice was credited by stands.")
    _require_invoice_permission(request.asking)
    approver = request.approver(transaction)
    voided = InvoiceVoided(
        reason_code=request.reason_code,
        reason_notes=None,
        voided_by=request.asking.user_id,
        approver=approver,
    )
    append_void(transaction, invoice_id, voided)


def _refuse_of_a_payment(transaction: Transaction, receipt_id: str, asking: Asking) -> NoReturn:
    """What shows money that moved changes with that money alone: by the payment's void or refund."""
    receipt = transaction.state(RECEIPT, receipt_id)
    assert receipt is not None, "a document has a source"
    if not is_within_reach(transaction, receipt.generated.customer_account_id, asking.granted):
        raise not_found("The document")
    raise DomainError(
        "DOCUMENT_NOT_CORRECTABLE", "Void or refund the payment; its documents follow by themselves."
    )


def _require_invoice_permission(asking: Asking) -> None:
    if "billing:invoice:void" not in asking.permissions:
        raise DomainError("PERMISSION_DENIED", "The document of an invoice needs billing:invoice:void too.")


def _order_of(transaction: Transaction, document: Document) -> tuple[Order, OrderData]:
    state = transaction.state(ORDER, document.drafted.content_ref.stream_id)
    assert state is not None and state.order is not None, "a document of an order has one"
    return state, state.order


def _invoice_of(document: Document) -> str | None:
    reference = document.drafted.content_ref
    return reference.stream_id if reference.stream_type == INVOICE.name else None


def _answer(transaction: Transaction, document_id: str, status: int) -> Answer:
    return Answer(status, document_summary(document_id, existing(transaction, document_id)))
