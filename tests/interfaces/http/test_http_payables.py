"""Bills and payments to vendors over HTTP: what is taken, what is refused, what is shown to whom."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.support.decisions import decision, rule
from tests.support.garage import AUDITOR, FINANCE, MOUNTS, Garage
from tests.support.house import House, all_items
from tests.support.payable_facts import bill_data
from tests.support.problems import fields_of, problem
from tests.support.vendor_desk import CLERK, VendorDesk


@pytest.fixture(params=MOUNTS)
def desk(request: pytest.FixtureRequest, house: House) -> Iterator[VendorDesk]:
    with Garage(house, request.param) as garage:
        yield VendorDesk(garage)


def test_a_payment_reserves_what_it_is_for(desk: VendorDesk) -> None:
    first, second = desk.approved(), desk.approved(5_000)
    order = desk.order(14_000, (first, 10_000), (second, 3_000))
    answer = desk.execute(order)
    assert answer.status_code == 201
    shown = answer.json()
    for name in ("vendorId", "grossAmount", "currencyUomId", "paymentRef", "allocations"):
        assert shown[name] == order[name]
    assert (shown["status"], shown["onAccountAmount"]) == ("INITIATED", 1_000)
    assert shown["gateway"] == {"name": "bank", "reference": None, "failureCode": None}
    assert shown["journalEntryId"] is None and shown["postingErrorSummary"] is None
    assert shown["allowedActions"] == [] and shown["createdAt"].endswith("Z")
    links = {(link["rel"], link["targetType"], link["targetId"]) for link in shown["links"]}
    assert {("vendor", "Vendor", desk.vendor_id), ("bill", "Bill", first["billId"])} <= links
    status, open_amount, reserved, paid = desk.stands(second)
    assert (status, open_amount, reserved + paid) == ("OPEN", 2_000, 3_000)


@rule("IDEM-14")
def test_the_same_reference_names_the_same_payment(desk: VendorDesk) -> None:
    first, second = desk.approved(), desk.approved()
    order = desk.order(9_000, (first, 4_000), (second, 5_000))
    created = desk.execute(order)
    in_another_order = {**order, "allocations": order["allocations"][::-1]}
    for again in (order, in_another_order):
        answer = desk.execute(again)
        assert answer.status_code == 200
        assert answer.json()["billingPaymentId"] == created.json()["billingPaymentId"]
    for changed in (
        {"grossAmount": 9_001},
        {"vendorId": "another"},
        {"currencyUomId": "USD"},
        {"allocations": []},
        {"grossAmount": 0},
    ):
        problem(desk.execute({**order, **changed}), 409, "PAYMENT_REF_CONFLICT")
    _, open_amount, *_ = desk.stands(second)
    assert open_amount == 5_000


def test_a_key_is_answered_byte_for_byte_as_with_other_commands(desk: VendorDesk) -> None:
    order, key = desk.order(100), {"Idempotency-Key": str(uuid4())}
    first, again = (desk.execute(order, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content and again.headers["idempotent-replayed"] == "true"
    other = desk.order(101)
    problem(desk.execute(other, **key), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_payment_for_no_bill_is_on_account(desk: VendorDesk) -> None:
    order = desk.order(100)
    del order["allocations"]
    shown = desk.execute(order).json()
    assert (shown["allocations"], shown["onAccountAmount"]) == ([], 100)


@rule("AUDIT-11")
def test_a_rehearsal_changes_nothing(desk: VendorDesk) -> None:
    bill = desk.approved()
    order = desk.order(10_000, (bill, 10_000), dryRun=True)
    rehearsed = desk.execute(order)
    assert rehearsed.status_code == 200 and rehearsed.json()["dryRun"] is True
    assert desk.stands(bill) == ("OPEN", 10_000, 0, 0)
    problem(desk.garage.get(f"/ap/payments/by-ref/{order['paymentRef']}", CLERK), 404, "NOT_FOUND")
    too_much = desk.order(20_000, (bill, 10_001), dryRun=True)
    problem(desk.execute(too_much), 422, "ALLOCATION_EXCEEDS_OPEN_AMOUNT")
    assert desk.execute({**order, "dryRun": False}).status_code == 201


@pytest.mark.parametrize("gross", [0, -1])
def test_a_gross_amount_is_above_zero(desk: VendorDesk, gross: int) -> None:
    problem(desk.execute(desk.order(gross)), 422, "GROSS_AMOUNT_NOT_POSITIVE")


def test_allocations_may_not_exceed_the_gross_amount(desk: VendorDesk) -> None:
    bill = desk.approved()
    problem(desk.execute(desk.order(9_999, (bill, 10_000))), 422, "ALLOCATIONS_EXCEED_GROSS")
    assert desk.stands(bill)[1] == 10_000


def test_what_cannot_be_paid_is_refused_with_the_reason(desk: VendorDesk) -> None:
    good = desk.approved()
    cancelled = desk.approved()
    assert desk.outcome("payables.BILL_CANCELLED", cancelled) == "ACCEPTED"
    nothing = desk.approved(0)
    cases = {
        "BILL_UNKNOWN": {"billId": str(uuid4())},
        "BILL_CANCELLED": cancelled,
        "BILL_PAID": nothing,
        "BILL_OF_ANOTHER_VENDOR": VendorDesk(desk.garage).approved(),
    }
    for reason, bill in cases.items():
        refused = problem(desk.execute(desk.order(200, (good, 100), (bill, 100))), 422, "BILL_NOT_PAYABLE")
        assert refused["reasonCode"] == reason
        (named,) = refused["fieldErrors"]
        assert (named["field"], named["code"]) == ("allocations.1", reason)
    problem(desk.execute(desk.order(100, (good, 100), currencyUomId="USD")), 422, "CURRENCY_MISMATCH")
    problem(desk.execute(desk.order(20_000, (good, 10_001))), 422, "ALLOCATION_EXCEEDS_OPEN_AMOUNT")
    assert desk.stands(good) == ("OPEN", 10_000, 0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grossAmount": "100"}, "grossAmount"),
        ({"grossAmount": 100.5}, "grossAmount"),
        ({"grossAmount": True}, "grossAmount"),
        ({"grossAmount": 2**53}, "grossAmount"),
        ({"grossAmount": None}, "grossAmount"),
        ({"currencyUomId": "XYZ"}, "currencyUomId"),
        ({"paymentRef": ""}, "paymentRef"),
        ({"paymentRef": "x" * 65}, "paymentRef"),
        ({"paymentRef": 7}, "paymentRef"),
        ({"vendorId": ""}, "vendorId"),
        ({"allocations": None}, "allocations"),
        ({"allocations": [{"billId": str(uuid4()), "appliedAmount": 0}]}, "allocations.0.appliedAmount"),
        ({"allocations": [{"billId": str(uuid4()), "appliedAmount": -1}]}, "allocations.0.appliedAmount"),
        ({"allocations": [{"billId": str(uuid4()), "appliedAmount": 1.0}]}, "allocations.0.appliedAmount"),
        ({"allocations": [{"billId": "7", "appliedAmount": 1}]}, "allocations.0.billId"),
        ({"allocations": [{"billId": str(uuid4())}]}, "allocations.0.appliedAmount"),
        ({"status": "GL_POSTED"}, "status"),
    ],
)
def test_what_is_malformed_is_refused_by_its_field(
    desk: VendorDesk, changes: dict[str, Any], field: str
) -> None:
    refused = problem(desk.execute({**desk.order(100), **changes}), 400, "VALIDATION_FAILED")
    assert fields_of(refused) == {field}


def test_a_bill_is_named_once(desk: VendorDesk) -> None:
    bill = desk.approved()
    twice = desk.order(200, (bill, 100), ({"billId": bill["billId"].upper()}, 100))
    assert fields_of(problem(desk.execute(twice), 400, "VALIDATION_FAILED")) == {"allocations"}


def test_each_operation_has_its_own_permission(desk: VendorDesk) -> None:
    payment = desk.pay(100)
    house, mount = desk.garage.house, desk.garage.mount
    path = f"{mount}/ap/payments/{payment['billingPaymentId']}"
    asked = {
        "billing:ap:payment:execute": lambda client: client.post(f"{mount}/ap/payments", json=desk.order(1)),
        "billing:ap:payment:view": lambda client: client.get(path),
        "billing:ap:bill:view": lambda client: client.get(f"{mount}/ap/vendors/{desk.vendor_id}/bills"),
    }
    for permission in asked:
        with house.client(permissions=[permission]) as client:
            for needed, ask in asked.items():
                answer = ask(client)
                assert answer.is_success if needed == permission else answer.status_code == 403, needed
    with house.client("SERVICE_ADVISOR") as advisor:
        for ask in asked.values():
            problem(ask(advisor), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize("ref", ["a/b", "a//b", "/a", "a/", "//", "Überweisung?%", "/by-ref/", "%25", " x "])
def test_a_payment_is_found_by_any_reference(desk: VendorDesk, ref: str) -> None:
    payment_ref = f"{ref}{uuid4()}{ref}"
    payment = desk.pay(100, paymentRef=payment_ref)
    found = desk.garage.client(CLERK).get(
        f"{desk.garage.mount}/ap/payments/by-ref/{quote(payment_ref, safe='')}"
    )
    assert found.status_code == 200, found.text
    assert found.json()["billingPaymentId"] == payment["billingPaymentId"]


def test_what_is_not_there_is_not_found(desk: VendorDesk) -> None:
    for path in (f"/ap/payments/{uuid4()}", "/ap/payments/7", f"/ap/payments/by-ref/{uuid4()}"):
        problem(desk.garage.get(path, CLERK), 404, "NOT_FOUND")
    assert desk.bills() == []


def test_a_payment_is_shown_as_it_stood(desk: VendorDesk) -> None:
    answer = desk.execute(desk.order(100))
    position, payment = int(answer.headers["x-ledger-position"]), answer.json()
    clerk, path = desk.garage.client(CLERK), f"{desk.garage.mount}/ap/payments"
    own = f"{path}/{payment['billingPaymentId']}"
    now = clerk.get(own)
    assert int(now.headers["etag"].strip('"')) >= 1
    for asked in (own, f"{path}/by-ref/{payment['paymentRef']}"):
        before = clerk.get(asked, params={"asOfPosition": position - 2})
        problem(before, 404, "NOT_FOUND")
        then = clerk.get(asked, params={"asOfPosition": position})
        assert (then.json()["status"], then.headers["etag"]) == ("INITIATED", '"1"')


def test_bills_are_listed_by_their_due_dates(desk: VendorDesk) -> None:
    later = desk.approved(dueDate="2026-05-01", glAccount="600")
    sooner = desk.approved(dueDate="2026-04-01")
    same_day = desk.approved(dueDate="2026-05-01")
    assert desk.outcome("payables.BILL_CANCELLED", sooner) == "ACCEPTED"
    due = [sooner["billId"], *sorted([later["billId"], same_day["billId"]])]
    assert [bill["billId"] for bill in desk.bills()] == due
    assert [bill["billId"] for bill in desk.bills(status="OPEN")] == due[1:]
    assert [bill["billId"] for bill in desk.bills(status="CANCELLED")] == due[:1]
    path = f"{desk.garage.mount}/ap/vendors/{desk.vendor_id}/bills"
    paged = all_items(desk.garage.client(CLERK), path, limit=1)
    assert [bill["billId"] for bill in paged] == due
    shown = desk.bill(later)
    assert {name: shown[name] for name in bill_data() if name != "dueDate"} == {
        name: later[name] for name in bill_data() if name != "dueDate"
    }
    assert (shown["dueDate"], shown["openAmount"], shown["status"]) == ("2026-05-01", 10_000, "OPEN")
    assert shown["allowedActions"] == ["PAY"]
    assert [bill["allowedActions"] for bill in desk.bills(AUDITOR)] == [[], [], []]


def test_a_list_refuses_what_it_does_not_know(desk: VendorDesk) -> None:
    path = f"{desk.garage.mount}/ap/vendors/{desk.vendor_id}/bills"
    clerk = desk.garage.client(CLERK)
    for parameters in ({"status": "LATE"}, {"cursor": "Wzdd"}, {"cursor": "WyJ4Il0"}, {"limit": 0}):
        problem(clerk.get(path, params=parameters), 400, "VALIDATION_FAILED")


def test_a_bill_is_told_once(desk: VendorDesk) -> None:
    bill = desk.approved()
    assert desk.outcome("payables.BILL_APPROVED", bill) == "DUPLICATE"
    problem(desk.tell("payables.BILL_APPROVED", {**bill, "totalAmount": 9_999}), 409, "SNAPSHOT_CONFLICT")
    unknown = bill_data(billId=str(uuid4()), vendorId=desk.vendor_id)
    assert desk.outcome("payables.BILL_CANCELLED", unknown) == "WAITING"
    assert desk.outcome("payables.BILL_CANCELLED", unknown) == "DUPLICATE"
    assert desk.outcome("payables.BILL_APPROVED", unknown) == "ACCEPTED"
    assert desk.stands(unknown) == ("CANCELLED", 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"totalAmount": 10.5}, "data.totalAmount"),
        ({"totalAmount": -1}, "data.totalAmount"),
        ({"dueDate": "01/04/2026"}, "data.dueDate"),
        ({"dueDate": 20260401}, "data.dueDate"),
        ({"billId": "7"}, "data.billId"),
        ({"vendorId": ""}, "data.vendorId"),
        ({"currencyUomId": "EURO"}, "data.currencyUomId"),
    ],
)
def test_a_malformed_bill_is_refused(desk: VendorDesk, changes: dict[str, Any], field: str) -> None:
    told = bill_data(**{"billId": str(uuid4()), "vendorId": desk.vendor_id, **changes})
    refused = problem(desk.tell("payables.BILL_APPROVED", told), 400, "VALIDATION_FAILED")
    assert fields_of(refused) == {field}


def test_accounting_names_a_payment_or_an_invoice(desk: VendorDesk) -> None:
    payment = desk.pay(100)
    both = {"billingPaymentId": payment["billingPaymentId"], "invoiceId": str(uuid4())}
    for data in ({}, both):
        for said in ({"journalEntryId": "je-1"}, {"errorCode": "PERIOD_CLOSED"}):
            name = "GL_POSTED" if "journalEntryId" in said else "GL_POST_FAILED"
            answer = desk.tell(f"accounting.{name}", {**data, **said})
            assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"data"}
    nobodys = {"billingPaymentId": str(uuid4()), "journalEntryId": "je-1"}
    problem(desk.tell("accounting.GL_POSTED", nobodys), 404, "NOT_FOUND")


@decision("BILL-DEC-015", "A line names the payment to a vendor, by its id and by its payer's reference")
def test_a_log_line_names_the_payment(desk: VendorDesk) -> None:
    answer = desk.execute(desk.order(100), FINANCE)
    payment = answer.json()
    named = {name: payment[name] for name in ("billingPaymentId", "paymentRef")}
    assert _named(desk, answer) == named
    clerk, path = desk.garage.client(CLERK), f"{desk.garage.mount}/ap/payments"
    assert _named(desk, clerk.get(f"{path}/{payment['billingPaymentId']}")) == named
    by_ref = f"{path}/by-ref/{quote(payment['paymentRef'], safe='')}"
    assert _named(desk, clerk.get(by_ref)) == named
    unknown = f"run/{uuid4()}"
    assert _named(desk, clerk.get(f"{path}/by-ref/{quote(unknown, safe='')}")) == {"paymentRef": unknown}
    refused = desk.execute(desk.order(0, paymentRef=unknown))
    assert (refused.status_code, _named(desk, refused)) == (422, {"paymentRef": unknown})


@rule("PII-18")
@pytest.mark.parametrize("written", ["Wren Finch, Pier Road {}", "wren{}@finch.example"])
def test_what_somebody_wrote_for_a_reference_is_in_no_log(desk: VendorDesk, written: str) -> None:
    payment_ref = written.format(uuid4().hex[:8])
    payment = desk.pay(100, paymentRef=payment_ref)
    path = f"{desk.garage.mount}/ap/payments/by-ref/{quote(payment_ref, safe='')}"
    found = desk.garage.client(CLERK).get(path)
    assert _named(desk, found) == {"billingPaymentId": payment["billingPaymentId"]}
    desk.settled(payment)
    log = desk.garage.house.log_path.read_text(encoding="utf-8")
    assert payment_ref not in log and quote(payment_ref) not in log


def _named(desk: VendorDesk, answer: httpx.Response) -> dict[str, str]:
    """The ids of payments on the line of a request."""
    line = desk.garage.house.logged(answer.headers["x-correlation-id"])
    return {name: line[name] for name in ("billingPaymentId", "paymentRef") if name in line}
