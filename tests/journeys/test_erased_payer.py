"""Who paid asks to be forgotten after the receipt was sealed: names go, what was paid stays provable."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.decisions import rule
from tests.support.erasing import billing, erase, is_nowhere, is_told, law_lets_go
from tests.support.garage import AUDITOR, MANAGER
from tests.support.house import House, eventually
from tests.support.problems import problem
from tests.support.receipt_desk import ReceiptDesk

pytestmark = pytest.mark.slow

NAME, EMAIL, STREET = "Philippa Thistlewood-Oyelaran", "philippa.thistlewood@example.org", "3 Caulker Yard"
ERASED_CHECKS = {"pdf-hash", "json-hash", "pdf-re-render", "json-from-ledger"}


def _stream(desk: ReceiptDesk, stream_type: str, stream_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = desk.client(AUDITOR).get(f"/v1/audit/streams/{stream_type}/{stream_id}").json()
    return shown


def _verified(desk: ReceiptDesk, document_id: str) -> set[str]:
    """The checks of a document that is valid which say that its content is erased."""
    verification = desk.client(AUDITOR).get(f"/v1/documents/{document_id}/verify").json()
    assert verification["valid"], verification
    return {check["name"] for check in verification["checks"] if "ERASED" in check["detail"]}


@rule("PII-17")
def test_who_paid_is_forgotten_and_what_was_paid_stays(house: House) -> None:
    with ReceiptDesk(house) as desk:
        account = desk.account(
            displayName=NAME,
            billingContact={"email": EMAIL},
            billingAddress={"line1": STREET, "city": "Cádiz", "countryCode": "ES"},
        )
        invoice = desk.issued(account)
        payment = desk.paid(invoice, amount=5_000, deliver="EMAIL")
        receipt_id, key = payment["receiptId"], str(uuid4())
        desk.take_back(payment, "refund", amount=1_000, reasonCode="CUSTOMER_REQUEST")
        desk.delivered(receipt_id, "SENT")
        assert NAME in desk.deliver(receipt_id, "PRINT", key=key).json()["content"]
        receipt = desk.receipt(receipt_id)
        document_ids = [receipt["documentId"], receipt["adjustments"][0]["documentId"]]
        documents = [desk.document(document_id) for document_id in document_ids]
        assert all(_verified(desk, document_id) == set() for document_id in document_ids)
        house.catch_up()
        before, moved = (
            _stream(desk, "receipt", receipt_id),
            _stream(desk, "payment", payment["billingPaymentId"]),
        )
        assert NAME in json.dumps(before)

        subject = f"party:{account['partyId']}"
        keys = {each["retentionClass"]: each for each in erase(house, subject)}
        assert (bool(keys["CONTACT"]["erasedAt"]), bool(keys["FISCAL"]["erasedAt"])) == (True, False)
        until = max(each["retention"]["until"] for each in documents)
        assert keys["FISCAL"]["eraseAfter"][:10] >= until, "what shows a payment is kept as the law wants"
        eventually(lambda: is_told(house, subject, "CONTACT"))
        house.catch_up()
        is_nowhere(house, EMAIL)
        assert NAME in json.dumps(_stream(desk, "receipt", receipt_id))
        assert all(_verified(desk, document_id) == set() for document_id in document_ids)

        law_lets_go(house, subject)
        is_nowhere(house, NAME, EMAIL, STREET)
        last = _stream(desk, "receipt", receipt_id)
        assert last["state"]["generated"]["paidBy"]["name"] == "[erased]"
        paid_by = {"paidBy": before["state"]["generated"]["paidBy"]}
        assert {**last["state"]["generated"], **paid_by} == before["state"]["generated"], "amounts stay"
        hashes = [[event["leafHash"] for event in each["events"]] for each in (before, last)]
        assert hashes[1][: len(hashes[0])] == hashes[0]
        assert _stream(desk, "payment", payment["billingPaymentId"]) == moved
        left = {name: receipt[name] for name in ("amount", "remainingBalance", "number", "adjustments")}
        assert left.items() <= desk.receipt(receipt_id).items()
        assert desk.detail(invoice)["balanceDue"] == invoice["balanceDue"] - 4_000
        for document_id, document in zip(document_ids, documents, strict=True):
            assert _verified(desk, document_id) == ERASED_CHECKS
            shown = desk.document(document_id)
            assert (shown["totals"], shown["number"], shown["seal"]) == (
                *(document["totals"], document["number"]),
                document["seal"],
            )
        repeated = desk.deliver(receipt_id, "PRINT", key=key)
        assert repeated.status_code == 200 and NAME not in repeated.text
        again = desk.deliver(receipt_id, "EMAIL")
        assert problem(again, 409, "REPRINT_NOT_ALLOWED")["reasonCode"] == "ALREADY_SENT"
        copied = desk.reprint(receipt_id, {"channel": "EMAIL", "reasonCode": "LOST"})
        problem(copied, 422, "RECIPIENT_MISSING")
        desk.take_back(payment, "refund", amount=500, reasonCode="CUSTOMER_REQUEST")
        after = eventually(lambda: desk.receipt(receipt_id, MANAGER)["adjustments"][1:])
        assert desk.document(after[0]["documentId"])["totals"]["grandTotal"] == 500
        house.catch_up()
        is_nowhere(house, NAME, EMAIL, STREET)
    rebuilt = billing(house, "rebuild", "--diff", "--json")
    assert rebuilt.returncode == 0, rebuilt.stdout
    assert billing(house, "verify", "ledger").returncode == 0
