"""S3 §4.2: fiscal invoices on demand, and what happens where a fiscal profile lacks something."""

from typing import Any
from uuid import uuid4

from tests.support.house import all_items, by_platform
from tests.support.problems import problem
from tests.support.shop import Shop

PROFILE = {
    "legalName": "Gannet Ropeworks Ltd",
    "taxId": "GB 123 4567 82",
    "address": {"line1": "3 Quay", "city": "Whitby", "postalCode": "YO21 3PU", "countryCode": "GB"},
}


def test_an_invoice_on_demand_is_made_once(shop: Shop) -> None:
    order = shop.paid()
    first, again = shop.issue(order), shop.issue(order)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["documentId"] == again.json()["documentId"]
    assert first.json()["documentKey"] == f"{order['orderId']}:FISCAL_INVOICE:platform-gb:1"


def test_nobody_asks_for_what_has_its_own_cause_or_for_what_is_not_known(shop: Shop) -> None:
    order = shop.paid()
    for doc_type in ("CREDIT_NOTE", "ADJUSTMENT_STATEMENT", "PAYOUT_STATEMENT", "AUDIT_EXPORT"):
        problem(shop.issue(order, doc_type), 422, "POLICY_FORBIDS")
    problem(shop.issue(order, "SELLER_STATEMENT"), 422, "POLICY_FORBIDS")
    problem(shop.issue({"orderId": f"o-{uuid4()}"}), 404, "NOT_FOUND")
    problem(shop.ask("/issue", {"docType": "RECEIPT"}), 400, "VALIDATION_FAILED")
    both = {"docType": "RECEIPT", "orderId": "o-1", "invoiceId": str(uuid4())}
    problem(shop.ask("/issue", both), 400, "VALIDATION_FAILED")
    (statement,) = shop.completed(order)
    again = shop.issue(order, "SELLER_STATEMENT")
    assert (again.status_code, again.json()["documentId"]) == (200, statement["documentId"])


def test_an_incomplete_profile_blocks_with_a_task_and_takes_no_number(shop: Shop) -> None:
    platform = f"platform-{uuid4()}"
    buyer = {"partyId": f"buyer-{uuid4()}", "legalName": "Gannet Ropeworks", "type": "B2B"}
    parties = by_platform(platform) | {"buyer": buyer}
    order = shop.paid(orderPartySnapshot=parties)
    refused = shop.issue(order)
    lacking = ["taxId", "address.line1", "address.city", "address.countryCode"]
    assert problem(refused, 422, "PROFILE_INCOMPLETE")["missingFields"] == lacking
    assert problem(shop.issue(order), 422, "PROFILE_INCOMPLETE")["missingFields"] == lacking
    blocked = shop.documents(order)[-1]
    assert (blocked["docType"], blocked["status"], blocked["number"]) == ("FISCAL_INVOICE", "DRAFT", None)
    failed = [each for each in shop.timeline(blocked["documentId"]) if each["eventType"] == "ISSUE_FAILED"]
    assert {each["metadata"]["reason"] for each in failed} == {"issue_failed_profile_missing"}
    assert _tasks_of(shop, buyer["partyId"]), "its owner is asked to complete it"
    assert not _tasks_of(shop, f"buyer-{uuid4()}")

    others = [shop.invoice(shop.paid(orderPartySnapshot=by_platform(platform))) for _ in range(2)]
    assert [each["number"][-1] for each in others] == ["1", "2"], "what is blocked holds no number back"

    path = f"/v1/fiscal-profiles/BUYER/{buyer['partyId']}?countryCode=GB"
    assert shop.client("BUYER", sub="bruno", buyer_id=buyer["partyId"]).put(path, json=PROFILE).is_success
    assert shop.issued(blocked["documentId"])["number"].endswith("3")
    shop.house.catch_up()
    numbers = shop.client("AUDITOR").get(f"/v1/number-series/GB:{platform}:FISCAL_INVOICE/numbers").json()
    assert (len(numbers["items"]), numbers["gaps"]) == (3, [])
    assert not _tasks_of(shop, buyer["partyId"])


def test_documents_that_a_profile_blocks_are_counted_for_the_operator(shop: Shop) -> None:
    order = shop.paid(countryCode="IS", orderPartySnapshot=shop.business_buyer())
    counted = 'docs_issue_failed_total{country="IS",reason="issue_failed_profile_missing"}'
    problem(shop.issue(order, dryRun=True), 422, "PROFILE_INCOMPLETE")
    assert counted not in shop.client("AUDITOR").get("/metrics").text, "a dry run blocks nothing"
    problem(shop.issue(order), 422, "PROFILE_INCOMPLETE")
    assert f"{counted} 1.0" in shop.client("AUDITOR").get("/metrics").text


def test_what_was_refunded_while_the_invoice_was_blocked_is_credited_once_it_is_issued(shop: Shop) -> None:
    order = shop.paid(orderPartySnapshot=shop.business_buyer())
    problem(shop.issue(order), 422, "PROFILE_INCOMPLETE")
    (adjustment,) = shop.refunded(order)
    assert adjustment["docType"] == "ADJUSTMENT_STATEMENT", "nothing was invoiced yet"
    buyer_id = order["orderPartySnapshot"]["buyer"]["partyId"]
    path = f"/v1/fiscal-profiles/BUYER/{buyer_id}?countryCode=GB"
    assert shop.client("FINANCE_ADMIN").put(path, json=PROFILE).is_success
    shop.issued(shop.documents(order)[1]["documentId"])
    kinds = ["RECEIPT", "FISCAL_INVOICE", "ADJUSTMENT_STATEMENT", "CREDIT_NOTE"]
    assert shop.kinds(order) == kinds


def test_a_blocked_invoice_may_be_voided_and_asked_for_again(shop: Shop) -> None:
    order = shop.paid(orderPartySnapshot=shop.business_buyer())
    problem(shop.issue(order), 422, "PROFILE_INCOMPLETE")
    blocked = shop.documents(order)[-1]
    assert shop.detail(blocked["documentId"], "SUPER_ADMIN")["allowedActions"] == ["ISSUE", "VOID"]
    assert shop.correct(blocked["documentId"], "void").status_code == 200
    buyer_id = order["orderPartySnapshot"]["buyer"]["partyId"]
    path = f"/v1/fiscal-profiles/BUYER/{buyer_id}?countryCode=GB"
    assert shop.client("FINANCE_ADMIN").put(path, json=PROFILE).is_success
    answer = shop.issue(order)
    assert (answer.status_code, answer.json()["documentVersion"]) == (201, 2)
    assert shop.issued(answer.json()["documentId"])["status"] == "ISSUED"
    old = shop.detail(blocked["documentId"])
    assert (old["status"], old["number"]) == ("VOIDED", None)


def test_a_dry_run_tells_what_policy_says_and_changes_nothing(shop: Shop) -> None:
    order = shop.paid()
    before = shop.recorded()
    rehearsed = shop.issue(order, dryRun=True)
    assert (rehearsed.status_code, rehearsed.json()["dryRun"]) == (200, True)
    policy = rehearsed.json()["policy"]
    assert (policy["outcome"], policy["policy"]) == ("ON_DEMAND", "GENERIC")
    assert (policy["retentionClass"], policy["taxModel"], policy["languages"][0]) == (
        "COMMERCIAL",
        "INCLUDED",
        "en",
    )
    assert policy["explanation"] and all(isinstance(line, str) for line in policy["explanation"])
    problem(shop.issue(order, asOf="2026-01-01T00:00:00Z"), 400, "VALIDATION_FAILED")
    problem(shop.issue(order, "PAYOUT_STATEMENT", dryRun=True), 422, "POLICY_FORBIDS")
    assert shop.recorded() == before
    assert shop.kinds(order) == ["RECEIPT"]
    assert shop.issue(order).status_code == 201


def _tasks_of(shop: Shop, owner_id: str) -> list[dict[str, Any]]:
    shop.house.catch_up()
    return all_items(shop.client("BUYER", sub=owner_id, buyer_id=owner_id), "/v1/tasks")
