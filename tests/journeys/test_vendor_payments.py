"""Paying vendors: bills come in, a clerk pays them, the bank moves the money, accounting books it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.decisions import decision
from tests.support.garage import AUDITOR, FINANCE, Garage
from tests.support.house import House, cloud_event, eventually
from tests.support.payable_facts import bill_data
from tests.support.problems import problem
from tests.support.vendor_desk import CLERK, VendorDesk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def garage(house: House) -> Iterator[Garage]:
    with Garage(house) as garage:
        yield garage


@pytest.fixture
def desk(garage: Garage) -> VendorDesk:
    return VendorDesk(garage)


def vendor(garage: Garage, behaviour: str) -> VendorDesk:
    """A vendor with whom the simulated bank does something special."""
    return VendorDesk(garage, f"sim-{behaviour}-{uuid4().hex}")


def history(garage: Garage, stream_type: str, stream_id: str) -> list[str]:
    """What happened to something, by the end of its name."""
    events = garage.client(AUDITOR).get(f"/v1/audit/streams/{stream_type}/{stream_id}").json()["events"]
    return [event["type"].partition(".")[2] for event in events]


@decision("BILL-DEC-013", "A payment is executed, moved by the gateway, and booked by accounting later")
def test_a_bill_is_paid_and_booked(garage: Garage, desk: VendorDesk) -> None:
    bill = desk.approved()
    assert desk.stands(bill) == ("OPEN", 10_000, 0, 0)
    asked = desk.pay(10_000, (bill, 10_000))
    assert asked["status"] == "INITIATED"
    paid = desk.settled(asked)
    assert paid["status"] == "GL_POST_PENDING" and paid["gateway"]["reference"]
    assert desk.stands(bill) == ("PAID", 0, 0, 10_000)
    assert desk.bills(status="OPEN") == []
    assert desk.books(paid) == "ACCEPTED"
    booked = desk.detail(paid)
    assert (booked["status"], booked["journalEntryId"]) == ("GL_POSTED", "je-17")
    assert ("journal-entry", "je-17") in {(link["rel"], link["targetId"]) for link in booked["links"]}
    by_ref = garage.get(f"/ap/payments/by-ref/{asked['paymentRef']}", CLERK)
    assert by_ref.json() == booked
    steps = [
        *("initiated", "gateway-awaited", "gateway-succeeded"),
        *("gl-post-awaited", "gl-posted"),
    ]
    assert history(garage, "ap-payment", asked["billingPaymentId"]) == steps
    assert history(garage, "bill", bill["billId"]) == ["approved", "payment-reserved", "payment-applied"]


@decision("BILL-DEC-013", "Accounting is told of a success exactly once, with what was paid for what")
def test_accounting_is_told_once(garage: Garage, desk: VendorDesk) -> None:
    bill = desk.approved()
    order = desk.order(12_000, (bill, 10_000))
    payment = desk.execute(order).json()
    for _ in range(3):
        assert desk.execute(order).json()["billingPaymentId"] == payment["billingPaymentId"]
    desk.settled(payment)
    for _ in range(2):
        desk.books(payment)
    assert garage.announced("ap-payment", payment["billingPaymentId"]) == ["billing.ApPaymentSucceeded"]


@decision("BILL-DEC-013", "Execution is idempotent by paymentRef")
def test_the_same_reference_pays_once(desk: VendorDesk) -> None:
    bill = desk.approved()
    order = desk.order(10_000, (bill, 10_000))
    first = desk.execute(order)
    paid = desk.settled(first.json())
    again = desk.execute(order)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == paid
    problem(desk.execute({**order, "grossAmount": 10_001}), 409, "PAYMENT_REF_CONFLICT")
    assert desk.stands(bill) == ("PAID", 0, 0, 10_000)


@decision("BILL-DEC-013", "A bill is paid in parts, by any number of payments, and never beyond its total")
def test_a_bill_is_paid_in_parts(desk: VendorDesk) -> None:
    first, second = desk.approved(), desk.approved(5_000)
    desk.settled(desk.pay(9_000, (first, 4_000), (second, 5_000)))
    assert desk.stands(first) == ("OPEN", 6_000, 0, 4_000)
    assert desk.stands(second) == ("PAID", 0, 0, 5_000)
    too_much = desk.order(6_001, (first, 6_001))
    problem(desk.execute(too_much), 422, "ALLOCATION_EXCEEDS_OPEN_AMOUNT")
    desk.settled(desk.pay(6_000, (first, 6_000)))
    assert desk.stands(first) == ("PAID", 0, 0, 10_000)
    refused = problem(desk.execute(desk.order(1, (first, 1))), 422, "BILL_NOT_PAYABLE")
    assert refused["reasonCode"] == "BILL_PAID"


@decision("BILL-DEC-013", "A gross amount above zero, allocations within it, bills that are open")
def test_what_is_validated(garage: Garage, desk: VendorDesk) -> None:
    bill, cancelled = desk.approved(), desk.approved()
    desk.outcome("payables.BILL_CANCELLED", cancelled)
    problem(desk.execute(desk.order(0)), 422, "GROSS_AMOUNT_NOT_POSITIVE")
    problem(desk.execute(desk.order(9_999, (bill, 10_000))), 422, "ALLOCATIONS_EXCEED_GROSS")
    problem(desk.execute(desk.order(10_000, (cancelled, 10_000))), 422, "BILL_NOT_PAYABLE")
    for rehearsed in (True, False):
        order = desk.order(10_000, (bill, 10_000), dryRun=rehearsed)
        assert desk.execute(order).is_success


@decision("BILL-DEC-013", "A payment that fails at the gateway frees what it had reserved")
def test_a_declined_payment_frees_its_bill(garage: Garage) -> None:
    desk = vendor(garage, "declined")
    bill = desk.approved()
    failed = desk.settled(desk.pay(10_000, (bill, 10_000)))
    assert (failed["status"], failed["gateway"]["failureCode"]) == ("GATEWAY_FAILED", "account_closed")
    assert desk.stands(bill) == ("OPEN", 10_000, 0, 0)
    assert garage.announced("ap-payment", failed["billingPaymentId"]) == []
    refused = desk.tell(
        "accounting.GL_POSTED", {"billingPaymentId": failed["billingPaymentId"], "journalEntryId": "je-1"}
    )
    problem(refused, 409, "PAYMENT_NOT_POSTABLE")
    again = desk.settled(desk.pay(10_000, (bill, 10_000)))
    assert again["billingPaymentId"] != failed["billingPaymentId"]


@decision("BILL-DEC-013", "What the gateway does not know yet keeps its reservation until it does")
def test_a_pending_payment_keeps_its_reservation(garage: Garage) -> None:
    desk = vendor(garage, "pending")
    bill = desk.approved()
    payment = desk.pay(10_000, (bill, 10_000))
    assert desk.bill(bill)["openAmount"] == 0
    problem(desk.execute(desk.order(1, (bill, 1))), 422, "ALLOCATION_EXCEEDS_OPEN_AMOUNT")
    assert desk.settled(payment)["status"] == "GL_POST_PENDING"
    assert "gateway-deferred" in history(garage, "ap-payment", payment["billingPaymentId"])
    assert desk.stands(bill) == ("PAID", 0, 0, 10_000)

    desk = vendor(garage, "pending-declined")
    bill = desk.approved()
    assert desk.settled(desk.pay(10_000, (bill, 10_000)))["status"] == "GATEWAY_FAILED"
    assert desk.stands(bill) == ("OPEN", 10_000, 0, 0)


@decision("BILL-DEC-013", "A booking wins over a refusal, whichever accounting tells first")
@decision("BILL-DEC-014", "A vendor payment's posting error is a plain summary; its detail is for finance")
def test_accounting_answers_in_any_order(garage: Garage, desk: VendorDesk) -> None:
    payment = desk.settled(desk.pay(100))
    assert desk.refuses_to_book(payment) == "ACCEPTED"
    assert desk.refuses_to_book(payment) == "DUPLICATE"
    for role in (CLERK, AUDITOR):
        seen = desk.detail(payment, role)
        assert (seen["status"], seen["postingErrorSummary"]["code"]) == ("GL_POST_FAILED", "PERIOD_CLOSED")
        assert ("postingErrorDetail" in seen) == (role == AUDITOR), "an auditor views everything"
        assert "2100-07" not in str(seen["postingErrorSummary"])
    assert desk.detail(payment, FINANCE)["postingErrorDetail"] == {
        "code": "PERIOD_CLOSED",
        "detail": "GL 2100-07 is closed",
    }
    assert desk.books(payment) == "ACCEPTED"
    assert desk.books(payment) == "DUPLICATE"
    assert desk.refuses_to_book(payment, "TOO_LATE") == "DUPLICATE"
    booked = desk.detail(payment, FINANCE)
    assert (booked["status"], booked["postingErrorSummary"]) == ("GL_POSTED", None)
    assert booked.get("postingErrorDetail") is None


@decision("BILL-DEC-014", "A code that could name an account or a system is not shown")
def test_a_summary_names_no_account(desk: VendorDesk) -> None:
    payment = desk.settled(desk.pay(100))
    desk.refuses_to_book(payment, "SAP-4711/2100")
    summary = desk.detail(payment)["postingErrorSummary"]
    assert summary["code"] == "POSTING_FAILED" and "4711" not in str(summary)


@decision("BILL-DEC-013", "How accounting stands is only shown: no operation changes it")
def test_nothing_changes_how_accounting_stands(garage: Garage, desk: VendorDesk) -> None:
    payment = desk.settled(desk.pay(100))
    assert payment["allowedActions"] == []
    path = f"{garage.mount}/ap/payments/{payment['billingPaymentId']}"
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        answer = garage.client(FINANCE).request(method, path, json={"status": "GL_POSTED"})
        assert answer.status_code in {404, 405}


def test_what_accounting_answers_too_early_takes_effect_in_the_end(garage: Garage) -> None:
    desk = vendor(garage, "pending")
    payment = desk.pay(100)
    assert desk.books(payment) in {"WAITING", "ACCEPTED"}
    eventually(lambda: desk.detail(payment)["status"] == "GL_POSTED")
    assert desk.detail(payment)["journalEntryId"] == "je-17"


@decision("BILL-DEC-013", "A bill cancelled while it is being paid takes that payment, and no other")
def test_a_bill_is_cancelled_while_it_is_being_paid(garage: Garage) -> None:
    desk = vendor(garage, "pending")
    bill = desk.approved()
    payment = desk.pay(6_000, (bill, 6_000))
    assert desk.outcome("payables.BILL_CANCELLED", bill) == "ACCEPTED"
    refused = problem(desk.execute(desk.order(1, (bill, 1))), 422, "BILL_NOT_PAYABLE")
    assert refused["reasonCode"] == "BILL_CANCELLED"
    desk.settled(payment)
    assert desk.stands(bill) == ("CANCELLED", 0, 0, 6_000)


def test_bills_come_in_batches_and_in_any_order(garage: Garage, desk: VendorDesk) -> None:
    bills = [bill_data(billId=str(uuid4()), vendorId=desk.vendor_id, memo="kept") for _ in range(3)]
    events = [
        cloud_event("payables.BILL_CANCELLED", {"billId": bills[0]["billId"]}, str(uuid4())),
        *(cloud_event("payables.BILL_APPROVED", bill, str(uuid4())) for bill in bills),
        cloud_event("payables.BILL_APPROVED", bills[1], str(uuid4())),
        cloud_event("payables.BILL_APPROVED", {**bills[2], "totalAmount": 1}, str(uuid4())),
    ]
    results = garage.house.post(events).json()["results"]
    assert [result["outcome"] for result in results] == [
        *("WAITING", "ACCEPTED", "ACCEPTED", "ACCEPTED"),
        *("DUPLICATE", "REJECTED"),
    ]
    assert [desk.bill(bill)["status"] for bill in bills] == ["CANCELLED", "OPEN", "OPEN"]
    events_of = garage.client(AUDITOR).get(f"/v1/audit/streams/bill/{bills[1]['billId']}").json()["events"]
    assert events_of[0]["data"]["bill"]["memo"] == "kept"
