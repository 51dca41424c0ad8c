"""S3 §4.4, §5.2: what was issued is voided, replaced or credited, never changed, and with a second person."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.garage import Garage
from tests.support.house import House
from tests.support.problems import problem
from tests.support.shop import Shop

pytestmark = pytest.mark.slow

WHOLE = 7680


@pytest.fixture(scope="module")
def garage(house: House) -> Iterator[Garage]:
    """A garage in the same house."""
    with Garage(house) as garage:
        yield garage


def _made(answer: httpx.Response, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _total(garage: Garage, invoice: dict[str, Any]) -> int:
    total: int = garage.document(invoice["documents"][0]["documentId"])["totals"]["grandTotal"]
    return total


def test_a_void_invoice_is_issued_again_under_the_next_version(shop: Shop) -> None:
    order = shop.paid()
    first = shop.invoice(order)
    assert _made(shop.correct(first["documentId"], "void"), 200)["status"] == "VOIDED"
    assert _made(shop.correct(first["documentId"], "void", elevationToken=None), 200)["status"] == "VOIDED"
    second = _made(shop.issue(order))
    assert second["documentKey"] == f"{order['orderId']}:FISCAL_INVOICE:platform-gb:2"
    assert second["number"] != first["number"]
    old = shop.detail(first["documentId"])
    assert (old["number"], old["allowedActions"]) == (first["number"], ["DOWNLOAD", "VERIFY"])
    valid = shop.client("AUDITOR").get(f"/v1/documents/{first['documentId']}/verify").json()["valid"]
    assert valid, "a void document is kept as it was issued"
    kinds = [each["eventType"] for each in shop.timeline(first["documentId"])]
    assert kinds.count("ISSUED") == kinds.count("VOIDED") == 1


def test_replacements_follow_one_another_and_name_each_other(shop: Shop) -> None:
    order = shop.paid()
    first = shop.invoice(order)["documentId"]
    second = _made(shop.correct(first, "replace"))["documentId"]
    assert _made(shop.correct(first, "replace"), 200)["documentId"] == second, "it is replaced once"
    shop.issued(second)
    third = _made(shop.correct(second, "replace"))
    assert third["documentVersion"] == 3
    shown = [shop.detail(each) for each in (first, second, shop.issued(third["documentId"])["documentId"])]
    assert [each["status"] for each in shown] == ["REPLACED", "REPLACED", "ISSUED"]
    assert [each["replacesDocumentId"] for each in shown] == [None, first, second]
    assert [each["replacedByDocumentId"] for each in shown] == [second, third["documentId"], None]
    for what in ("void", "credit-note"):
        problem(shop.correct(first, what), 409, "DOCUMENT_NOT_CORRECTABLE")
    assert _made(shop.issue(order), 200)["documentId"] == third["documentId"]


def test_a_whole_credit_note_is_made_once(shop: Shop) -> None:
    order = shop.paid()
    invoice = shop.invoice(order)["documentId"]
    note = _made(shop.correct(invoice, "credit-note", reasonCode="CUSTOMER_REQUEST"))
    assert (note["docType"], note["totals"]["grandTotal"]) == ("CREDIT_NOTE", WHOLE)
    again = _made(shop.correct(invoice, "credit-note"), 200)
    assert again["documentId"] == note["documentId"]
    shop.issued(note["documentId"])
    content = shop.content(note["documentId"])
    assert (content["reason"], "cause" in content) == ("CUSTOMER_REQUEST", False)
    (late,) = shop.refunded(order)
    assert late["docType"] == "ADJUSTMENT_STATEMENT", "nothing is left of the invoice to be credited"


def test_an_invoice_that_is_credited_in_part_is_neither_credited_whole_nor_void(shop: Shop) -> None:
    order = shop.paid()
    invoice = shop.invoice(order)["documentId"]
    (note,) = shop.refunded(order)
    assert note["docType"] == "CREDIT_NOTE"
    problem(shop.correct(invoice, "credit-note"), 422, "CREDIT_EXCEEDS_INVOICE")
    problem(shop.correct(invoice, "void"), 409, "DOCUMENT_NOT_CORRECTABLE")


def test_what_was_credited_of_an_invoice_is_credited_of_what_replaces_it(shop: Shop) -> None:
    order = shop.paid()
    first = shop.invoice(order)["documentId"]
    shop.refunded(order, "r-1", 1000)
    second = _made(shop.correct(first, "replace"))["documentId"]
    shop.issued(second)
    problem(shop.correct(second, "credit-note"), 422, "CREDIT_EXCEEDS_INVOICE")
    problem(shop.correct(second, "void"), 409, "DOCUMENT_NOT_CORRECTABLE")
    (rest,) = shop.refunded(order, "r-2", WHOLE - 1000)
    assert rest["docType"] == "CREDIT_NOTE"
    assert shop.content(rest["documentId"])["corrects"]["number"] == shop.detail(second)["number"]


def test_a_void_credit_note_follows_the_refund_to_the_next_invoice(shop: Shop) -> None:
    order = shop.paid()
    first = shop.invoice(order)["documentId"]
    (note,) = shop.refunded(order)
    assert _made(shop.correct(note["documentId"], "void"), 200)["status"] == "VOIDED"
    assert _made(shop.correct(first, "void"), 200)["status"] == "VOIDED"
    second = _made(shop.issue(order))["documentId"]
    notes = [each for each in shop.documents(order) if each["docType"] == "CREDIT_NOTE"]
    assert [each["documentVersion"] for each in notes] == [1, 2]
    assert shop.issued(notes[1]["documentId"])["linkedDocuments"][0]["documentId"] == second


def test_every_kind_of_an_orders_document_is_replaced_from_its_own_snapshot(shop: Shop) -> None:
    order = shop.paid()
    documents = [
        *({"documentId": shop.receipt(order)["documentId"]},),
        *shop.completed(order),
        *shop.paid_out(order),
        *shop.refunded(order, "r-1", 500),
    ]
    invoice = shop.invoice(order)
    documents += [invoice, *shop.refunded(order, "r-2", 700)]
    for each in documents:
        old = shop.issued(each["documentId"])
        new = shop.issued(_made(shop.correct(old["documentId"], "replace"))["documentId"])
        assert (new["docType"], new["totals"]) == (old["docType"], old["totals"])
        assert new["documentKey"] == f"{old['documentKey'][:-1]}2"
        assert shop.client("AUDITOR").get(f"/v1/documents/{new['documentId']}/verify").json()["valid"]


def test_a_replaced_credit_note_on_demand_keeps_its_reason(shop: Shop) -> None:
    invoice = shop.invoice(shop.paid())["documentId"]
    note = _made(shop.correct(invoice, "credit-note", reasonCode="DUPLICATE"))["documentId"]
    shop.issued(note)
    second = _made(shop.correct(note, "replace"))["documentId"]
    shop.issued(second)
    assert shop.content(second)["reason"] == "DUPLICATE"
    assert _made(shop.correct(invoice, "credit-note"), 200)["documentId"] == second


def test_a_correction_needs_another_person_who_means_this_document_once(shop: Shop) -> None:
    receipt, other = (shop.receipt(shop.paid())["documentId"] for _ in range(2))
    problem(shop.correct(receipt, "void", elevationToken=None), 422, "SECOND_APPROVER_REQUIRED")
    problem(shop.correct(receipt, "void", elevationToken="made-up"), 403, "ELEVATION_INVALID")
    problem(shop.correct(receipt, "void", elevationToken=shop.approval(other)), 403, "ELEVATION_INVALID")
    token = shop.approval(receipt)
    problem(
        shop.correct(receipt, "void", reasonCode="NOTHING", elevationToken=token), 400, "VALIDATION_FAILED"
    )
    assert _made(shop.correct(receipt, "void", elevationToken=token), 200)["status"] == "VOIDED"
    problem(shop.correct(other, "replace", elevationToken=token), 403, "ELEVATION_INVALID")
    assert shop.detail(other)["status"] == "ISSUED"


def test_nobody_approves_of_their_own_correction(shop: Shop) -> None:
    receipt = shop.receipt(shop.paid())["documentId"]
    me = f"ana-{uuid4()}"
    permissions = ["billing:auth:elevate", "docs.void_or_replace"]
    credential = {"username": me, "pin": "7355196208", "permissions": permissions}
    made = shop.client("SUPER_ADMIN").post("/v1/billing/auth/credentials", json=credential)
    assert made.status_code == 201, made.text
    with shop.house.client("FINANCE_ADMIN", sub=me) as client:
        asked = {"username": me, "pin": "7355196208", "purpose": "DOCUMENT_CORRECTION", "targetId": receipt}
        granted = client.post("/v1/billing/auth/elevate", json=asked)
        token = granted.json().get("elevationToken")
        body = {"reasonCode": "ERROR", "elevationToken": token}
        answer = client.post(f"/v1/documents/{receipt}/void", json=body)
    problem(answer, 422, "SECOND_APPROVER_REQUIRED")
    assert shop.detail(receipt)["status"] == "ISSUED"


def test_a_dry_run_of_a_correction_changes_nothing_and_spends_no_approval(shop: Shop) -> None:
    order = shop.paid()
    document_id = shop.invoice(order)["documentId"]
    token = shop.approval(document_id)
    before = shop.recorded()
    for what in ("void", "replace", "credit-note"):
        rehearsed = _made(shop.correct(document_id, what, elevationToken=token, dryRun=True), 200)
        assert rehearsed["dryRun"] is True
    problem(
        shop.correct(document_id, "void", elevationToken=None, dryRun=True), 422, "SECOND_APPROVER_REQUIRED"
    )
    assert shop.recorded() == before
    assert shop.kinds(order) == ["RECEIPT", "FISCAL_INVOICE"]
    assert _made(shop.correct(document_id, "void", elevationToken=token), 200)["status"] == "VOIDED"


def test_a_narrowed_token_corrects_only_what_it_reaches(shop: Shop) -> None:
    order = shop.paid()
    receipt = shop.receipt(order)["documentId"]
    token = shop.approval(receipt)
    body = {"reasonCode": "ERROR", "elevationToken": token}
    for claims in ({"countries": ["MX"]}, {"buyer_id": "somebody"}, {"seller_id": "somebody"}):
        for what in ("void", "replace", "credit-note"):
            problem(shop.ask(f"/{receipt}/{what}", body, **claims), 404, "NOT_FOUND")
        problem(
            shop.ask("/issue", {"orderId": order["orderId"], "docType": "FISCAL_INVOICE"}, **claims),
            404,
            "NOT_FOUND",
        )
    for role in ("BUYER", "SELLER", "SUPPORT", "AUDITOR", "SYSTEM", "COUNTRY_OPS_LEAD"):
        claims = {"countries": ["GB"]} if role in ("SUPPORT", "COUNTRY_OPS_LEAD") else {}
        problem(shop.ask(f"/{receipt}/void", body, role, **claims), 403, "PERMISSION_DENIED")
    assert _made(shop.ask(f"/{receipt}/void", body, countries=["GB"]), 200)["status"] == "VOIDED"


def test_a_work_orders_invoice_is_void_with_its_document(shop: Shop, garage: Garage) -> None:
    invoice = garage.issued()
    document = garage.document(invoice["documents"][0]["documentId"])["documentId"]
    body = {"reasonCode": "ERROR", "elevationToken": shop.approval(document)}
    for what in ("void", "credit-note"):
        with shop.house.client(permissions=["docs.void_or_replace"]) as client:
            refused = client.post(f"/v1/documents/{document}/{what}", json=body)
        problem(refused, 403, "PERMISSION_DENIED")
    problem(shop.correct(document, "replace"), 422, "DRIVER_FORBIDS")
    problem(shop.ask(f"/{document}/void", body, account_ids=[str(uuid4())]), 404, "NOT_FOUND")
    assert _made(shop.ask(f"/{document}/void", body), 200)["status"] == "VOIDED"
    assert garage.detail(invoice)["status"] == "VOID"


def test_a_work_orders_invoice_is_credited_by_its_document(shop: Shop, garage: Garage) -> None:
    invoice = garage.issued()
    document = garage.document(invoice["documents"][0]["documentId"])["documentId"]
    again = shop.ask("/issue", {"invoiceId": invoice["invoiceId"], "docType": "FISCAL_INVOICE"})
    assert _made(again, 200)["documentId"] == document
    note = _made(shop.correct(document, "credit-note"))
    assert (note["docType"], note["totals"]["grandTotal"]) == ("CREDIT_NOTE", _total(garage, invoice))
    shop.issued(note["documentId"])
    answer = shop.correct(document, "credit-note")
    assert answer.status_code in (409, 422), answer.text
    problem(shop.correct(document, "void"), 409, "DOCUMENT_NOT_CORRECTABLE")
    problem(shop.correct(note["documentId"], "void"), 409, "DOCUMENT_NOT_CORRECTABLE")


@pytest.mark.parametrize("text", ["", "\x00", "\ud7ff" * 65, "\x1b[2J", " ", "a\nb"])
def test_text_that_no_id_may_be_is_refused_and_breaks_nothing(shop: Shop, text: str) -> None:
    answers = [
        shop.ask("/issue", {"orderId": text, "docType": "RECEIPT"}),
        shop.ask("/issue", {"orderId": "o-1", "docType": text}),
        shop.ask("/issue", {"invoiceId": text, "docType": "RECEIPT"}),
        shop.ask("/issue", {"orderId": "o-1", "docType": "RECEIPT", "asOf": text, "dryRun": True}),
        shop.ask(f"/{uuid4()}/void", {"reasonCode": text}),
        shop.ask(f"/{uuid4()}/void", {"reasonCode": "ERROR", "elevationToken": text}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
