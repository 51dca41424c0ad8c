"""Credits and rebills over HTTP: what is taken back, by which documents, and what stands in its place."""

from typing import Any

import pytest

from tests.support.garage import ADVISOR, AUDITOR, FINANCE, MANAGER, Garage
from tests.support.problems import fields_of, problem

AMOUNTS = ("subtotal", "discountTotal", "feeTotal", "taxTotal", "grandTotal")


def credit(garage: Garage, invoice: dict[str, Any], *lines: dict[str, Any]) -> dict[str, Any]:
    """The credit note of these lines, or of all that is left."""
    answer = garage.command(invoice, "credit", **({"lines": list(lines)} if lines else {}))
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note


def test_credits_take_a_part_then_the_rest_to_the_cent_and_no_more(garage: Garage) -> None:
    issued = garage.issued()
    one_hour = credit(garage, issued, {"lineId": "1", "quantity": "1"})
    assert (one_hour["totals"]["grandTotal"], one_hour["currencyUomId"]) == (7260, "EUR")
    standing = garage.detail(issued)
    assert (standing["status"], standing["creditedTotal"]) == ("ISSUED", 7260)
    assert standing["balanceDue"] == issued["grandTotal"] - 7260
    assert {name: standing[name] for name in AMOUNTS} == {name: issued[name] for name in AMOUNTS}
    too_much = garage.command(issued, "credit", lines=[{"lineId": "1", "quantity": "1.5"}])
    problem(too_much, 422, "CREDIT_EXCEEDS_INVOICE")
    rest = credit(garage, issued)
    assert rest["totals"]["grandTotal"] + 7260 == issued["grandTotal"]
    settled = garage.detail(issued)
    assert (settled["status"], settled["balanceDue"]) == ("ISSUED", 0)
    assert settled["creditedTotal"] == settled["grandTotal"]
    problem(garage.command(issued, "credit"), 422, "CREDIT_EXCEEDS_INVOICE")
    problem(garage.command(issued, "void"), 409, "INVOICE_NOT_VOIDABLE")


def test_a_credit_note_and_its_invoice_name_each_other(garage: Garage) -> None:
    issued = garage.issued()
    (of_invoice,) = issued["documents"]
    note = credit(garage, issued, {"lineId": "2"})
    document = garage.document(note["documentId"])
    assert (document["docType"], document["number"]) == ("CREDIT_NOTE", note["number"])
    assert (document["seriesId"], document["status"]) == (note["seriesId"], "ISSUED")
    assert document["linkedDocuments"] == [
        {"documentId": of_invoice["documentId"], "docType": "FISCAL_INVOICE", "relation": "CORRECTS"}
    ]
    corrected = garage.document(of_invoice["documentId"])
    assert corrected["linkedDocuments"] == [
        {"documentId": note["documentId"], "docType": "CREDIT_NOTE", "relation": "CORRECTED_BY"}
    ]
    auditor = garage.client(AUDITOR)
    for each in (document, corrected):
        verified = auditor.get(f"/v1/documents/{each['documentId']}/verify").json()
        assert verified["valid"], verified
    listed = garage.detail(issued)["documents"]
    assert [each["documentId"] for each in listed] == [of_invoice["documentId"], note["documentId"]]


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([{"lineId": "9", "quantity": "1"}], "lines.0.lineId"),
        ([{"lineId": "1", "quantity": "0"}], "lines.0.quantity"),
        ([{"lineId": "1", "quantity": 1}], "lines.0.quantity"),
        ([{"lineId": "1"}, {"lineId": "1"}], "lines"),
        ([], "lines"),
    ],
)
def test_lines_that_cannot_be_credited_are_named(garage: Garage, lines: Any, field: str) -> None:
    issued = garage.issued()
    answer = garage.command(issued, "credit", lines=lines)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}
    assert garage.detail(issued)["creditedTotal"] == 0


def test_a_draft_has_nothing_to_credit_or_to_rebill(garage: Garage) -> None:
    draft = garage.drafted()
    for verb in ("credit", "rebill"):
        problem(garage.command(draft, verb), 409, "INVOICE_NOT_CREDITABLE")


def test_a_rebill_credits_the_rest_and_drafts_another_invoice(garage: Garage) -> None:
    issued = garage.issued()
    credit(garage, issued, {"lineId": "1", "quantity": "1"})
    answer = garage.command(issued, "rebill")
    assert answer.status_code == 201, answer.text
    draft = answer.json()
    assert (draft["status"], draft["rebillOfInvoiceId"]) == ("DRAFT", issued["invoiceId"])
    note = draft["creditNote"]
    assert (note["docType"], note["invoiceId"]) == ("CREDIT_NOTE", issued["invoiceId"])
    assert note["totals"]["grandTotal"] == issued["grandTotal"] - 7260
    assert draft["workOrderId"] == issued["workOrderId"]
    assert draft["grandTotal"] == issued["grandTotal"]
    first = garage.detail(issued)
    assert (first["rebilledByInvoiceId"], first["balanceDue"]) == (draft["invoiceId"], 0)
    assert len(first["documents"]) == 3
    primary = garage.get(f"/invoices/by-workorder/{issued['workOrderId']}").json()
    assert primary["invoiceId"] == draft["invoiceId"]
    again = garage.draft(issued)
    assert (again.status_code, again.json()["invoiceId"]) == (200, draft["invoiceId"])
    problem(garage.command(issued, "rebill"), 409, "INVOICE_NOT_CREDITABLE")
    second = garage.command(draft, "issue").json()
    assert second["invoiceNumber"] != issued["invoiceNumber"]
    assert {("rebill-of", issued["invoiceId"])} <= {
        (link["rel"], link["targetId"]) for link in second["links"]
    }


def test_a_rebill_takes_back_all_of_the_invoice_or_nothing_happens(garage: Garage) -> None:
    issued = garage.issued()
    a_part = garage.command(issued, "rebill", lines=[{"lineId": "1"}])
    problem(a_part, 422, "REBILL_INCOMPLETE")
    standing = garage.detail(issued)
    assert (standing["creditedTotal"], standing["rebilledByInvoiceId"]) == (0, None)
    every = [{"lineId": line["lineId"]} for line in issued["lines"] if line["kind"] != "DISCOUNT"]
    answer = garage.command(issued, "rebill", lines=every)
    assert answer.status_code == 201, answer.text
    assert answer.json()["creditNote"]["totals"]["grandTotal"] == issued["grandTotal"]


def test_a_void_invoice_is_rebilled_without_a_credit(garage: Garage) -> None:
    issued = garage.issued()
    garage.command(issued, "void")
    problem(garage.command(issued, "rebill", lines=[{"lineId": "1"}]), 409, "INVOICE_NOT_CREDITABLE")
    draft = garage.command(issued, "rebill").json()
    assert (draft["rebillOfInvoiceId"], draft["creditNote"]) == (issued["invoiceId"], None)
    assert len(garage.detail(issued)["documents"]) == 1


def test_rebilling_needs_both_permissions(garage: Garage) -> None:
    issued = garage.issued()
    path = f"/v1/billing/invoices/{issued['invoiceId']}/rebill"
    with garage.house.client(permissions=["billing:invoice:void"]) as voider:
        problem(voider.post(path, json={"reasonCode": "ERROR"}), 403, "PERMISSION_DENIED")
    with garage.house.client(permissions=["billing:invoice:create-draft"]) as drafter:
        problem(drafter.post(path, json={"reasonCode": "ERROR"}), 403, "PERMISSION_DENIED")
    problem(garage.command(issued, "rebill", ADVISOR), 403, "PERMISSION_DENIED")


def test_a_key_repeats_a_credit_instead_of_crediting_twice(garage: Garage) -> None:
    issued = garage.issued()
    path = f"/invoices/{issued['invoiceId']}/credit"
    body = {"reasonCode": "ERROR", "lines": [{"lineId": "1", "quantity": "1"}]}
    key = {"Idempotency-Key": f"credit-{issued['invoiceId']}"}
    first, again = (garage.post(path, body, MANAGER, key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content and again.headers["idempotent-replayed"] == "true"
    assert garage.detail(issued)["creditedTotal"] == first.json()["totals"]["grandTotal"]


@pytest.mark.parametrize(
    ("role", "of_draft", "of_issued", "of_void"),
    [
        (ADVISOR, ["ISSUE"], ["PAY"], []),
        (MANAGER, ["ISSUE", "VOID"], ["PAY", "VOID", "CREDIT", "REBILL"], ["REBILL"]),
        (FINANCE, ["ISSUE", "VOID"], ["PAY", "VOID", "CREDIT", "REBILL"], ["REBILL"]),
        (AUDITOR, [], [], []),
    ],
)
def test_everybody_is_told_what_they_may_do_now(
    garage: Garage, role: str, of_draft: list[str], of_issued: list[str], of_void: list[str]
) -> None:
    invoice = garage.drafted()
    assert garage.detail(invoice, role)["allowedActions"] == of_draft
    garage.command(invoice, "issue")
    assert garage.detail(invoice, role)["allowedActions"] == of_issued
    garage.command(invoice, "void")
    assert garage.detail(invoice, role)["allowedActions"] == of_void
