"""What reads invoices besides their own queries: documents, search, numbers and the audit."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.billed import billed, corrected
from tests.support.house import House, all_items
from tests.support.problems import fields_of, problem
from tests.support.work_orders import a_line, an_account


class Garage:
    """A garage with an invoice that was credited and one that is void, both of one customer."""

    def __init__(self, house: House) -> None:
        self.name = f"Talleres Ñandú {uuid4().hex}"
        self.line = f"Clutch {uuid4().hex}"
        account = an_account(displayName=self.name)
        self.credited = billed(house, account, lines=[a_line(description=self.line)])
        self.credit_note_id = corrected(house, self.credited.invoice_id, "credit")["documentId"]
        self.void = billed(house, account)
        corrected(house, self.void.invoice_id, "void")
        self.fiscal_invoice = house.wait_for_issue(self.credited.invoice["documents"][0]["documentId"])
        self.credit_note = house.wait_for_issue(self.credit_note_id)
        house.catch_up()


@pytest.fixture(scope="module")
def garage(house: House) -> Garage:
    """The garage."""
    return Garage(house)


def test_the_documents_of_an_invoice_are_found_by_what_is_in_it(house: House, garage: Garage) -> None:
    both = {garage.fiscal_invoice["documentId"], garage.credit_note_id}
    of_void = {garage.void.invoice["documents"][0]["documentId"]}
    sought = {
        garage.credited.invoice_id: both,
        garage.credited.invoice_id.upper(): both,
        garage.credited.work_order["workOrderId"]: both,
        garage.line: both,
        garage.name: both | of_void,
        garage.void.invoice_id: of_void,
    }
    with house.client("AUDITOR") as auditor:
        for q, expected in sought.items():
            assert {row["documentId"] for row in all_items(auditor, "/v1/documents", q=q)} == expected, q
        number = all_items(auditor, "/v1/documents", q=garage.fiscal_invoice["number"])
        assert garage.fiscal_invoice["documentId"] in {row["documentId"] for row in number}
        assert all_items(auditor, "/v1/documents", orderId=garage.credited.invoice_id) == []


def test_the_customer_finds_its_documents_and_nobody_elses(house: House, garage: Garage) -> None:
    both = {garage.fiscal_invoice["documentId"], garage.credit_note_id}
    with house.client("BUYER", buyer_id=garage.credited.account["partyId"]) as customer:
        assert {row["documentId"] for row in all_items(customer, "/v1/documents", q=garage.line)} == both
    with house.client("BUYER", buyer_id="somebody-else") as other:
        assert all_items(other, "/v1/documents", q=garage.line) == []


def test_a_document_of_an_invoice_links_the_invoice_and_the_work_order(garage: Garage) -> None:
    work_order_id = garage.credited.work_order["workOrderId"]
    for document in (garage.fiscal_invoice, garage.credit_note):
        assert document["orderId"] is None
        assert document["sourceRef"] == {"type": "WORK_ORDER", "id": work_order_id}
        links = {link["rel"]: link for link in document["links"]}
        assert links["source"] == _link("source", "workexec", "WorkOrder", work_order_id)
        assert links["invoice"] == _link("invoice", "billing", "Invoice", garage.credited.invoice_id)
        assert links["number-series"]["targetId"] == document["seriesId"]


def _link(rel: str, domain: str, kind: str, target_id: str) -> dict[str, str]:
    return {"rel": rel, "targetDomain": domain, "targetType": kind, "targetId": target_id}


def test_every_number_of_an_invoice_names_it_and_tells_whether_it_is_void(
    house: House, garage: Garage
) -> None:
    path = f"/v1/number-series/{garage.fiscal_invoice['seriesId']}/numbers"
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(path).json()
        (credit,) = all_items(auditor, f"/v1/number-series/{garage.credit_note['seriesId']}/numbers")
    assert [(row["invoiceId"], row["documentId"], row["status"]) for row in answer["items"]] == [
        (garage.credited.invoice_id, None, "ISSUED"),
        (garage.void.invoice_id, None, "VOIDED"),
    ]
    assert answer["gaps"] == []
    assert (credit["invoiceId"], credit["documentId"], credit["status"]) == (
        None,
        garage.credit_note_id,
        "ISSUED",
    )


def test_an_auditor_reads_what_happened_to_an_invoice_and_its_documents(house: House, garage: Garage) -> None:
    parameters = {"invoiceId": garage.credited.invoice_id}
    with house.client("AUDITOR") as auditor:
        events = all_items(auditor, "/v1/audit/events", **parameters)
        both = auditor.get("/v1/audit/events", params={**parameters, "orderId": "o-1"})
    streams = {(event["streamType"], event["streamId"]) for event in events}
    assert streams == {
        ("invoice", garage.credited.invoice_id),
        ("document", garage.fiscal_invoice["documentId"]),
        ("document", garage.credit_note_id),
    }
    of_invoice = [event["type"] for event in events if event["streamType"] == "invoice"]
    assert of_invoice == ["invoice.drafted", "invoice.issued", "invoice.credited"]
    assert "invoiceId" in fields_of(problem(both, 400, "VALIDATION_FAILED"))


def test_an_auditor_sees_whom_an_invoice_was_for_and_a_biller_does_not(house: House, garage: Garage) -> None:
    path = f"/v1/audit/streams/invoice/{garage.credited.invoice_id}"
    with house.client("AUDITOR") as auditor:
        stream: dict[str, Any] = auditor.get(path).json()
        draft = auditor.get(path, params={"atVersion": 1}).json()
    assert stream["state"]["issued"]["billTo"]["name"] == garage.name
    assert (stream["state"]["status"], stream["version"]) == ("ISSUED", 3)
    assert draft["state"]["status"] == "DRAFT"
    assert garage.name not in json.dumps(draft)
    with house.client("BILLING_MANAGER") as manager, house.client("AUDITOR", account_ids=["a"]) as narrow:
        problem(manager.get(path), 403, "PERMISSION_DENIED")
        problem(narrow.get(path), 403, "PERMISSION_DENIED")
