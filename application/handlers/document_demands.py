"""Issuing documents that somebody asks for, and those that waited for a profile (S3 §4.2, contract §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.caller import Caller
from application.desk import Desk
from application.handlers.accounts import is_within_reach
from application.handlers.documents import (
    PlannedDocument,
    document_entry,
    existing,
    number_or_block,
)
from application.handlers.order_documents import (
    COMPLETION,
    PAYMENT,
    credit_refunds,
    draft_order_document,
    fiscal_parties,
    issuers_day,
    newest_document,
    next_version,
    plan_order_document,
    ruling_on,
)
from application.handlers.order_versions import draft_what_was_voided
from application.ledger import Answer, Handler, Transaction
from domain.documents.document import DOCUMENT, Document, ask_again
from domain.documents.document_facts import DocType, Totals
from domain.documents.order_facts import Cause
from domain.documents.order_parts import buyer_totals
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import ORDER, Order
from domain.documents.policy import AUDIENCES, Ruling
from domain.documents.seller_statement_content import seller_statement_totals
from domain.fiscal.registry import driver_for
from domain.invoicing.invoice import INVOICE
from domain.kernel.errors import DomainError, not_found

_CAUSES: dict[DocType, Cause] = {
    "RECEIPT": PAYMENT,
    "FISCAL_INVOICE": PAYMENT,
    "SELLER_STATEMENT": COMPLETION,
}
"""What may be asked for of an order. Other documents come with their own cause, and are only tried again."""


@dataclass(frozen=True)
class Demand:
    """What is asked for, and who asks. `as_of` (UTC) lets a dry run tell what policy said then."""

    doc_type: DocType
    desk: Desk
    caller: Caller
    explains: bool = False
    as_of: datetime | None = None


def issue_for_order(order_id: str, demand: Demand) -> Handler:
    """Drafts and numbers a document of the order: 201; 200 with the one that there is, tried again if parked.

    What comes with a cause of its own, as a credit note does, cannot be asked for. But what was voided of it
    gets its next version, all of that type, and the first is answered: 201; else what is parked of it is
    tried again: 200. A profile that lacks something is answered with the refusal `PROFILE_INCOMPLETE`, and
    recorded.
    Raises `NOT_FOUND`, `POLICY_FORBIDS`.
    """

    def handle(transaction: Transaction) -> Answer:
        state = transaction.state(ORDER, order_id)
        if state is None or state.order is None:
            raise not_found("The order")
        order = state.order
        parties = order.order_party_snapshot
        if not demand.caller.reaches_document(
            buyer_id=parties.buyer.party_id,
            seller_id=parties.seller.party_id,
            audience=AUDIENCES[demand.doc_type],
            country_code=order.country_code,
        ):
            raise not_found("The order")
        if demand.doc_type not in _CAUSES:
            anew = _noted_again if demand.doc_type == "CREDIT_NOTE" else draft_what_was_voided
            made = anew(transaction, demand.desk, order_id, state, demand.doc_type)
            if made is not None:
                return _answer(transaction, made, 201)
            return _parked_again(
                transaction,
                state.document_ids(demand.doc_type),
                "Such a document comes with its own cause; none of this order is parked.",
            )
        cause = _CAUSES[demand.doc_type]
        known = newest_document(transaction, state, demand.doc_type, cause)
        if known is not None and known[1].status != "VOIDED":
            if not demand.explains:
                _try_again(transaction, demand.desk, *known)
                return _answer(transaction, known[0], 200)
            return _answer(transaction, known[0], 200, _ruling(transaction, order, demand))
        ruling = _allowed(transaction, state, order, demand)
        totals, version = _totals(demand.doc_type, order), next_version(known)
        plan = plan_order_document(order, demand.doc_type, cause, ruling, totals, version=version)
        draft_order_document(transaction, order_id, cause, plan)
        if demand.doc_type == "FISCAL_INVOICE":
            credit_refunds(transaction, demand.desk, order_id)
        return _answer(transaction, plan.document_id, 201, ruling if demand.explains else None)

    return handle


def issue_for_invoice(invoice_id: str, demand: Demand) -> Handler:
    """The FISCAL_INVOICE of an issued invoice, which was drafted with it: 200, tried again if parked.

    Its parked credit notes are tried again too where they are asked for; the first is answered.
    Raises `NOT_FOUND`, `POLICY_FORBIDS`.
    """

    def handle(transaction: Transaction) -> Answer:
        invoice = transaction.state(INVOICE, invoice_id)
        if invoice is None:
            raise not_found("The invoice")
        caller, drafted = demand.caller, invoice.drafted
        if not caller.reaches_document(
            buyer_id=drafted.customer_party_id,
            seller_id=drafted.issuer_entity_id,
            audience=AUDIENCES[demand.doc_type],
            country_code=drafted.country_code,
        ) or not is_within_reach(transaction, drafted.customer_account_id, caller.claims.account_ids):
            raise not_found("The invoice")
        if demand.doc_type != "FISCAL_INVOICE" or invoice.issued is None:
            transaction.expect(DOCUMENT.stream(each) for each in invoice.document_ids)
            documents = ((each, existing(transaction, each)) for each in invoice.document_ids)
            ids = [each for each, document in documents if document.drafted.doc_type == demand.doc_type]
            return _parked_again(
                transaction, ids, "An invoice has a FISCAL_INVOICE once it is issued; credit it for others."
            )
        document_id = invoice.issued.document_id
        _try_again(transaction, demand.desk, document_id, existing(transaction, document_id))
        return _answer(transaction, document_id, 200)

    return handle


def resume_document(document_id: str, desk: Desk) -> Handler:
    """Gives a blocked document its number, now that a profile was set, or records what it still lacks.

    The answer's body is its `DocumentEntry`.
    """

    def handle(transaction: Transaction) -> Answer:
        document = transaction.state(DOCUMENT, document_id)
        if document is None:
            raise not_found("The document")
        if document.is_blocked:
            _try_again(transaction, desk, document_id, document)
        return Answer(200, document_entry(transaction, document_id))

    return handle


def document_summary(document_id: str, document: Document) -> dict[str, Any]:
    """A document as commands answer it, JSON-ready; it may not be issued yet."""
    drafted, numbered = document.drafted, document.numbered
    return {
        "documentId": document_id,
        "documentKey": drafted.document_key,
        "documentVersion": drafted.document_version,
        "docType": drafted.doc_type,
        "status": document.status,
        "number": None if numbered is None else numbered.number,
        "seriesId": None if numbered is None else numbered.series_id,
        "issueDate": None if numbered is None else numbered.issue_date.isoformat(),
        "issuerEntityId": drafted.issuer_entity_id,
        "countryCode": drafted.country_code,
        "language": drafted.language,
        "sourceRef": drafted.source_ref.model_dump(mode="json", by_alias=True),
        "currencyUomId": drafted.currency_uom_id,
        "totals": drafted.totals.model_dump(mode="json", by_alias=True),
        "replacesDocumentId": drafted.replaces_document_id,
        "linkedDocuments": [
            link.model_dump(mode="json", by_alias=True) for link in document.linked_documents
        ],
    }


class ProfileIncomplete(DomainError):
    """A document is blocked: the fields that are missing, each with whose they are.

    `is_recorded` says whether it is on record as that; a dry run only tells.
    """

    def __init__(self, document: Document, *, is_recorded: bool) -> None:
        assert document.failure is not None, "a blocked document says why"
        missing = document.failure.missing_profiles
        lacking = (f"{each.owner_type} in {each.country_code}: {', '.join(each.fields)}" for each in missing)
        super().__init__(
            "PROFILE_INCOMPLETE",
            f"A fiscal profile lacks what the document needs: {'; '.join(lacking)}."
            " The document is drafted and gets its number once the profile is complete.",
            missing_fields=tuple(dict.fromkeys(field for each in missing for field in each.fields)),
        )
        self.country_code = document.drafted.country_code
        self.is_recorded = is_recorded


def policy_forbids(ruling: Ruling) -> DomainError:
    """That policy does not want the document, and which one says so."""
    verdict = ruling.verdict
    return DomainError(
        "POLICY_FORBIDS", f"Policy {verdict.policy} {verdict.version} forbids it: {verdict.reason}"
    )


def _noted_again(
    transaction: Transaction, desk: Desk, order_id: str, state: Order, doc_type: DocType
) -> str | None:
    """Credits the refunds whose credit notes are void, or that have none; the first new note's id."""
    before = state.document_ids(doc_type)
    credit_refunds(transaction, desk, order_id)
    after = transaction.state(ORDER, order_id)
    assert after is not None, "it was there before"
    return next((each for each in after.document_ids(doc_type) if each not in before), None)


def _parked_again(transaction: Transaction, document_ids: Sequence[str], otherwise: str) -> Answer:
    """Lets those of the documents that are parked be tried at once. Raises `POLICY_FORBIDS` for none."""
    transaction.expect(DOCUMENT.stream(each) for each in document_ids)
    parked = [each for each in document_ids if existing(transaction, each).failure is not None]
    if not parked:
        raise DomainError("POLICY_FORBIDS", otherwise)
    for document_id in parked:
        document = existing(transaction, document_id)
        transaction.append(DOCUMENT.stream(document_id), ask_again(document, transaction.stamp.at))
    return _answer(transaction, parked[0], 200)


def _allowed(transaction: Transaction, state: Order, order: OrderData, demand: Demand) -> Ruling:
    """What policy says, where it does not forbid it. Raises `POLICY_FORBIDS`."""
    if demand.doc_type == "SELLER_STATEMENT" and state.completion is None:
        raise DomainError("POLICY_FORBIDS", "The order is not completed yet.")
    ruling = _ruling(transaction, order, demand)
    if ruling.outcome == "FORBIDDEN":
        raise policy_forbids(ruling)
    return ruling


def _ruling(transaction: Transaction, order: OrderData, demand: Demand) -> Ruling:
    on = issuers_day(order, demand.as_of or transaction.stamp.at)
    return ruling_on(demand.desk, order, demand.doc_type, on, order.order_financial_snapshot)


def _totals(doc_type: DocType, order: OrderData) -> Totals:
    snapshot = order.order_financial_snapshot
    return seller_statement_totals(snapshot) if doc_type == "SELLER_STATEMENT" else buyer_totals(snapshot)


def _try_again(transaction: Transaction, desk: Desk, document_id: str, document: Document) -> None:
    """Numbers a blocked document if nothing lacks any more, and lets a parked one be tried at once."""
    if not document.is_blocked:
        transaction.append(DOCUMENT.stream(document_id), ask_again(document, transaction.stamp.at))
        return
    drafted = document.drafted
    order_id = drafted.content_ref.stream_id
    state = transaction.state(ORDER, order_id)
    assert state is not None and state.order is not None, "only documents of orders are blocked"
    plan = PlannedDocument(
        drafted,
        driver_for(drafted.country_code),
        fiscal_parties(state.order, drafted.doc_type, drafted.issuer_entity_id),
    )
    transaction.expect(plan.streams)
    number_or_block(transaction, plan)
    if drafted.doc_type == "FISCAL_INVOICE":
        credit_refunds(transaction, desk, order_id)


def _answer(transaction: Transaction, document_id: str, status: int, ruling: Ruling | None = None) -> Answer:
    document = existing(transaction, document_id)
    if document.is_blocked:
        return Answer(422, ProfileIncomplete(document, is_recorded=ruling is None))
    told = document_summary(document_id, document)
    if ruling is not None:
        told["policy"] = {
            "outcome": ruling.outcome,
            **ruling.verdict.model_dump(mode="json", by_alias=True),
            "languages": list(ruling.languages),
            "taxModel": ruling.tax_model,
            "retentionClass": ruling.retention_class,
            "explanation": list(ruling.explanation),
        }
    return Answer(status, told)
