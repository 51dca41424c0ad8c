"""The documents of an order: which its events call for by policy, made of its snapshots alone (S3 §4, §7.1).

Every function may be called again for the same cause: what was called for once is not called for twice.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from application.desk import Desk
from application.handlers.documents import (
    PlannedDocument,
    draft_document,
    existing,
    streams_of,
)
from application.handlers.fiscal_parties import FiscalParties, FiscalParty, buyer_party, issuer_party
from application.ledger import Transaction
from domain.accounts.choices import DeliveryMethod
from domain.documents.delivery import delivery_method_of
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import (
    ContentRef,
    Corrected,
    DocType,
    DocumentDrafted,
    LinkedDocument,
    SourceRef,
    Totals,
)
from domain.documents.keys import document_id, document_key
from domain.documents.order_facts import Cause, OrderDocumentDrafted
from domain.documents.order_parts import buyer_totals
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.documents.order_state import ORDER, Order
from domain.documents.payout_statement_content import payout_statement_totals
from domain.documents.policy import Occasion, Ruling
from domain.documents.seller_statement_content import seller_statement_totals
from domain.documents.templates import newest_template
from domain.fiscal.registry import day_there, driver_for
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId

PAYMENT = Cause(type="PAYMENT")
COMPLETION = Cause(type="COMPLETION")

_CALLED_FOR_BY_PAYMENT: tuple[DocType, ...] = ("RECEIPT", "FISCAL_INVOICE")
_CALLED_FOR_BY_REFUNDS: tuple[DocType, ...] = ("CREDIT_NOTE", "ADJUSTMENT_STATEMENT")


def ruling_on(
    desk: Desk,
    order: OrderData,
    doc_type: DocType,
    on: date,
    snapshot: OrderFinancialSnapshot,
    *,
    fiscal_invoice_issued: bool = False,
) -> Ruling:
    """What policy says of such a document of the order on a day; `snapshot` is what it would show."""
    parties = order.order_party_snapshot
    occasion = Occasion(
        tenant=desk.tenant,
        country_code=order.country_code,
        source="ORDER",
        doc_type=doc_type,
        platform_id=parties.platform.party_id,
        seller_id=parties.seller.party_id,
        buyer_type=parties.buyer.type,
        currency_uom_id=snapshot.currency_uom_id,
        grand_total=snapshot.buyer_total,
        line_kinds=frozenset(line.kind for line in snapshot.lines),
        on=on,
        fiscal_invoice_issued=fiscal_invoice_issued,
    )
    return desk.policies.rule_on(occasion)


def issuers_day(order: OrderData, at: datetime) -> date:
    """The day it was, at that moment, where the order's law holds."""
    return day_there(order.country_code, at)


def paid_on(order: OrderData) -> date:
    """The day on which the order was paid; what policy said then, it says however late upstream tells."""
    return issuers_day(order, order.paid_at or order.order_financial_snapshot.captured_at)


def plans_of_payment(desk: Desk, order: OrderData) -> tuple[PlannedDocument, ...]:
    """What a payment calls for: a receipt, and an invoice where policy says so (S3 §4.1, §4.2)."""
    snapshot, on = order.order_financial_snapshot, paid_on(order)
    rulings = ((each, ruling_on(desk, order, each, on, snapshot)) for each in _CALLED_FOR_BY_PAYMENT)
    return tuple(
        plan_order_document(order, doc_type, PAYMENT, ruling, buyer_totals(snapshot))
        for doc_type, ruling in rulings
        if ruling.outcome == "AUTOMATIC"
    )


def plan_order_document(
    order: OrderData,
    doc_type: DocType,
    cause: Cause,
    ruling: Ruling,
    totals: Totals,
    *,
    currency_uom_id: str | None = None,
    version: int = 1,
    corrects: tuple[str, Document] | None = None,
    replaces: str | None = None,
) -> PlannedDocument:
    """A document of the order with everything that is known before it has a number."""
    driver, parties = driver_for(order.country_code), order.order_party_snapshot
    audience = ruling.audience
    source_ids = (order.order_id,) if cause.id is None else (order.order_id, cause.id)
    drafted = DocumentDrafted(
        document_key=document_key(source_ids, doc_type, ruling.issuer_entity_id, version),
        document_version=version,
        doc_type=doc_type,
        source_ref=SourceRef(type="ORDER", id=order.order_id),
        content_ref=ContentRef(stream_type="order", stream_id=order.order_id, cause_id=cause.id),
        snapshot_id=order.order_financial_snapshot.snapshot_id,
        country_code=order.country_code,
        issuer_entity_id=ruling.issuer_entity_id,
        buyer_id=parties.buyer.party_id,
        seller_id=parties.seller.party_id,
        language=ruling.language,
        currency_uom_id=currency_uom_id or order.order_financial_snapshot.currency_uom_id,
        totals=totals,
        audience=audience,
        delivery_method=_delivery_method(ruling, order),
        template_version=newest_template(doc_type, "ORDER", audience, order.country_code, ruling.language),
        driver=driver.name,
        driver_version=driver.version,
        verdict=ruling.verdict,
        retention_class=ruling.retention_class,
        corrects=corrects and _corrected(corrects[1]),
        replaces_document_id=replaces,
        linked_documents=tuple(_links(doc_type, corrects, replaces)),
    )
    return PlannedDocument(drafted, driver, fiscal_parties(order, doc_type, ruling.issuer_entity_id))


def fiscal_parties(order: OrderData, doc_type: DocType, issuer_entity_id: str) -> FiscalParties:
    """Whose profiles such a document of the order names; only what is invoiced demands that they be complete.

    A credit note names whom its invoice named, complete or not: it may not fail where that did not.
    """
    parties, country_code = order.order_party_snapshot, order.country_code
    driver = driver_for(country_code)
    known = {party.party_id: party for party in (parties.ops, parties.seller, parties.platform) if party}
    is_seller = issuer_entity_id == parties.seller.party_id != parties.platform.party_id
    found: list[FiscalParty] = [
        issuer_party(
            driver,
            country_code,
            issuer_entity_id,
            owner_type="SELLER" if is_seller else "PLATFORM",
            party=known.get(issuer_entity_id),
            is_demanded=doc_type == "FISCAL_INVOICE",
        )
    ]
    if doc_type == "FISCAL_INVOICE":
        found.append(buyer_party(driver, country_code, parties.buyer))
    elif doc_type == "CREDIT_NOTE":
        found.append(buyer_party(driver, country_code, parties.buyer).undemanding())
    return FiscalParties(tuple(found))


def _delivery_method(ruling: Ruling, order: OrderData) -> DeliveryMethod:
    return "PORTAL" if ruling.delivery_method == "PORTAL" else delivery_method_of(ruling.audience, order)


def _corrected(document: Document) -> Corrected:
    assert document.numbered is not None, "only what has a number is corrected"
    return Corrected(
        doc_type=document.drafted.doc_type,
        number=document.numbered.number,
        issue_date=document.numbered.issue_date,
    )


def _links(
    doc_type: DocType, corrects: tuple[str, Document] | None, replaces: str | None
) -> Iterable[LinkedDocument]:
    if corrects is not None:
        document_id, document = corrects
        yield LinkedDocument(document_id=document_id, doc_type=document.drafted.doc_type, relation="CORRECTS")
    if replaces is not None:
        yield LinkedDocument(document_id=replaces, doc_type=doc_type, relation="REPLACES")


def draft_for_payment(transaction: Transaction, order_id: str, plans: Sequence[PlannedDocument]) -> None:
    """Drafts what a payment calls for."""
    for plan in plans:
        draft_order_document(transaction, order_id, PAYMENT, plan)


def draft_order_document(
    transaction: Transaction, order_id: str, cause: Cause, plan: PlannedDocument
) -> None:
    """Drafts a document of the order, and notes in the order's history that it did."""
    called = OrderDocumentDrafted(document_id=plan.document_id, doc_type=plan.drafted.doc_type, cause=cause)
    transaction.expect(plan.streams)
    transaction.append(ORDER.stream(order_id), (called,))
    draft_document(transaction, plan)


def draft_for_completion(transaction: Transaction, desk: Desk, order_id: str) -> None:
    """Drafts the seller's statement of a completed order (S3 §4.3)."""
    state, order = _known(transaction, order_id)
    completion = state.completion
    if completion is None or COMPLETION.key in state.documents:
        return
    on = issuers_day(order, completion.completed_at) if completion.completed_at else paid_on(order)
    snapshot = order.order_financial_snapshot
    ruling = ruling_on(desk, order, "SELLER_STATEMENT", on, snapshot)
    if ruling.outcome == "AUTOMATIC":
        totals = seller_statement_totals(snapshot)
        plan = plan_order_document(order, "SELLER_STATEMENT", COMPLETION, ruling, totals)
        draft_order_document(transaction, order_id, COMPLETION, plan)


def draft_for_payouts(transaction: Transaction, desk: Desk, order_id: str) -> None:
    """Drafts the statements of payouts that have none (S3 §4.3)."""
    state, order = _known(transaction, order_id)
    plans: list[tuple[Cause, PlannedDocument]] = []
    for payout_id, paid_out in state.payouts.items():
        cause, payout = Cause(type="PAYOUT", id=payout_id), paid_out.payout
        if cause.key in state.documents:
            continue
        on = issuers_day(order, payout.sent_at)
        ruling = ruling_on(desk, order, "PAYOUT_STATEMENT", on, order.order_financial_snapshot)
        if ruling.outcome == "AUTOMATIC":
            totals, currency = payout_statement_totals(payout), payout.currency_uom_id
            plan = plan_order_document(
                order, "PAYOUT_STATEMENT", cause, ruling, totals, currency_uom_id=currency
            )
            plans.append((cause, plan))
    transaction.expect(streams_of(plan for _, plan in plans))
    for cause, plan in plans:
        draft_order_document(transaction, order_id, cause, plan)


def draft_for_refund(transaction: Transaction, desk: Desk, order_id: str, cause_id: str) -> None:
    """Drafts the credit note of a refund or of a dispute's end, else its adjustment (S3 §4.4)."""
    state, _ = _known(transaction, order_id)
    refunded = state.refunds[cause_id]
    cause = Cause(type=refunded.type, id=cause_id)
    if cause.key in state.documents:
        return
    invoice = live_invoice(transaction, state)
    if invoice is None or not _credit(transaction, desk, order_id, cause, invoice):
        _adjust(transaction, desk, order_id, cause)


def credit_refunds(transaction: Transaction, desk: Desk, order_id: str) -> None:
    """Drafts credit notes for what was refunded before the order's invoice had its number.

    A void credit note took nothing back: another one follows it where the order is invoiced anew.
    """
    state, _ = _known(transaction, order_id)
    invoice = live_invoice(transaction, state)
    if invoice is None:
        return
    causes = [Cause(type=refunded.type, id=cause_id) for cause_id, refunded in state.refunds.items()]
    noted = (each for cause in causes for each in state.documents.get(cause.key, ()))
    transaction.expect(DOCUMENT.stream(each.document_id) for each in noted)
    newest = ((each, newest_document(transaction, state, "CREDIT_NOTE", each)) for each in causes)
    lacking = [each for each, note in newest if note is None or note[1].status == "VOIDED"]
    plans = (_planned_credit(transaction, desk, order_id, each, invoice) for each in lacking)
    transaction.expect(streams_of(plan for plan in plans if plan is not None))
    for cause in lacking:
        _credit(transaction, desk, order_id, cause, invoice)


def expect_refunds(transaction: Transaction, desk: Desk, order_id: str) -> None:
    """Has everything loaded at once that drafting the documents of refunds may read."""
    state, order = _known(transaction, order_id)
    streams: set[StreamId] = set()
    for cause_id, refunded in state.refunds.items():
        cause = Cause(type=refunded.type, id=cause_id)
        streams.update(DOCUMENT.stream(each.document_id) for each in state.documents.get(cause.key, ()))
        if cause.key not in state.documents:
            on = issuers_day(order, refunded.snapshot.captured_at)
            for doc_type in _CALLED_FOR_BY_REFUNDS:
                ruling = ruling_on(desk, order, doc_type, on, refunded.snapshot, fiscal_invoice_issued=True)
                plan = plan_order_document(order, doc_type, cause, ruling, buyer_totals(refunded.snapshot))
                streams |= plan.streams
    transaction.expect(streams)


def live_invoice(transaction: Transaction, state: Order) -> tuple[str, Document] | None:
    """The order's fiscal invoice with its id, if it has one that has a number and still counts."""
    found = newest_document(transaction, state, "FISCAL_INVOICE", PAYMENT)
    if found is None or found[1].numbered is None or found[1].status not in ("DRAFT", "ISSUED"):
        return None
    return found


def newest_document(
    transaction: Transaction, state: Order, doc_type: DocType, cause: Cause
) -> tuple[str, Document] | None:
    """The newest version of a cause's document of that type, with its id."""
    called = [each for each in state.documents.get(cause.key, ()) if each.doc_type == doc_type]
    if called:
        return called[-1].document_id, existing(transaction, called[-1].document_id)
    return _unnoted_receipt(transaction, state) if (doc_type, cause) == ("RECEIPT", PAYMENT) else None


def _unnoted_receipt(transaction: Transaction, state: Order) -> tuple[str, Document] | None:
    """The receipt of an order that was paid before its history noted the documents that it called for."""
    if state.order is None:
        return None
    order_id, platform = state.order.order_id, state.order.order_party_snapshot.platform
    receipt_id = document_id(document_key((order_id,), "RECEIPT", platform.party_id, 1))
    receipt = transaction.state(DOCUMENT, receipt_id)
    return None if receipt is None else (receipt_id, receipt)


def next_version(newest: tuple[str, Document] | None) -> int:
    """The version of what follows the newest one; 1 for the first."""
    return 1 if newest is None else newest[1].drafted.document_version + 1


def corrected_by(transaction: Transaction, document: Document) -> list[tuple[str, Document]]:
    """What corrects a document, or one that it replaces, and still counts, with its ids."""
    ids = [each.document_id for each in document.linked_documents if each.relation == "CORRECTED_BY"]
    replaced = document.drafted.replaces_document_id
    while replaced is not None:
        earlier = existing(transaction, replaced)
        ids += [each.document_id for each in earlier.linked_documents if each.relation == "CORRECTED_BY"]
        replaced = earlier.drafted.replaces_document_id
    transaction.expect(DOCUMENT.stream(each) for each in ids)
    notes = ((each, existing(transaction, each)) for each in ids)
    return [(each, note) for each, note in notes if note.status in ("DRAFT", "ISSUED")]


def credited_total(transaction: Transaction, invoice: Document) -> int:
    """What the credit notes of an invoice that still count come to, minor units."""
    notes = (note.drafted for _, note in corrected_by(transaction, invoice))
    return sum(note.totals.grand_total for note in notes if note.doc_type == "CREDIT_NOTE")


def _credit(
    transaction: Transaction, desk: Desk, order_id: str, cause: Cause, invoice: tuple[str, Document]
) -> bool:
    """Whether a credit note was drafted: as policy has it, and never for more than was invoiced."""
    plan = _planned_credit(transaction, desk, order_id, cause, invoice)
    document = existing(transaction, invoice[0])
    left = document.drafted.totals.grand_total - credited_total(transaction, document)
    if plan is None or plan.drafted.totals.grand_total > left:
        return False
    draft_order_document(transaction, order_id, cause, plan)
    return True


def _planned_credit(
    transaction: Transaction, desk: Desk, order_id: str, cause: Cause, invoice: tuple[str, Document]
) -> PlannedDocument | None:
    """The credit note of a refund, by who issued the invoice; None where policy wants none."""
    state, order = _known(transaction, order_id)
    assert cause.id is not None, "what is refunded has an id"
    snapshot = state.refunds[cause.id].snapshot
    on = issuers_day(order, snapshot.captured_at)
    ruling = ruling_on(desk, order, "CREDIT_NOTE", on, snapshot, fiscal_invoice_issued=True)
    if ruling.outcome != "AUTOMATIC":
        return None
    ruling = ruling.model_copy(update={"issuer_entity_id": invoice[1].drafted.issuer_entity_id})
    version = next_version(newest_document(transaction, state, "CREDIT_NOTE", cause))
    totals = buyer_totals(snapshot)
    return plan_order_document(order, "CREDIT_NOTE", cause, ruling, totals, version=version, corrects=invoice)


def _adjust(transaction: Transaction, desk: Desk, order_id: str, cause: Cause) -> None:
    state, order = _known(transaction, order_id)
    assert cause.id is not None, "what is refunded has an id"
    snapshot = state.refunds[cause.id].snapshot
    on = issuers_day(order, snapshot.captured_at)
    ruling = ruling_on(desk, order, "ADJUSTMENT_STATEMENT", on, snapshot)
    receipt = newest_document(transaction, state, "RECEIPT", PAYMENT)
    if ruling.outcome == "AUTOMATIC":
        numbered = receipt if receipt and receipt[1].numbered else None
        totals = buyer_totals(snapshot)
        plan = plan_order_document(order, "ADJUSTMENT_STATEMENT", cause, ruling, totals, corrects=numbered)
        draft_order_document(transaction, order_id, cause, plan)


def _known(transaction: Transaction, order_id: str) -> tuple[Order, OrderData]:
    state = transaction.state(ORDER, order_id)
    if state is None or state.order is None:
        raise DomainError("NOT_FOUND", "The order is not known here.")
    return state, state.order
