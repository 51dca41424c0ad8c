"""The decisions on invoices, approvals, permissions and traces, each asserted over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import pytest

from application.operations import OPERATIONS
from domain.invoicing.invoice import InvoiceStatus
from tests.support.artifact_facts import by_value
from tests.support.decisions import decision, rule
from tests.support.garage import ADVISOR, AUDITOR, FINANCE, MANAGER, MOUNTS, PIN, Garage, codes
from tests.support.house import House, cloud_event
from tests.support.problems import fields_of, problem
from tests.support.work_orders import work_order_ready

FROZEN = (
    *("workOrderId", "customerAccountId", "billableScopeSnapshotId", "lines", "traceability"),
    *("subtotal", "taxTotal", "feeTotal", "discountTotal", "grandTotal", "taxBreakdown", "feeBreakdown"),
)
TRACE = "0af7651916cd43dd8448eb211c80319c"


@decision("BILL-DEC-001", "An invoice is DRAFT, ISSUED, PAID or VOID and nothing else")
def test_the_statuses_are_four(garage: Garage) -> None:
    statuses = get_args(InvoiceStatus)
    assert set(statuses) == {"DRAFT", "ISSUED", "PAID", "VOID"}
    for status in statuses:
        assert garage.get("/invoices", status=status).status_code == 200
    for invented in ("EDITABLE", "FINALIZED", "POSTED"):
        problem(garage.get("/invoices", status=invented), 400, "VALIDATION_FAILED")


@decision("BILL-DEC-001", "Issuing sets number, moment and who did it")
@decision("BILL-DEC-001", "What is issued never changes, whatever upstream tells afterwards")
def test_an_issued_invoice_is_immutable(garage: Garage) -> None:
    account = garage.account()
    work_order = garage.work_order(account)
    draft = garage.draft(work_order).json()
    issued = garage.command(draft, "issue").json()
    at_issuance = ("invoiceNumber", "issuedAt", "issuedByUserId")
    assert [draft[name] for name in at_issuance] == [None] * 3
    assert all(issued[name] for name in at_issuance) and issued["issuedByUserId"] == "ana"
    garage.told(work_order_ready({**work_order, "approvalIds": [str(uuid4())]}))
    garage.account(account["customerAccountId"], displayName="Talleres Gaviota S.L.", classification="B2C")
    after = garage.detail(issued, ADVISOR)
    assert {name: after[name] for name in FROZEN} == {name: draft[name] for name in FROZEN}
    assert (after["dueDate"], after["invoiceNumber"]) == (issued["dueDate"], issued["invoiceNumber"])


@decision("BILL-DEC-001", "No operation edits an invoice; credit and rebill set it right")
def test_there_is_nothing_to_edit_an_invoice_with() -> None:
    of_invoices = [row.row() for row in OPERATIONS if "/invoices" in row.path]
    assert {row["method"] for row in of_invoices} <= {"GET", "POST"}
    verbs = {row["name"] for row in of_invoices if row["kind"] == "command"}
    assert {"invoices.credit", "invoices.rebill"} <= verbs
    assert verbs.isdisjoint({"invoices.edit", "invoices.update", "invoices.change"})


@rule("AUDIT-1")
@decision("BILL-DEC-001", "The number, the invoice and its document are set in one transaction")
@decision("BILL-DEC-001", "InvoiceIssued is told once for an invoice and version, however often it is asked")
def test_an_issue_is_atomic_and_told_once(garage: Garage) -> None:
    draft = garage.drafted()
    answers = [garage.command(draft, "issue", invoiceVersion=1) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert garage.announced("invoice", draft["invoiceId"]) == ["billing.InvoiceIssued"]
    auditor = garage.client(AUDITOR)
    events = auditor.get(f"/v1/audit/streams/invoice/{draft['invoiceId']}").json()["events"]
    document_id = answers[0].json()["documents"][0]["documentId"]
    of_document = auditor.get(f"/v1/audit/streams/document/{document_id}").json()["events"]
    (issued,) = [event for event in events if event["type"] == "invoice.issued"]
    assert {event["transactionId"] for event in of_document[:2]} == {issued["transactionId"]}


@decision("BILL-DEC-001", "Only a draft is issued: 409 once it is issued or void")
def test_only_a_draft_is_issued(garage: Garage) -> None:
    issued = garage.issued()
    problem(garage.command(issued, "issue"), 409, "INVOICE_NOT_DRAFT")
    garage.command(issued, "void")
    problem(garage.command(issued, "issue"), 409, "INVOICE_NOT_DRAFT")


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-002", "Drafting again answers 200 with the draft that there is")
@decision("BILL-DEC-002", "An invoice is found by its id and by its work order")
def test_a_work_order_has_one_primary_invoice(house: House, mount: str) -> None:
    with Garage(house, mount) as garage:
        work_order = garage.work_order()
        first, again = garage.draft(work_order), garage.draft(work_order)
        assert (first.status_code, again.status_code) == (201, 200)
        assert UUID(first.json()["invoiceId"]).version == 7
        found = garage.get(f"/invoices/by-workorder/{work_order['workOrderId']}", ADVISOR)
        assert found.json() == garage.detail(first.json(), ADVISOR) == again.json() == first.json()


@decision("BILL-DEC-002", "A draft is made when somebody asks for it, not by the work order's report")
def test_nothing_is_drafted_unasked(garage: Garage) -> None:
    work_order = garage.work_order()
    problem(garage.get(f"/invoices/by-workorder/{work_order['workOrderId']}"), 404, "NOT_FOUND")


@decision("BILL-DEC-002", "Only a completed work order that is marked ready is drafted: 409 with the reason")
def test_a_work_order_must_be_ready(garage: Garage) -> None:
    for changes, reason in (
        ({"workOrderStatus": "OPEN"}, "WORK_ORDER_NOT_COMPLETED"),
        ({"invoiceReady": False}, "WORK_ORDER_NOT_INVOICE_READY"),
    ):
        body = problem(garage.draft(garage.work_order(**changes)), 409, "WORK_ORDER_NOT_READY")
        assert (body["errorCode"], body["reasonCode"]) == ("WORK_ORDER_NOT_READY", reason)


@decision("BILL-DEC-002", "An issued or void invoice is not drafted again: 409 with its status as the reason")
def test_a_final_invoice_says_so(garage: Garage) -> None:
    invoice = garage.issued()
    for status in ("ISSUED", "VOID"):
        body = problem(garage.draft(invoice), 409, "INVOICE_ALREADY_FINALIZED")
        assert body["reasonCode"] == f"INVOICE_ALREADY_{status}"
        garage.command(invoice, "void")


@decision("BILL-DEC-002", "Where billing data is incomplete: 422 with the fields that are missing")
def test_incomplete_data_is_named(garage: Garage) -> None:
    work_order = garage.work_order({"customerAccountId": str(uuid4())})
    body = problem(garage.draft(work_order), 422, "BILLING_DATA_INCOMPLETE")
    assert body["message"] and body["missingFields"] == ["customerAccount"]


@decision("BILL-DEC-002", "Lines come from the snapshot alone; nobody sends them along")
@decision("BILL-DEC-002", "Taxes and fees are Billing's own; upstream's sums are not trusted")
def test_lines_and_taxes(garage: Garage) -> None:
    work_order = garage.work_order(scope={"taxTotal": 1, "grandTotal": 2})
    answer = garage.draft(work_order, lines=[])
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"lines"}
    draft = garage.draft(work_order).json()
    told = work_order["billableScopeSnapshot"]["lines"]
    assert [line["description"] for line in draft["lines"]] == [line["description"] for line in told]
    assert draft["taxTotal"] == sum(row["amount"] for row in draft["taxBreakdown"]) == 3570
    sums = draft["subtotal"] - draft["discountTotal"] + draft["taxTotal"] + draft["feeTotal"]
    assert draft["grandTotal"] == sums and draft["taxRuleVersion"]


@decision("BILL-DEC-003", "A draft shows its policy and blockers, and a refused issue has the same ones")
@decision("BILL-DEC-003", "Consumers' invoices need an approval: MISSING_APPROVAL")
@decision("BILL-DEC-003", "Three identifiers are always required")
def test_blockers_are_shown_and_refused_alike(garage: Garage) -> None:
    draft = garage.drafted(garage.account(classification="B2C", taxId=None))
    required = draft["issuancePolicy"]["requiredTraceability"]
    always = {"sourceWorkOrderId", "sourceBillableScopeSnapshotId", "sourceSchemaVersion"}
    assert set(required) == always | {"sourceApprovalIds"}
    assert codes(draft["issuanceBlockers"]) == {"MISSING_APPROVAL"}
    refused = problem(garage.command(draft, "issue"), 422, "ISSUANCE_BLOCKED")
    assert refused["issuanceBlockers"] == draft["issuanceBlockers"]


@decision("BILL-DEC-003", "Where there was an estimate and policy says so, its version is required")
def test_an_estimate_needs_its_version(garage: Garage) -> None:
    draft = garage.drafted(estimateId=str(uuid4()))
    assert codes(draft["issuanceBlockers"]) == {"MISSING_ESTIMATE_VERSION"}
    path = f"/policies/issuance/{draft['customerAccountId']}"
    assert garage.put(path, {"estimateVersionRequired": False}).is_success
    assert garage.detail(draft)["issuanceBlockers"] == []


@decision("BILL-DEC-003", "What the delivery method needs must be there")
def test_an_invoice_by_mail_needs_an_address(garage: Garage) -> None:
    account = garage.account(billingContact=None)
    rules = {
        "partyId": account["partyId"],
        "paymentTermsCode": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
    }
    assert garage.put(f"/rules/{account['partyId']}", rules).is_success
    draft = garage.drafted(account)
    assert codes(draft["issuanceBlockers"]) == {"MISSING_BILLING_EMAIL"}
    assert garage.put(f"/rules/{account['partyId']}", {**rules, "invoiceDeliveryMethod": "PORTAL"}).is_success
    assert garage.command(draft, "issue").status_code == 200


@decision("BILL-DEC-004", "The canonical names carry what upstream gave and nothing else")
@decision("BILL-DEC-004", "The snapshot of where an invoice comes from never changes")
def test_traceability(garage: Garage) -> None:
    work_order = garage.work_order(estimateId=str(uuid4()))
    draft = garage.draft(work_order).json()
    scope = work_order["billableScopeSnapshot"]
    traced = draft["traceability"]
    assert {name: value for name, value in traced.items() if value} == {
        "sourceWorkOrderId": work_order["workOrderId"],
        "sourceBillableScopeSnapshotId": scope["billableScopeSnapshotId"],
        "sourceSchemaVersion": scope["schemaVersion"],
        "sourceEstimateId": work_order["estimateId"],
    }
    garage.told(work_order_ready({**work_order, "estimateVersionId": str(uuid4())}))
    assert garage.detail(draft)["traceability"] == traced


@pytest.mark.parametrize("told", [{"estimateId"}, {"estimateVersionId"}, {"estimateId", "estimateVersionId"}])
@decision("BILL-DEC-004", "Of estimate and version what is known is shown, each by its own name")
def test_estimates_by_name(garage: Garage, told: set[str]) -> None:
    estimate = {name: str(uuid4()) for name in told}
    traced = garage.drafted(**estimate)["traceability"]
    names = {"sourceEstimateId": "estimateId", "sourceEstimateVersionId": "estimateVersionId"}
    assert {ours: traced.get(ours) for ours in names} == {
        ours: estimate.get(upstreams) for ours, upstreams in names.items()
    }


@decision("BILL-DEC-004", "Approvals and artifacts are referred to by their ids")
def test_approvals_and_artifacts_by_name(garage: Garage) -> None:
    approval, artifact = str(uuid4()), f"signature-{uuid4()}"
    draft = garage.drafted(approvalIds=[approval], artifactRefs=[by_value(artifact)])
    assert draft["traceability"]["sourceApprovalIds"] == [approval]
    (ref,) = draft["traceability"]["artifactRefs"]
    assert ref["artifactRefId"] == artifact and "contentBase64" not in ref


@decision("BILL-DEC-007", "Every list of options is served")
def test_options_are_discovered(garage: Garage) -> None:
    for name in (
        "payment-terms",
        "invoice-delivery-methods",
        "invoice-grouping-strategies",
        "po-policies",
        "reason-codes",
    ):
        items = garage.get(f"/meta/{name}", ADVISOR).json()["items"]
        assert items and all(item["code"] and item["label"] for item in items)


@decision("BILL-DEC-010", "An approval is a token of five minutes that serves once, never a stored code")
@decision("BILL-DEC-003", "An elevation is needed only where blockers are to be set aside")
def test_an_approval_serves_once(garage: Garage) -> None:
    first, second = (garage.drafted(garage.account(classification="B2C", taxId=None)) for _ in range(2))
    before = datetime.now(UTC)
    token = garage.approval("INVOICE_ISSUE", first["invoiceId"])
    problem(garage.command(second, "issue", elevationToken=token), 403, "ELEVATION_INVALID")
    assert garage.command(first, "issue", elevationToken=token).status_code == 200
    auditor = garage.client(AUDITOR)
    events = auditor.get("/v1/audit/events", params={"type": "credential.elevation-granted", "order": "desc"})
    granted = events.json()["items"][0]["data"]
    expires = datetime.fromisoformat(granted["expiresAt"])
    assert before + timedelta(minutes=4) < expires <= datetime.now(UTC) + timedelta(minutes=5)
    assert token not in events.text and PIN not in events.text


@decision("BILL-DEC-014", "Everybody sees a plain summary; the detail is for who may see posting errors")
def test_posting_errors(garage: Garage) -> None:
    issued = garage.issued()
    data = {"invoiceId": issued["invoiceId"], "errorCode": "PERIOD_CLOSED", "errorDetail": "GL 7000-12"}
    garage.told(cloud_event("accounting.GL_POST_FAILED", data, str(uuid4())))
    for role in (ADVISOR, MANAGER):
        seen = garage.detail(issued, role)
        assert seen["postingErrorSummary"]["code"] == "PERIOD_CLOSED"
        assert "7000-12" not in str(seen) and not seen.get("postingErrorDetail")
    assert garage.detail(issued, FINANCE)["postingErrorDetail"]["detail"] == "GL 7000-12"


@decision("BILL-DEC-015", "A caller's trace is continued, and one is started where there is none")
def test_traces(garage: Garage) -> None:
    client, path = garage.client(ADVISOR), f"{garage.mount}/invoices"
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "shop=1"}
    continued = client.get(path, headers=headers)
    assert continued.headers["x-correlation-id"] == TRACE == continued.headers["traceparent"].split("-")[1]
    assert continued.headers["tracestate"] == "shop=1"
    started = client.get(path)
    assert len(started.headers["x-correlation-id"]) == 32 != TRACE


@rule("PII-6")
@decision("BILL-DEC-015", "Logs hold no address, e-mail, token or PIN")
def test_logs(garage: Garage) -> None:
    account = garage.account(classification="B2C", billingContact={"email": "wren@finch.example"})
    draft = garage.drafted(account)
    token = garage.approval("INVOICE_ISSUE", draft["invoiceId"])
    assert garage.command(draft, "issue", elevationToken=token).is_success
    seen = garage.get(f"/invoices/by-workorder/{draft['workOrderId']}")
    assert _logged(garage, seen)["workOrderId"] == draft["workOrderId"]
    log = garage.house.log_path.read_text()
    for private in ("wren@finch.example", "Calle Mayor", token, PIN):
        assert private not in log


@decision("BILL-DEC-015", "A line names the invoice, work order and account that its request is about")
def test_what_a_line_names(garage: Garage) -> None:
    answer = garage.draft(garage.work_order())
    draft = answer.json()
    ids = {name: draft[name] for name in ("invoiceId", "workOrderId")}
    ids["accountId"] = draft["customerAccountId"]
    assert _ids_of(_logged(garage, answer)) == ids
    assert _ids_of(_logged(garage, garage.command(draft, "issue"))) == ids
    unready = garage.work_order(invoiceReady=False)
    refused = _logged(garage, garage.draft(unready))
    assert _ids_of(refused) == {"workOrderId": unready["workOrderId"]}
    checkout = {"accountId": draft["customerAccountId"]}
    evaluated = garage.post(f"/checkout/{uuid4()}/evaluate", checkout)
    assert _ids_of(_logged(garage, evaluated)) == checkout
    nothing_of_ours = garage.post("/checkout/7/evaluate", {"accountId": "Wren Finch, Pier Road 3"})
    assert _ids_of(_logged(garage, nothing_of_ours)) == {}


def _logged(garage: Garage, answer: httpx.Response) -> dict[str, Any]:
    return garage.house.logged(answer.headers["x-correlation-id"])


def _ids_of(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name.endswith("Id") and name != "traceId"}


@decision("BILL-DEC-016", "Links name a target, never a route, and lacking ones block nothing")
def test_links(garage: Garage) -> None:
    issued = garage.issued()
    assert issued["links"]
    for link in issued["links"]:
        assert {"targetDomain", "targetType", "targetId"} < set(link)
        assert not any("/" in value for value in link.values())


def _rules(account: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "partyId": account["partyId"],
        "paymentTermsId": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
        **changes,
    }


@decision("BILL-DEC-006", "Unconfigured is 404; GET answers with an ETag")
@decision("BILL-DEC-006", "An update needs If-Match; a stale one is 409; the same again changes nothing")
def test_rules_are_versioned(house: House) -> None:
    with Garage(house, "/billing") as garage:
        account = garage.account()
        manager, path = garage.client(MANAGER), f"/billing/rules/{account['customerAccountId']}"
        garage.head()
        problem(manager.get(path), 404, "NOT_FOUND")
        created = manager.put(path, json=_rules(account))
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        assert manager.put(path, json=_rules(account)).headers["etag"] == '"1"'
        problem(manager.put(path, json=_rules(account, paymentTermsId="NET60")), 409, "ETAG_REQUIRED")
        changed = _rules(account, paymentTermsId="NET60")
        assert manager.put(path, json=changed, headers={"If-Match": '"1"'}).headers["etag"] == '"2"'
        problem(manager.put(path, json=changed, headers={"If-Match": '"1"'}), 409, "STALE_ETAG")
        assert garage.get(f"/rules/{account['customerAccountId']}", MANAGER).headers["etag"] == '"2"'
