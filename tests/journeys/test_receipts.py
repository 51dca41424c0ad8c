"""A customer pays at a counter: the receipt is printed, sent, comes back, is copied, voided, adjusted."""

import email
import email.policy
import hashlib
from typing import Any
from uuid import uuid4

import pytest

from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, FINANCE, MANAGER
from tests.support.house import House, all_items, cloud_event, eventually
from tests.support.problems import problem
from tests.support.receipt_desk import ReceiptDesk

pytestmark = pytest.mark.slow

LOST = {"channel": "PRINT", "reasonCode": "LOST"}


@pytest.fixture
def desk(house: House) -> Any:
    with ReceiptDesk(house) as desk:
        yield desk


def mails_to(house: House, address: str) -> list[Any]:
    """The e-mails that lie in the outbox for an address."""
    found = (
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((house.data_dir / "mail").rglob("*.eml"))
    )
    return [message for message in found if address in str(message["To"])]


def told_of(desk: ReceiptDesk) -> set[str]:
    """The documents that readers are told of in the app."""
    desk.head()
    notifications = all_items(desk.client(AUDITOR), "/v1/notifications")
    return {each["documentId"] for each in notifications if each["type"] == "RECEIPT_READY"}


@decision("BILL-DEC-012", "a receipt shows whether all is paid, and what is still due")
def test_a_till_prints_what_was_paid_and_what_is_still_due(desk: ReceiptDesk) -> None:
    invoice = desk.own_policy(desk.issued())
    payment = desk.paid(invoice, amount=5_000, deliver="PRINT")
    receipt_id = payment["receiptId"]
    detail = desk.receipt(receipt_id)
    assert (detail["deliveryStatus"], detail["paymentType"]) == ("PENDING", "PARTIAL_PAYMENT")
    assert detail["remainingBalance"] == invoice["balanceDue"] - 5_000
    answer = desk.post(f"/receipts/{receipt_id}/deliver", {"channel": "PRINT"}, ADVISOR)
    assert answer.status_code == 200, answer.text
    printed = answer.json()
    assert printed["contentType"] == "text/plain; charset=us-ascii"
    lines = printed["content"].split("\n")
    assert all(len(line) <= 48 for line in lines)
    assert any(detail["number"] in line for line in lines)
    assert any(line.endswith("50,00 EUR") for line in lines)
    refused = desk.post(f"/receipts/{receipt_id}/deliver", {"channel": "PRINT"}, ADVISOR)
    assert problem(refused, 409, "REPRINT_NOT_ALLOWED")["reasonCode"] == "ALREADY_PRINTED"
    copied = desk.reprint(receipt_id, LOST).json()
    assert copied["copyNumber"] == 1
    assert "COPIA 1" in copied["content"]
    assert printed["content"] in copied["content"], "what was sealed stands unchanged"
    left = desk.receipt(receipt_id)["reprintPolicy"]
    assert left["remainingReprints"] == 2


def test_a_repeated_key_prints_the_same_again(desk: ReceiptDesk) -> None:
    receipt_id = desk.paid()["receiptId"]
    first, again = (desk.deliver(receipt_id, "PRINT", key=receipt_id) for _ in range(2))
    assert first.json()["content"] == again.json()["content"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_takes_effect_outside_needs_a_key(desk: ReceiptDesk) -> None:
    receipt_id = desk.paid()["receiptId"]
    for path, body in (("deliver", {"channel": "EMAIL"}), ("reprint", LOST)):
        answer = desk.post(f"/receipts/{receipt_id}/{path}", body, MANAGER)
        problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED")


@decision("BILL-DEC-011", "an e-mail brings the sealed PDF, comes back, and is sent again")
def test_an_email_brings_the_sealed_pdf_and_may_come_back(house: House, desk: ReceiptDesk) -> None:
    address = f"{uuid4().hex}@example.org"
    account = desk.account(billingContact={"email": address})
    payment = desk.paid(desk.issued(account), deliver="EMAIL")
    detail = desk.delivered(payment["receiptId"], "SENT")
    (mail,) = [each for each in mails_to(house, address) if detail["number"] in str(each["Subject"])]
    (attached,) = mail.iter_attachments()
    document = desk.document(detail["documentId"])
    assert attached.get_filename() == f"{detail['number']}.pdf"
    assert sha256(attached.get_content()) == document["seal"]["sha256Pdf"]
    (delivery,) = detail["deliveries"]
    assert delivery["deliveryId"] in str(mail["Message-ID"])
    again = desk.deliver(payment["receiptId"], "EMAIL")
    assert problem(again, 409, "REPRINT_NOT_ALLOWED")["reasonCode"] == "ALREADY_SENT"
    bounced = {"deliveryId": delivery["deliveryId"], "reason": f"550 {address} unknown"}
    desk.told(cloud_event("notifications.EMAIL_BOUNCED", bounced, str(uuid4())))
    detail = desk.receipt(payment["receiptId"])
    assert detail["deliveryStatus"] == "BOUNCED"
    assert "RETRY_DELIVERY" in detail["allowedActions"]
    assert detail["deliveries"][0]["reason"] == "550 [address] unknown"
    with house.client(AUDITOR) as auditor:
        house.catch_up()
        tasks = auditor.get("/v1/tasks", params={"limit": 200}).json()["items"]
    (task,) = [each for each in tasks if each["targetId"] == payment["receiptId"]]
    assert (task["type"], task["targetType"]) == ("DELIVERY_BOUNCED", "receipt")
    corrected = f"{uuid4().hex}@example.org"
    desk.told(
        cloud_event("crm.ACCOUNT_UPDATED", {**account, "billingContact": {"email": corrected}}, str(uuid4()))
    )
    assert desk.deliver(payment["receiptId"], "EMAIL").status_code == 200
    desk.delivered(payment["receiptId"], "SENT")
    assert mails_to(house, corrected)


def test_an_emailed_copy_says_so_and_has_the_same_bytes(house: House, desk: ReceiptDesk) -> None:
    address = f"{uuid4().hex}@example.org"
    invoice = desk.issued(desk.account(billingContact={"email": address}))
    payment = desk.paid(desk.own_policy(invoice))
    desk.document(desk.receipt(payment["receiptId"])["documentId"])
    assert desk.deliver(payment["receiptId"], "PRINT").status_code == 200
    answer = desk.reprint(payment["receiptId"], {"channel": "EMAIL", "reasonCode": "DAMAGED"})
    assert answer.json()["deliveryStatus"] == "PENDING", answer.text
    detail = desk.delivered(payment["receiptId"], "SENT")
    (mail,) = [each for each in mails_to(house, address) if "copia 1" in str(each["Subject"])]
    (attached,) = mail.iter_attachments()
    sealed = desk.document(detail["documentId"])["seal"]["sha256Pdf"]
    assert sha256(attached.get_content()) == sealed


@decision("BILL-DEC-011", "No Receipt suppresses the delivery, never the receipt")
def test_nobody_wants_a_receipt_and_then_somebody_does(desk: ReceiptDesk) -> None:
    payment = desk.paid(noReceipt=True)
    detail = desk.receipt(payment["receiptId"])
    assert (detail["deliverySuppressed"], detail["deliveryStatus"]) == (True, None)
    desk.document(detail["documentId"])
    assert desk.receipt(payment["receiptId"])["deliveries"] == []
    wanted = desk.receipt(desk.paid()["receiptId"])
    desk.document(wanted["documentId"])
    told = told_of(desk)
    assert wanted["documentId"] in told and detail["documentId"] not in told
    assert desk.deliver(payment["receiptId"], "PRINT").status_code == 200
    assert desk.receipt(payment["receiptId"])["deliverySuppressed"] is True


def test_receipts_are_listed_by_invoice_and_seen_as_of_then(desk: ReceiptDesk) -> None:
    invoice = desk.issued()
    first = desk.paid(invoice, amount=1_000)["receiptId"]
    before = desk.head()
    second = desk.paid(invoice, amount=2_000)["receiptId"]
    desk.deliver(first, "PRINT")
    items = desk.get(f"/receipts/by-invoice/{invoice['invoiceId']}", MANAGER).json()["items"]
    assert [item["receiptId"] for item in items] == [first, second]
    assert desk.receipt(first)["deliveryStatus"] == "SENT"
    assert desk.receipt(first, asOfPosition=before)["deliveryStatus"] is None
    problem(desk.get(f"/receipts/{second}", MANAGER, asOfPosition=before), 404, "NOT_FOUND")


def test_who_is_bound_to_other_accounts_sees_no_receipt(house: House, desk: ReceiptDesk) -> None:
    payment = desk.paid()
    invoice_id = desk.receipt(payment["receiptId"])["invoiceId"]
    house.catch_up()
    with house.client(MANAGER, account_ids=[str(uuid4())]) as stranger:
        for path in (payment["receiptId"], f"by-invoice/{invoice_id}"):
            problem(stranger.get(f"/v1/billing/receipts/{path}"), 404, "NOT_FOUND")
        path = f"/v1/billing/receipts/{payment['receiptId']}/deliver"
        problem(stranger.post(path, json={"channel": "PRINT"}), 404, "NOT_FOUND")


@decision("BILL-DEC-011", "policy asks for a reason and an approval of one's own")
def test_policy_of_an_account_asks_for_approval(desk: ReceiptDesk) -> None:
    invoice = desk.issued()
    receipt_id = desk.paid(invoice)["receiptId"]
    terms = {
        "maxReprints": 1,
        "windowHours": 24,
        "requiresReasonCode": True,
        "requiresElevation": True,
    }
    set_to = desk.put(f"/policies/reprint/{invoice['customerAccountId']}", terms, FINANCE)
    assert set_to.status_code in {200, 201}, set_to.text
    problem(desk.reprint(receipt_id, {"channel": "PRINT"}), 422, "REASON_CODE_REQUIRED")
    missing = problem(desk.reprint(receipt_id, LOST), 403, "ELEVATION_INVALID")
    assert missing["reasonCode"] == "MISSING"
    other = desk.approval("REPRINT", str(uuid4()))
    problem(desk.reprint(receipt_id, {**LOST, "elevationToken": other}), 403, "ELEVATION_INVALID")
    token = desk.approval("REPRINT", receipt_id)
    assert desk.reprint(receipt_id, {**LOST, "elevationToken": token}).status_code == 200
    exhausted = problem(desk.reprint(receipt_id, LOST), 409, "REPRINT_NOT_ALLOWED")
    assert exhausted["reasonCode"] == "REPRINTS_EXHAUSTED"


def test_a_voided_payment_takes_its_receipt_along(desk: ReceiptDesk) -> None:
    payment = desk.paid()
    detail = desk.receipt(payment["receiptId"])
    desk.document(detail["documentId"])
    desk.take_back(payment, "void", reasonCode="ERROR")

    def voided() -> dict[str, Any] | None:
        now = desk.receipt(payment["receiptId"])
        return now if now["status"] == "VOIDED" else None

    now = eventually(voided)
    assert (now["documentStatus"], now["allowedActions"]) == ("VOIDED", [])
    refused = problem(desk.deliver(payment["receiptId"], "PRINT"), 409, "REPRINT_NOT_ALLOWED")
    assert refused["reasonCode"] == "RECEIPT_VOIDED"


def test_a_refund_has_a_document_that_verifies(house: House, desk: ReceiptDesk) -> None:
    payment = desk.paid()
    desk.take_back(payment, "refund", amount=1_000, reasonCode="CUSTOMER_REQUEST")

    def adjusted() -> Any:
        return desk.receipt(payment["receiptId"])["adjustments"]

    (adjustment,) = eventually(adjusted)
    document = desk.document(adjustment["documentId"])
    assert (document["docType"], document["totals"]["grandTotal"]) == ("ADJUSTMENT_STATEMENT", 1_000)
    with house.client(AUDITOR) as auditor:
        for document_id in (adjustment["documentId"], desk.receipt(payment["receiptId"])["documentId"]):
            checked = auditor.get(f"/v1/documents/{document_id}/verify").json()
            assert checked["valid"], checked
        found = auditor.get("/v1/documents", params={"q": document["number"], "limit": 200}).json()["items"]
    assert adjustment["documentId"] in [each["documentId"] for each in found]


def test_no_hand_corrects_what_shows_a_payment(desk: ReceiptDesk) -> None:
    document_id = desk.receipt(desk.paid()["receiptId"])["documentId"]
    document = desk.document(document_id)
    assert not {"VOID", "REPLACE", "CREDIT_NOTE"} & set(document["allowedActions"])
    for verb in ("void", "replace", "credit-note"):
        client = desk.client("SUPER_ADMIN")
        answer = client.post(f"/v1/documents/{document_id}/{verb}", json={"reasonCode": "ERROR"})
        problem(answer, 409, "DOCUMENT_NOT_CORRECTABLE")


def sha256(content: bytes) -> str:
    """Hex."""
    return hashlib.sha256(content).hexdigest()
