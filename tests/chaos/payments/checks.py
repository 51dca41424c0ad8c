"""What must hold once nothing is under way any more; each check tells findings."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

from tests.chaos.payments.asked import Asked, Kind, Record
from tests.chaos.payments.ledger_side import LedgerSide, Payment
from tests.support.house import House, all_items

Totals = dict[str, Any]
"""What `GET /simulated/totals` answers."""

_OF_PAYMENTS = ("RECEIPT", "ADJUSTMENT_STATEMENT")
_NOTHING = {"count": 0, "amount": 0}


def shown_invoices(auditor: httpx.Client, ledger: LedgerSide) -> dict[str, Any]:
    """Every issued invoice as it is shown, by its id."""
    return {
        invoice_id: auditor.get(f"/v1/billing/invoices/{invoice_id}").json() for invoice_id in ledger.invoices
    }


def findings(
    auditor: httpx.Client,
    house: House,
    ledger: LedgerSide,
    invoices: dict[str, Any],
    totals: Totals,
    record: Record,
) -> list[str]:
    """Everything that is not as it must be."""
    documents = {row["documentId"]: row for row in all_items(auditor, "/v1/documents")}
    return [
        *record.unexpected,
        *_gateways_agree(ledger, totals),
        *_invoices_agree(invoices, ledger),
        *_receipts_agree(auditor, ledger, documents),
        *_told_once(house, ledger),
        *_repeats_agree(record),
        *_answers_agree(ledger, record),
    ]


def sums(ledger: LedgerSide, totals: Totals) -> dict[str, Any]:
    """What was moved in all, as either side has it: how often, and how much in minor units."""
    customers, vendors = ledger.payments.values(), ledger.vendor_payments.values()
    refunds = [amount for payment in customers for amount in payment.refunds.values()]
    ours = {
        "stripe": {
            "captured": _sum([payment.amount for payment in customers if payment.moved]),
            "voided": _sum([payment.amount for payment in customers if payment.moved and payment.voided]),
            "refunded": _sum(refunds),
        },
        "bank": {"captured": _sum([payment.amount for payment in vendors if payment.moved])},
    }
    theirs = {
        gateway: {kind: totals["gateways"][gateway].get("EUR", {}).get(kind, _NOTHING) for kind in kinds}
        for gateway, kinds in ours.items()
    }
    return {"ledger": ours, "simulator": theirs}


def _sum(amounts: list[int]) -> dict[str, int]:
    return {"count": len(amounts), "amount": sum(amounts)}


def _gateways_agree(ledger: LedgerSide, totals: Totals) -> Iterator[str]:
    """Of each payment the gateway has moved what the ledger says, once, and of no other anything."""
    both = {**ledger.payments, **ledger.vendor_payments}
    for identity in totals["payments"].keys() - both.keys():
        yield f"the gateway moved money of {identity}, of which the ledger has nothing"
    for identity, payment in both.items():
        moved = totals["payments"].get(identity, {})
        expected = {
            "captured": _sum([payment.amount] * payment.moved),
            "voided": _sum([payment.amount] * (payment.moved and payment.voided)),
            "refunded": _sum(list(payment.refunds.values())),
        }
        for kind, wanted in expected.items():
            if (found := moved.get(kind, _NOTHING)) != wanted:
                yield f"{identity}: the gateway {kind} {found}, the ledger says {wanted}"
        if payment.failed and payment.moved:
            yield f"{identity} failed, and its money has moved"
    if sums(ledger, totals)["ledger"] != sums(ledger, totals)["simulator"]:
        yield "the gateways' totals are not the ledger's"


def _invoices_agree(invoices: dict[str, Any], ledger: LedgerSide) -> Iterator[str]:
    """What is due is what was billed less what stands, and never less than nothing."""
    standing: Counter[str] = Counter()
    for identity, payment in ledger.payments.items():
        assert payment.invoice_id is not None, "a customer pays an invoice"
        standing[payment.invoice_id] += payment.standing
        applied = ledger.invoices[payment.invoice_id].applied.get(identity, 0)
        if applied != payment.standing:
            yield f"{applied} of {identity} stands against its invoice instead of {payment.standing}"
    for invoice_id, book in ledger.invoices.items():
        if book.reserved:
            yield f"{invoice_id} is still reserved for {sorted(book.reserved)}"
        shown = invoices[invoice_id]
        due, billed = shown["balanceDue"], shown["grandTotal"] - shown["creditedTotal"]
        if due != billed - standing[invoice_id] or due < 0:
            yield f"{invoice_id}: {due} is due of {billed}, of which {standing[invoice_id]} is paid"
        if (shown["status"] == "PAID") != (due == 0):
            yield f"{invoice_id} is {shown['status']}, and {due} is due"


def _receipts_agree(
    auditor: httpx.Client, ledger: LedgerSide, documents: dict[str, dict[str, Any]]
) -> Iterator[str]:
    """One receipt a capture and one statement a refund, each with a document of its own, none without."""
    moved = {identity: payment for identity, payment in ledger.payments.items() if payment.moved}
    by_payment = {identity: payment.receipt_id for identity, payment in moved.items()}
    if {owner: receipt_id for receipt_id, (owner, _) in ledger.receipts.items()} != by_payment:
        yield "receipts and captured payments are not one to one"
    if len(ledger.receipts) != len(moved):
        yield f"{len(moved)} captured payments have {len(ledger.receipts)} receipts"
    wanted = {
        document_id: ("RECEIPT", moved[owner].voided) for owner, document_id in ledger.receipts.values()
    }
    statements = [each for payment in moved.values() for each in payment.refund_documents]
    wanted |= dict.fromkeys(statements, ("ADJUSTMENT_STATEMENT", False))
    if len(wanted) != len(ledger.receipts) + len(statements):
        yield "a document shows two things"
    found = {
        document_id: (row["docType"], row["status"] == "VOIDED")
        for document_id, row in documents.items()
        if row["docType"] in _OF_PAYMENTS
    }
    for document_id in found.keys() | wanted.keys():
        if found.get(document_id) != wanted.get(document_id):
            yield f"{document_id} is {found.get(document_id)} instead of {wanted.get(document_id)}"
    yield from _numbers_agree(auditor, documents)


def _numbers_agree(auditor: httpx.Client, documents: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each series of what payments lead to counts from 1 without a gap, a document each."""
    drawn = {row["seriesId"] for row in documents.values() if row["docType"] in _OF_PAYMENTS}
    for series_id in sorted(drawn):
        held = all_items(auditor, f"/v1/number-series/{series_id}/numbers")
        if [row["sequence"] for row in held] != list(range(1, len(held) + 1)):
            yield f"{series_id} does not count from 1 without a gap"
        holders = sorted(row["documentId"] for row in held)
        if holders != sorted(name for name, row in documents.items() if row["seriesId"] == series_id):
            yield f"numbers of {series_id} and documents are not one to one"


def _told_once(house: House, ledger: LedgerSide) -> Iterator[str]:
    """Subscribers are told of each capture, and of each vendor's payment, exactly once."""
    moved = {
        "billing.PaymentCaptured": ledger.payments,
        "billing.ApPaymentSucceeded": ledger.vendor_payments,
    }
    query = "SELECT stream_id FROM ledger.outbox JOIN ledger.event USING (position) WHERE outbox.type = %s"
    with house.database() as connection:
        for fact_type, payments in moved.items():
            announced = Counter(stream_id for (stream_id,) in connection.execute(query, (fact_type,)))
            if announced != Counter(identity for identity, payment in payments.items() if payment.moved):
                yield f"{fact_type} was not announced once for each"


def _repeats_agree(record: Record) -> Iterator[str]:
    """Whoever repeats a key is told the same, byte for byte; a vendor's reference names the same payment."""
    for asked in record.asked:
        kept = [told for told in asked.told if told.is_kept]
        if asked.kind == "pay-vendor":
            ways = {told.body["billingPaymentId"] for told in kept}
        else:
            ways = {(told.status, told.content) for told in kept}
        if len(ways) > 1:
            yield f"{asked.key} was answered in {len(ways)} ways: {sorted(ways)}"


def _answers_agree(ledger: LedgerSide, record: Record) -> Iterator[str]:
    """What a client was told last is what the ledger says, and under no key anything was done twice."""
    begun: dict[str, dict[str, Payment]] = {}
    for payments in (ledger.payments, ledger.vendor_payments):
        for identity, payment in payments.items():
            begun.setdefault(payment.trace_id, {})[identity] = payment
    made = Counter(
        payment.refund_traces[identity]
        for payment in ledger.payments.values()
        for identity in payment.refunds
    )
    for asked in record.asked:
        if asked.kind == "refund":
            if made[asked.trace_id] > 1:
                yield f"{asked.key} gave money back {made[asked.trace_id]} times"
            yield from _taken_back_agrees(asked, is_done=made[asked.trace_id] > 0)
        elif asked.kind == "void":
            voided = ledger.payments[asked.billing_payment_id or ""].voided
            yield from _taken_back_agrees(asked, is_done=voided)
        else:
            yield from _payment_agrees(asked, begun.get(asked.trace_id, {}))


def _payment_agrees(asked: Asked, begun: dict[str, Payment]) -> Iterator[str]:
    moved = [identity for identity, payment in begun.items() if payment.moved]
    if len(moved) > 1:
        yield f"{asked.key} moved money {len(moved)} times: {moved}"
    told = asked.kept
    if told is None:
        return
    if told.status == 402:
        if moved:
            yield f"{asked.key} was told 402, and {moved} has moved"
        return
    identity = told.body["billingPaymentId"]
    if identity not in begun:
        yield f"{asked.key} was told of {identity}, of which the ledger has nothing"
    elif asked.kind == "pay" and told.status == 201 and not moved:
        yield f"{asked.key} was told 201, and nothing has moved"
    elif moved and moved != [identity]:
        yield f"{asked.key} was told of {identity}, and {moved} has moved"
    if asked.kind == "pay" and any(payment.amount != asked.body["amount"] for payment in begun.values()):
        yield f"{asked.key} was for {asked.body['amount']}"


def _taken_back_agrees(asked: Asked, *, is_done: bool) -> Iterator[str]:
    told = asked.kept
    if told is not None and told.status == 200 and not is_done:
        yield f"{asked.key} was told 200, and nothing was taken back"


def by_kind(record: Record) -> dict[Kind, int]:
    """How much was asked for."""
    return dict(Counter(asked.kind for asked in record.asked).most_common())
