"""Invoices over HTTP: drafted from work orders, issued through the gate, voided (BILL-DEC-001 to 004)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.decisions import decision, rule
from tests.support.garage import ADVISOR, AUDITOR, FINANCE, MANAGER, MOUNTS, Garage, codes
from tests.support.house import House, all_items, cloud_event
from tests.support.problems import fields_of, problem
from tests.support.work_orders import a_line

RULES = {
    "partyId": None,
    "paymentTermsCode": "NET30",
    "invoiceDeliveryMethod": "EMAIL",
    "invoiceGroupingStrategy": "PER_VEHICLE",
    "purchaseOrderRequired": False,
}
US = {"countryCode": "US", "currencyUomId": "USD"}
CONSUMER = {"classification": "B2C", "taxId": None}


def rules(garage: Garage, account: dict[str, Any], **changes: Any) -> None:
    """Sets the billing rules of an account."""
    body = {**RULES, "partyId": account["partyId"], **changes}
    assert garage.put(f"/rules/{account['customerAccountId']}", body).status_code in {200, 201}


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-001", "A draft has neither number nor moment; all of it is due")
def test_a_work_order_has_one_draft_however_often_it_is_asked_for(house: House, mount: str) -> None:
    with Garage(house, mount) as garage:
        account = garage.account()
        work_order = garage.work_order(account)
        first = garage.draft(work_order)
        again = garage.draft(work_order)
        assert (first.status_code, again.status_code) == (201, 200), first.text
        assert first.json() == again.json()
        draft = first.json()
        assert (draft["status"], draft["invoiceNumber"], draft["issuedAt"]) == ("DRAFT", None, None)
        assert (draft["subtotal"], draft["taxTotal"], draft["grandTotal"]) == (16999, 3570, 20569)
        assert draft["balanceDue"] == draft["grandTotal"]
        scope = work_order["billableScopeSnapshot"]
        assert draft["billableScopeSnapshotId"] == scope["billableScopeSnapshotId"]
        assert [line["lineId"] for line in draft["lines"]] == ["1", "2"]
        assert draft["traceability"]["sourceWorkOrderId"] == work_order["workOrderId"]
        assert garage.detail(draft, ADVISOR) == draft
        by_work_order = garage.get(f"/invoices/by-workorder/{work_order['workOrderId']}", ADVISOR)
        assert by_work_order.json() == draft


@decision("BILL-DEC-002", "A work order without an invoice is 404")
def test_a_work_order_that_nobody_told_of(garage: Garage) -> None:
    problem(garage.draft({"workOrderId": str(uuid4())}), 404, "WORK_ORDER_UNKNOWN")
    problem(garage.get(f"/invoices/by-workorder/{uuid4()}"), 404, "NOT_FOUND")
    problem(garage.get(f"/invoices/{uuid4()}"), 404, "NOT_FOUND")
    work_order = garage.work_order()
    problem(garage.get(f"/invoices/by-workorder/{work_order['workOrderId']}"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workOrderStatus": "IN_PROGRESS"}, "WORK_ORDER_NOT_COMPLETED"),
        ({"invoiceReady": False}, "WORK_ORDER_NOT_INVOICE_READY"),
    ],
)
def test_a_work_order_that_is_not_ready_is_not_drafted(
    garage: Garage, changes: dict[str, Any], reason: str
) -> None:
    body = problem(garage.draft(garage.work_order(**changes)), 409, "WORK_ORDER_NOT_READY")
    assert body["reasonCode"] == reason


def test_what_billing_lacks_is_named(garage: Garage) -> None:
    untold = {"customerAccountId": str(uuid4())}
    body = problem(garage.draft(garage.work_order(untold)), 422, "BILLING_DATA_INCOMPLETE")
    assert body["missingFields"] == ["customerAccount"]
    account = garage.account(currencyUomId="USD")
    body = problem(garage.draft(garage.work_order(account, US)), 422, "BILLING_DATA_INCOMPLETE")
    assert body["missingFields"] == ["billableScopeSnapshot.regionCode"]


def test_a_final_invoice_is_not_drafted_again(garage: Garage) -> None:
    issued = garage.issued()
    body = problem(garage.draft(issued), 409, "INVOICE_ALREADY_FINALIZED")
    assert body["reasonCode"] == "INVOICE_ALREADY_ISSUED"
    garage.command(issued, "void")
    body = problem(garage.draft(issued), 409, "INVOICE_ALREADY_FINALIZED")
    assert body["reasonCode"] == "INVOICE_ALREADY_VOID"


def test_an_issued_invoice_has_number_date_and_terms(garage: Garage) -> None:
    account = garage.account()
    rules(garage, account)
    draft = garage.drafted(account, vehicleId="car-7")
    assert draft["grouping"] == {
        "strategy": "PER_VEHICLE",
        "key": f"account:{account['customerAccountId']}/vehicle:car-7",
    }
    answer = garage.command(draft, "issue", ADVISOR)
    assert answer.status_code == 200, answer.text
    issued = answer.json()
    assert (issued["status"], issued["issuedByUserId"]) == ("ISSUED", "ana")
    assert issued["invoiceNumber"] and issued["issuedAt"].endswith("Z")
    assert (issued["paymentTermsCode"], issued["deliveryPreferences"]) == (
        "NET30",
        {"invoiceDeliveryMethod": "EMAIL"},
    )
    assert issued["dueDate"] > issued["issueDate"]
    unchanged = ("lines", "traceability", "taxBreakdown", "feeBreakdown", "grandTotal", "taxRuleVersion")
    assert {name: issued[name] for name in unchanged} == {name: draft[name] for name in unchanged}
    (of_invoice,) = issued["documents"]
    document = garage.document(of_invoice["documentId"])
    assert (document["docType"], document["status"]) == ("FISCAL_INVOICE", "ISSUED")
    assert document["number"] == issued["invoiceNumber"] == of_invoice["number"]
    assert document["seriesId"] == f"ES:{issued['issuerEntityId']}:FISCAL_INVOICE"
    assert document["sourceRef"] == {"type": "WORK_ORDER", "id": issued["workOrderId"]}
    verified = garage.client(AUDITOR).get(f"/v1/documents/{document['documentId']}/verify").json()
    assert verified["valid"], verified


@rule("IDEM-13")
@decision("BILL-DEC-001", "Issuing is idempotent by invoice and version")
def test_the_same_version_again_is_answered_byte_for_byte(garage: Garage) -> None:
    draft = garage.drafted()
    version = draft["invoiceVersion"]
    first = garage.command(draft, "issue", invoiceVersion=version)
    garage.document(first.json()["documents"][0]["documentId"])
    again = garage.command(draft, "issue", invoiceVersion=version)
    assert (again.status_code, again.content) == (200, first.content)
    problem(garage.command(draft, "issue"), 409, "INVOICE_NOT_DRAFT")
    problem(garage.command(draft, "issue", invoiceVersion=version + 1), 409, "INVOICE_NOT_DRAFT")
    problem(garage.command(garage.drafted(), "issue", invoiceVersion=version + 1), 409, "STALE_ETAG")
    assert garage.announced("invoice", draft["invoiceId"]) == ["billing.InvoiceIssued"]
    assert garage.command(draft, "void").json()["status"] == "VOID"
    late = garage.command(draft, "issue", invoiceVersion=version)
    assert (late.status_code, late.content) == (200, first.content), "a retry learns what became of its try"


def test_a_void_invoice_is_not_issued(garage: Garage) -> None:
    draft = garage.drafted()
    assert garage.command(draft, "void").status_code == 200
    problem(garage.command(draft, "issue"), 409, "INVOICE_NOT_DRAFT")
    problem(garage.command(draft, "issue", invoiceVersion=1), 409, "INVOICE_NOT_DRAFT")


@pytest.mark.parametrize(
    ("account_changes", "rules_changes", "work_order_changes", "expected"),
    [
        (CONSUMER, {}, {}, {"MISSING_APPROVAL": True}),
        ({"approvalRequired": True}, {}, {}, {"MISSING_APPROVAL": True}),
        ({}, {}, {"estimateId": str(uuid4())}, {"MISSING_ESTIMATE_VERSION": True}),
        ({"billingContact": None}, {}, {}, {"MISSING_BILLING_EMAIL": False}),
        (
            {"billingAddress": None},
            {"invoiceDeliveryMethod": "MAIL"},
            {},
            {"MISSING_BILLING_ADDRESS": False},
        ),
    ],
)
@decision("BILL-DEC-003", "Every blocker stands in the detail and in the refusal, with the same code")
def test_what_stands_in_the_way_is_shown_before_and_refused_alike(
    garage: Garage,
    account_changes: dict[str, Any],
    rules_changes: dict[str, Any],
    work_order_changes: dict[str, Any],
    expected: dict[str, bool],
) -> None:
    account = garage.account(**account_changes)
    rules(garage, account, **rules_changes)
    draft = garage.drafted(account, **work_order_changes)
    blockers = draft["issuanceBlockers"]
    assert {blocker["code"]: blocker["overridable"] for blocker in blockers} == expected
    assert all(blocker["severity"] == "ERROR" and blocker["message"] for blocker in blockers)
    refused = problem(garage.command(draft, "issue"), 422, "ISSUANCE_BLOCKED")
    assert refused["issuanceBlockers"] == blockers
    rehearsed = problem(garage.command(draft, "issue", dryRun=True), 422, "ISSUANCE_BLOCKED")
    assert rehearsed["issuanceBlockers"] == blockers
    assert ("ISSUE" in draft["allowedActions"]) == all(expected.values())
    assert garage.detail(draft)["status"] == "DRAFT"


def test_a_draft_with_what_is_asked_for_is_issued(garage: Garage) -> None:
    account = garage.account(**CONSUMER)
    approval_id = str(uuid4())
    draft = garage.drafted(account, approvalIds=[approval_id])
    assert draft["issuanceBlockers"] == []
    assert draft["issuancePolicy"]["approvalRequired"] is True
    assert "sourceApprovalIds" in draft["issuancePolicy"]["requiredTraceability"]
    assert garage.command(draft, "issue").status_code == 200


def test_the_policy_of_an_account_decides_what_is_asked_for(garage: Garage) -> None:
    account = garage.account()
    path = f"/policies/issuance/{account['customerAccountId']}"
    draft = garage.drafted(account)
    assert draft["issuanceBlockers"] == []
    policy = {"approvalRequired": "ALWAYS", "estimateVersionRequired": True, "overridableBlockers": []}
    assert garage.put(path, policy).status_code in {200, 201}
    found = garage.detail(draft)
    assert codes(found["issuanceBlockers"]) == {"MISSING_APPROVAL"}
    assert found["issuancePolicy"]["scope"] == "ACCOUNT"
    token = garage.approval("INVOICE_ISSUE", draft["invoiceId"])
    answer = garage.command(draft, "issue", ADVISOR, elevationToken=token)
    assert not problem(answer, 422, "ISSUANCE_BLOCKED")["issuanceBlockers"][0]["overridable"]


@decision("BILL-DEC-003", "A manager may set some of them aside, which is recorded")
def test_a_manager_sets_a_blocker_aside_once_and_by_name(garage: Garage) -> None:
    draft = garage.drafted(garage.account(**CONSUMER))
    token = garage.approval("INVOICE_ISSUE", draft["invoiceId"])
    rehearsed = garage.command(draft, "issue", elevationToken=token, dryRun=True)
    assert (rehearsed.status_code, rehearsed.json()["status"]) == (200, "ISSUED")
    assert garage.detail(draft)["status"] == "DRAFT"
    answer = garage.command(draft, "issue", ADVISOR, elevationToken=token)
    assert answer.status_code == 200, answer.text
    events = garage.client(AUDITOR).get(f"/v1/audit/streams/invoice/{draft['invoiceId']}").json()["events"]
    (override,) = events[-1]["data"]["overrides"]
    assert override["code"] == "MISSING_APPROVAL" and override["approver"]
    assert token not in str(events)
    other = garage.drafted(garage.account(**CONSUMER))
    problem(garage.command(other, "issue", elevationToken=token), 403, "ELEVATION_INVALID")
    assert garage.detail(other)["status"] == "DRAFT"


def test_a_refused_issue_leaves_the_approval_unused(garage: Garage) -> None:
    account = garage.account(**CONSUMER, billingContact=None)
    rules(garage, account)
    draft = garage.drafted(account)
    assert codes(draft["issuanceBlockers"]) == {"MISSING_APPROVAL", "MISSING_BILLING_EMAIL"}
    token = garage.approval("INVOICE_ISSUE", draft["invoiceId"])
    problem(garage.command(draft, "issue", elevationToken=token), 422, "ISSUANCE_BLOCKED")
    account_id = account["customerAccountId"]
    garage.account(account_id, classification="B2C", billingContact={"email": "a@b.example"})
    assert garage.command(draft, "issue", elevationToken=token).status_code == 200


@pytest.mark.parametrize("verb", ["issue", "void", "credit", "rebill"])
def test_a_dry_run_tells_and_changes_nothing(garage: Garage, verb: str) -> None:
    invoice = garage.drafted() if verb == "issue" else garage.issued()
    for document in invoice["documents"]:
        garage.document(document["documentId"])
    before, detail = garage.invoiced_events(), garage.detail(invoice)
    answer = garage.command(invoice, verb, dryRun=True)
    assert (answer.status_code, answer.json()["dryRun"]) == (200, True)
    assert garage.invoiced_events() == before
    assert garage.detail(invoice) == detail
    assert garage.command(invoice, verb).status_code in {200, 201}


def test_a_dry_run_of_a_draft_changes_nothing(garage: Garage) -> None:
    work_order = garage.work_order()
    before = garage.invoiced_events()
    answer = garage.draft(work_order, dryRun=True)
    assert (answer.status_code, answer.json()["grandTotal"]) == (200, 20569)
    assert garage.invoiced_events() == before
    problem(garage.get(f"/invoices/by-workorder/{work_order['workOrderId']}"), 404, "NOT_FOUND")
    assert garage.draft(work_order).status_code == 201


@decision("BILL-DEC-001", "A void invoice keeps its number")
def test_a_void_invoice_keeps_its_number_and_its_document_is_void(garage: Garage) -> None:
    issued = garage.issued()
    (of_invoice,) = issued["documents"]
    garage.document(of_invoice["documentId"])
    answer = garage.command(issued, "void", reasonNotes="Billed to the wrong customer")
    assert answer.status_code == 200, answer.text
    voided = answer.json()
    assert (voided["status"], voided["balanceDue"], voided["voidedReasonCode"]) == ("VOID", 0, "ERROR")
    assert voided["invoiceNumber"] == issued["invoiceNumber"]
    assert garage.command(issued, "void").json() == voided
    assert garage.detail(issued) == voided
    assert garage.document(of_invoice["documentId"])["status"] == "VOIDED"
    assert garage.announced("invoice", issued["invoiceId"]) == [
        "billing.InvoiceIssued",
        "billing.InvoiceVoided",
    ]
    assert garage.announced("document", of_invoice["documentId"]) == [
        "docs.DocumentIssued",
        "docs.DocumentVoided",
    ]
    garage.head()
    series = f"/v1/number-series/ES:{issued['issuerEntityId']}:FISCAL_INVOICE/numbers"
    auditor = garage.client(AUDITOR)
    (number,) = all_items(auditor, series)
    assert (number["number"], number["invoiceId"]) == (issued["invoiceNumber"], issued["invoiceId"])
    assert auditor.get(series).json()["gaps"] == []


def test_a_void_draft_never_had_a_number(garage: Garage) -> None:
    draft = garage.drafted()
    answer = garage.command(draft, "void")
    assert (answer.status_code, answer.json()["status"], answer.json()["invoiceNumber"]) == (
        200,
        "VOID",
        None,
    )
    assert answer.json()["documents"] == []
    assert garage.announced("invoice", draft["invoiceId"]) == ["billing.InvoiceVoided"]


def test_an_invoice_is_voided_with_an_approval_for_it_alone(garage: Garage) -> None:
    issued, other = garage.issued(), garage.issued()
    token = garage.approval("INVOICE_VOID", issued["invoiceId"])
    problem(garage.command(other, "void", elevationToken=token), 403, "ELEVATION_INVALID")
    assert garage.detail(other)["status"] == "ISSUED"
    assert garage.command(issued, "void", elevationToken=token).status_code == 200


@pytest.mark.parametrize("verb", ["void", "credit", "rebill"])
def test_a_reason_is_one_of_the_list(garage: Garage, verb: str) -> None:
    answer = garage.command(garage.issued(), verb, reasonCode="BOREDOM")
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"reasonCode"}


def test_what_accounting_says_is_told_plainly_and_in_full_to_few(garage: Garage) -> None:
    issued = garage.issued()
    detail = "Account 4300-77 of ledger SAP-PRD-3 is closed; see /var/log/gl"
    failed = {"invoiceId": issued["invoiceId"], "errorCode": "GL_ACCOUNT_4300_77", "errorDetail": detail}
    garage.told(cloud_event("accounting.GL_POST_FAILED", failed, str(uuid4())))
    plain = garage.detail(issued, MANAGER)
    assert "postingErrorDetail" not in plain or plain["postingErrorDetail"] is None
    assert "4300" not in str(plain) and plain["postingErrorSummary"]["code"] == "POSTING_FAILED"
    assert garage.detail(issued, FINANCE)["postingErrorDetail"]["detail"] == detail
    assert garage.detail(issued)["status"] == "ISSUED"
    posted = {"invoiceId": issued["invoiceId"], "journalEntryId": "je-1"}
    garage.told(cloud_event("accounting.GL_POSTED", posted, str(uuid4())))
    assert garage.detail(issued, FINANCE)["postingErrorSummary"] is None


def test_a_malformed_command_is_named(garage: Garage) -> None:
    answer = garage.post("/invoices/draft", {"workOrderId": "12"})
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"workOrderId"}
    answer = garage.command(garage.drafted(), "issue", invoiceVersion="1")
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"invoiceVersion"}


def test_a_draft_of_lines_that_upstream_priced_finely_is_rounded_once(garage: Garage) -> None:
    line = {key: value for key, value in a_line(quantity="3").items() if key != "unitAmount"}
    draft = garage.drafted(scope={"lines": [{**line, "unitPrice": "0.335"}]})
    assert draft["subtotal"] == 101
