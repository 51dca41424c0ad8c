"""Receipts within the transactions of their payments (BILL-DEC-011, BILL-DEC-012)."""

import json

import pytest

from application.content import document_content
from domain.documents.delivery import first_delivery_id
from tests.support.decisions import decision
from tests.support.invoicing_facts import INVOICE_ID, ISSUER, PRICE_OF_ALL, WORK_ORDER_ID
from tests.support.receipt_facts import ADJUSTMENT_ID, PAYMENT_ID, RECEIPT_DOCUMENT_ID, RECEIPT_ID, REFUND_ID
from tests.support.till import Till


def content_of(till: Till, document_id: str) -> dict[str, object]:
    """A document's canonical JSON."""
    content = document_content(document_id, till.document(document_id), till.receipt(), {})
    decoded: dict[str, object] = json.loads(content)
    return decoded


@decision("BILL-DEC-011", "a receipt is generated with the capture, in its own transaction")
async def test_a_captured_payment_has_a_receipt_with_a_number_of_its_own() -> None:
    till = await Till().open()
    await till.pay()
    receipt, document = till.receipt(), till.document(RECEIPT_DOCUMENT_ID)
    assert receipt.generated.billing_payment_id == PAYMENT_ID
    assert document.numbered is not None and document.numbered.number.startswith("R-")
    assert (document.drafted.source_ref.type, document.drafted.source_ref.id) == ("WORK_ORDER", WORK_ORDER_ID)
    assert document.drafted.delivery_method == "PORTAL"
    assert receipt.delivery_status is None


@decision("BILL-DEC-012", "a receipt shows whether all is paid, and what is still due")
async def test_receipts_of_partial_payments_show_what_is_still_due() -> None:
    till = await Till().open()
    await till.pay(10_000)
    content = content_of(till, RECEIPT_DOCUMENT_ID)
    assert content["paymentType"] == "PARTIAL_PAYMENT"
    assert (content["amount"], content["remainingBalance"]) == (10_000, PRICE_OF_ALL - 10_000)
    assert (content["invoiceId"], content["invoiceNumber"]) == (INVOICE_ID, "F-2026-000001")
    assert (content["issuer"], content["billTo"]) == (
        {"legalName": ISSUER},
        {"legalName": "Talleres Ñandú S.A."},
    )
    assert "stripe" not in json.dumps(content), "nothing says what the money was taken from"


@decision("BILL-DEC-011", "No Receipt suppresses the delivery, never the receipt")
async def test_without_a_receipt_wanted_it_is_made_and_sent_nowhere() -> None:
    till = await Till().open()
    await till.pay(no_receipt=True, deliver="EMAIL")
    receipt = till.receipt()
    assert receipt.generated.delivery_suppressed
    assert receipt.delivery_status is None
    assert "receipt.delivery-requested" not in till.names()


async def test_who_wants_it_by_email_has_it_sent_once_it_is_sealed() -> None:
    till = await Till().open()
    await till.pay(deliver="EMAIL")
    assert till.receipt().delivery_status == "PENDING"
    assert list(till.receipt().emails) == [first_delivery_id(RECEIPT_DOCUMENT_ID)]


async def test_who_wants_it_printed_has_it_wait_for_the_till() -> None:
    till = await Till().open()
    await till.pay(deliver="PRINT")
    assert till.receipt().delivery_status == "PENDING"
    assert not till.receipt().emails


@pytest.mark.parametrize(("reason", "told"), [("ERROR", "ERROR"), (None, "PAYMENT_VOIDED")])
async def test_a_voided_payment_takes_its_receipt_along(reason: str | None, told: str) -> None:
    till = await Till().open()
    await till.pay(deliver="EMAIL")
    await till.void(reason)
    receipt, document = till.receipt(), till.document(RECEIPT_DOCUMENT_ID)
    assert receipt.voided is not None and receipt.voided.reason_code == told
    assert document.status == "VOIDED"
    assert receipt.delivery_status == "FAILED", "what had not gone out is withdrawn"
    assert [each.fact_type for each in till.ledger.announcements] == ["docs.DocumentVoided"]


async def test_a_void_that_comes_twice_changes_nothing() -> None:
    till = await Till().open()
    await till.pay()
    await till.void()
    before = till.names()
    await till.void()
    assert till.names() == before


async def test_a_refund_has_a_document_that_corrects_the_receipts() -> None:
    till = await Till().open()
    await till.pay()
    document_id = await till.give_back(4_000)
    assert document_id == ADJUSTMENT_ID
    drafted = till.document(document_id).drafted
    receipt = till.document(RECEIPT_DOCUMENT_ID)
    assert drafted.doc_type == "ADJUSTMENT_STATEMENT"
    assert [(each.document_id, each.relation) for each in drafted.linked_documents] == [
        (RECEIPT_DOCUMENT_ID, "CORRECTS")
    ]
    assert [(each.document_id, each.relation) for each in receipt.linked_documents] == [
        (document_id, "CORRECTED_BY")
    ]
    content = content_of(till, document_id)
    assert (content["amount"], content["leftOfPayment"]) == (4_000, PRICE_OF_ALL - 4_000)
    assert (content["reasonCode"], content["refundId"]) == ("CUSTOMER_REQUEST", REFUND_ID)
    assert receipt.numbered is not None
    assert content["corrects"] == {
        "docType": "RECEIPT",
        "number": receipt.numbered.number,
        "issueDate": receipt.numbered.issue_date.isoformat(),
    }
    assert till.receipt(RECEIPT_ID).adjustments[0].document_id == document_id


async def test_every_refund_of_a_payment_has_its_own_document() -> None:
    till = await Till().open()
    await till.pay()
    await till.give_back(4_000)
    second = await till.give_back(1_000, "7a3e8c40-0000-7000-8000-0000000000f2")
    assert content_of(till, second)["leftOfPayment"] == PRICE_OF_ALL - 5_000
