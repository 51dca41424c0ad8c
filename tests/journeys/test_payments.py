"""A customer pays an invoice: in part, in full, twice, with a card that fails, an answer that is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, MANAGER, Garage
from tests.support.house import House, eventually
from tests.support.problems import problem

pytestmark = pytest.mark.slow


class Counter(Garage):
    """Where customers pay."""

    def pay(
        self, invoice: dict[str, Any], amount: int, token: str = "tok_ok", key: str | None = None
    ) -> httpx.Response:
        """A customer pays, under a key of its own unless one is given."""
        body = {
            "amount": amount,
            "currencyUomId": invoice["currencyUomId"],
            "paymentMethodToken": token,
        }
        path = f"/invoices/{invoice['invoiceId']}/payments"
        return self.post(path, body, ADVISOR, {"Idempotency-Key": key or str(uuid4())})

    def payment(self, payment: dict[str, Any], **parameters: Any) -> dict[str, Any]:
        """A payment as a manager sees it."""
        answer = self.get(f"/payments/{payment['billingPaymentId']}", MANAGER, **parameters)
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def take_back(
        self, payment: dict[str, Any], verb: str, key: str | None = None, **body: Any
    ) -> httpx.Response:
        """A manager voids a payment, or refunds of it."""
        path = f"/payments/{payment['billingPaymentId']}/{verb}"
        return self.post(path, body, MANAGER, {"Idempotency-Key": key or str(uuid4())})

    def ended(self, payment: dict[str, Any]) -> dict[str, Any]:
        """A payment once the gateway has said how it ends."""

        def look() -> dict[str, Any] | None:
            detail = self.payment(payment)
            return None if detail["status"] in {"INITIATED", "PENDING"} else detail

        return eventually(look)


@pytest.fixture(scope="module")
def counter(house: House) -> Iterator[Counter]:
    with Counter(house) as counter:
        yield counter


@decision("BILL-DEC-012", "Payments in part leave the rest due; the last one makes the invoice PAID")
def test_an_invoice_is_paid_in_parts(counter: Counter) -> None:
    invoice = counter.issued()
    total = invoice["grandTotal"]
    first = counter.pay(invoice, 1_000)
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["status"], told["paymentType"], told["remainingBalance"]) == (
        *("CAPTURED", "PARTIAL_PAYMENT"),
        total - 1_000,
    )
    shown = counter.detail(invoice)
    assert (shown["status"], shown["balanceDue"]) == ("ISSUED", total - 1_000)
    (standing,) = shown["payments"]
    assert standing == {name: told[name] for name in standing}
    assert standing.keys() == {"billingPaymentId", "amount", "paymentType", "remainingBalance"}
    last = counter.pay(invoice, total - 1_000).json()
    assert (last["paymentType"], last["remainingBalance"]) == ("PAID_IN_FULL", 0)
    shown = counter.detail(invoice)
    assert (shown["status"], shown["payments"][1]["paymentType"]) == ("PAID", "PAID_IN_FULL")
    assert "PAY" not in shown["allowedActions"]
    assert "billing.InvoicePaid" in counter.announced("invoice", invoice["invoiceId"])
    assert problem(counter.pay(invoice, 1), 409, "INVOICE_NOT_PAYABLE")


@decision("BILL-DEC-012", "What money and a credit settle together is told as paid, too")
def test_a_credit_of_the_rest_settles_what_was_paid_in_part(counter: Counter) -> None:
    invoice = counter.issued()
    assert counter.pay(invoice, 1_000).status_code == 201
    assert counter.announced("invoice", invoice["invoiceId"]) == ["billing.InvoiceIssued"]
    assert counter.command(invoice, "credit").status_code == 201
    assert counter.detail(invoice)["status"] == "PAID"
    assert counter.announced("invoice", invoice["invoiceId"]).count("billing.InvoicePaid") == 1


def test_a_payment_that_failed_left_nothing_due_or_paid(counter: Counter) -> None:
    invoice = counter.issued()
    declined = counter.pay(invoice, 1_000, "tok_pending_declined").json()
    assert declined["paymentType"] == "PARTIAL_PAYMENT"
    assert "VOID" not in counter.detail(invoice)["allowedActions"], "a payment is under way"
    ended = counter.ended(declined)
    assert (ended["status"], ended["paymentType"], ended["remainingBalance"]) == ("FAILED", None, None)
    assert {"PAY", "VOID"} <= set(counter.detail(invoice, MANAGER)["allowedActions"])


@decision("BILL-DEC-012", "Nobody pays more than is due, nor in another currency")
def test_what_may_not_be_paid(counter: Counter) -> None:
    invoice = counter.issued()
    problem(counter.pay(invoice, invoice["grandTotal"] + 1), 422, "PAYMENT_EXCEEDS_BALANCE")
    problem(counter.pay({**invoice, "currencyUomId": "JPY"}, 100), 422, "CURRENCY_MISMATCH")
    problem(counter.pay(counter.drafted(), 100), 409, "INVOICE_NOT_PAYABLE")
    problem(counter.pay(invoice, 0), 400, "VALIDATION_FAILED")
    problem(counter.pay(invoice, 100, token="4242 4242 4242 4242"), 400, "CARD_DATA_REFUSED")
    problem(counter.pay(invoice, 100, token="4242424242424242"), 400, "CARD_DATA_REFUSED")
    body = {"amount": 1, "currencyUomId": "EUR", "paymentMethodToken": "tok_ok"}
    problem(
        counter.post(f"/invoices/{invoice['invoiceId']}/payments", body),
        *(400, "IDEMPOTENCY_KEY_REQUIRED"),
    )
    assert counter.detail(invoice)["payments"] == []


@decision("BILL-DEC-012", "Where the account's rules say so, an invoice is only paid as a whole")
def test_partial_payments_may_be_disabled(counter: Counter) -> None:
    account = counter.account()
    rules = {
        "partyId": account["partyId"],
        "purchaseOrderRequired": False,
        "paymentTermsCode": "NET30",
        "invoiceDeliveryMethod": "PORTAL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
        "partialPaymentsAllowed": False,
    }
    assert counter.put(f"/rules/{account['customerAccountId']}", rules).is_success
    invoice = counter.issued(account)
    problem(counter.pay(invoice, 1_000), 422, "PARTIAL_PAYMENTS_DISABLED")
    assert counter.pay(invoice, invoice["grandTotal"]).json()["paymentType"] == "PAID_IN_FULL"


@decision("S2", "A repeat of a payment is answered as the first, byte for byte, and charges nothing")
@pytest.mark.parametrize(("token", "status"), [("tok_ok", 201), ("tok_declined", 402), ("tok_pending", 202)])
def test_a_repeat_is_answered_as_the_first(counter: Counter, token: str, status: int) -> None:
    invoice, key = counter.issued(), str(uuid4())
    first = counter.pay(invoice, 1_000, token, key)
    assert first.status_code == status, first.text
    repeated = counter.pay(invoice, 1_000, token, key)
    assert (repeated.status_code, repeated.content) == (status, first.content)
    assert repeated.headers["Idempotent-Replayed"] == "true"
    problem(counter.pay(invoice, 999, token, key), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_declined_card_leaves_everything_due(counter: Counter) -> None:
    invoice = counter.issued()
    assert problem(counter.pay(invoice, invoice["grandTotal"], "tok_declined"), 402, "PAYMENT_DECLINED")
    assert counter.detail(invoice)["balanceDue"] == invoice["grandTotal"]
    assert counter.pay(invoice, invoice["grandTotal"]).status_code == 201


@decision("S2", "What the gateway does not know yet, or did not tell, is settled by asking it")
@pytest.mark.parametrize("token", ["tok_pending", "tok_timeout_charged"])
def test_what_hangs_is_settled(counter: Counter, token: str) -> None:
    invoice = counter.issued()
    answer = counter.pay(invoice, invoice["grandTotal"], token)
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    problem(counter.pay(invoice, 1), 422, "PAYMENT_EXCEEDS_BALANCE")
    ended = counter.ended(answer.json())
    assert (ended["status"], ended["paymentType"], ended["remainingBalance"]) == (
        "CAPTURED",
        "PAID_IN_FULL",
        0,
    )
    assert counter.detail(invoice)["status"] == "PAID"


@decision("BILL-DEC-012", "Payments at the same time never exceed the balance together")
def test_many_pay_the_same_balance_at_once(counter: Counter) -> None:
    invoice = counter.issued()
    with ThreadPoolExecutor(8) as tills:
        answers = list(tills.map(lambda _: counter.pay(invoice, invoice["grandTotal"]), range(8)))
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert [answer.status_code for answer in answers].count(201) == 1
    refused = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert refused <= {"PAYMENT_EXCEEDS_BALANCE", "INVOICE_NOT_PAYABLE"}
    assert len(counter.detail(invoice)["payments"]) == 1


def test_a_void_makes_it_due_again_and_takes_its_receipt_along(counter: Counter) -> None:
    invoice = counter.issued()
    paid = counter.pay(invoice, invoice["grandTotal"]).json()
    problem(counter.command(invoice, "void"), 409, "INVOICE_NOT_VOIDABLE")
    answer = counter.take_back(paid, "void", reasonCode="ERROR")
    assert (answer.status_code, answer.json()["status"]) == (200, "VOIDED")
    shown = counter.detail(invoice)
    assert (shown["status"], shown["balanceDue"]) == ("ISSUED", invoice["grandTotal"])
    receipt = counter.get(f"/receipts/{paid['receiptId']}").json()
    assert receipt["status"] == "VOIDED"
    assert counter.document(receipt["documentId"])["status"] == "VOIDED"
    problem(counter.take_back(paid, "void"), 409, "PAYMENT_NOT_VOIDABLE")


@decision("BILL-DEC-012", "A refund, in part or whole, has a document that corrects the payment's receipt")
def test_refunds_are_documented(counter: Counter) -> None:
    invoice = counter.issued()
    paid = counter.pay(invoice, invoice["grandTotal"]).json()
    key = str(uuid4())
    answer = counter.take_back(paid, "refund", key, amount=569, reasonCode="CUSTOMER_REQUEST")
    assert (answer.status_code, answer.json()["status"]) == (200, "PARTIALLY_REFUNDED")
    again = counter.take_back(paid, "refund", key, amount=569, reasonCode="CUSTOMER_REQUEST")
    assert again.content == answer.content
    (refund,) = answer.json()["refunds"]
    document = counter.document(refund["documentId"])
    receipt = counter.get(f"/receipts/{paid['receiptId']}").json()
    assert document["docType"] == "ADJUSTMENT_STATEMENT"
    assert (document["linkedDocuments"][0]["relation"], document["linkedDocuments"][0]["documentId"]) == (
        *("CORRECTS",),
        receipt["documentId"],
    )
    assert (counter.detail(invoice)["status"], counter.detail(invoice)["balanceDue"]) == ("ISSUED", 569)
    problem(counter.take_back(paid, "refund", amount=invoice["grandTotal"]), 422, "REFUND_EXCEEDS_PAID")
    problem(counter.take_back(paid, "refund", reasonCode="BORED"), 400, "VALIDATION_FAILED")
    rest = counter.take_back(paid, "refund")
    assert (rest.json()["status"], rest.json()["refundedAmount"]) == ("REFUNDED", invoice["grandTotal"])
    problem(counter.take_back(paid, "refund"), 409, "PAYMENT_NOT_REFUNDABLE")
    shown = counter.payment(paid)
    assert {link["rel"] for link in shown["links"]} == {"invoice", "account", "receipt", "refund-document"}
    assert shown["allowedActions"] == []


@decision("S2", "Who, when, what and how much can be told of every payment, for any moment")
def test_a_payment_is_told_as_it_stood(counter: Counter) -> None:
    invoice = counter.issued()
    answer = counter.pay(invoice, 1_000)
    paid, position = answer.json(), int(answer.headers["X-Ledger-Position"])
    counter.take_back(paid, "refund", amount=400)
    assert counter.payment(paid)["refundedAmount"] == 400
    then = counter.payment(paid, asOfPosition=position)
    assert (then["status"], then["refundedAmount"]) == ("CAPTURED", 0)
    auditor = counter.client(AUDITOR)
    told = auditor.get(f"/v1/audit/streams/payment/{paid['billingPaymentId']}").json()
    assert [event["type"] for event in told["events"]] == [
        *("payment.initiated", "payment.authorized", "payment.captured"),
        *("payment.refund-asked", "payment.refunded"),
    ]
    assert {event["actor"] for event in told["events"]} == {"ana"}


def test_a_notice_that_nobody_signed_is_refused(counter: Counter) -> None:
    for gateway in ("stripe", "bank"):
        answer = counter.post(f"/gateways/{gateway}/notices", {"type": "payment_intent.succeeded"})
        problem(answer, 401, "NOTICE_REFUSED")
    problem(counter.post("/gateways/unknown/notices", {}), 404, "NOT_FOUND")
