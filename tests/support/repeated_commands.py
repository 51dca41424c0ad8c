"""A request for every kind of command, each on things of its own, to be sent, lost and sent again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import httpx

from tests.support.artifact_facts import by_value
from tests.support.fiscal_profile_facts import profile_request
from tests.support.garage import APPROVES, FINANCE, PIN, Garage
from tests.support.house import ONE_EVENT, paid
from tests.support.work_orders import account_updated, an_account

BILLING = "/v1/billing"

Repeat = Literal["stored", "decided alike", "minted anew"]
"""What a repeat gets: the stored answer of its key; without a key, what is decided as before; or a fresh
secret, for answers that carry one are never stored (contract §2)."""


@dataclass
class Desk:
    """One person, with every permission, who asks for one thing again and again."""

    garage: Garage
    client: httpx.Client
    approver: str

    def approval(self, purpose: str, target_id: str) -> str:
        """An elevation token that the approver gives this person by PIN."""
        asked = {"username": self.approver, "pin": PIN, "purpose": purpose, "targetId": target_id}
        answer = self.client.post(f"{BILLING}/auth/elevate", json=asked)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["elevationToken"])


class Asked(NamedTuple):
    """A request, but for its key."""

    method: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str] = {}  # noqa: RUF012 - a tuple's default, which nobody changes

    def request(self, client: httpx.Client, key: str | None) -> httpx.Request:
        """The same request each time."""
        keyed = {"Content-Type": "application/json", **({} if key is None else {"Idempotency-Key": key})}
        content = json.dumps(self.body).encode()
        return client.build_request(
            self.method, self.path, content=content, headers={**keyed, **self.headers}
        )


@dataclass(frozen=True)
class Kind:
    """A kind of command: how it is asked for, what a repeat gets, and in how many transactions it is done.

    `use` spends the secret of an answer that carries one, and gives what that was answered with.
    """

    operation: str
    ask: Callable[[Desk], Asked]
    repeat: Repeat = "stored"
    transactions: int = 1
    use: Callable[[Desk, dict[str, Any]], httpx.Response] | None = field(default=None, repr=False)

    @property
    def has_key(self) -> bool:
        """Whether it is sent with an Idempotency-Key."""
        return self.repeat != "decided alike"


def post(path: str, **body: Any) -> Asked:
    """A POST below the mount."""
    return Asked("POST", f"{BILLING}{path}", body)


def _of_issued(verb: str, **body: Any) -> Callable[[Desk], Asked]:
    return lambda desk: post(f"/invoices/{desk.garage.issued()['invoiceId']}/{verb}", **body)


def _payment_of(invoice: dict[str, Any]) -> dict[str, Any]:
    amount, currency = invoice["grandTotal"], invoice["currencyUomId"]
    return {"amount": amount, "currencyUomId": currency, "paymentMethodToken": "tok_ok"}


def _pay(desk: Desk) -> Asked:
    invoice = desk.garage.issued()
    return post(f"/invoices/{invoice['invoiceId']}/payments", **_payment_of(invoice))


def _paid(desk: Desk) -> dict[str, Any]:
    invoice = desk.garage.issued()
    path, key = f"/invoices/{invoice['invoiceId']}/payments", {"Idempotency-Key": str(uuid4())}
    answer = desk.garage.post(path, _payment_of(invoice), headers=key)
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


def _of_paid(verb: str, **body: Any) -> Callable[[Desk], Asked]:
    return lambda desk: post(f"/payments/{_paid(desk)['billingPaymentId']}/{verb}", **body)


def _of_paid_receipt(verb: str, **body: Any) -> Callable[[Desk], Asked]:
    return lambda desk: post(f"/receipts/{_paid(desk)['receiptId']}/{verb}", **body)


def _issue(**body: Any) -> Callable[[Desk], Asked]:
    return lambda desk: post(f"/invoices/{desk.garage.drafted()['invoiceId']}/issue", **body)


def _issue_by_approval(desk: Desk) -> Asked:
    garage = desk.garage
    invoice_id = garage.drafted(garage.account(classification="B2C", taxId=None))["invoiceId"]
    return post(f"/invoices/{invoice_id}/issue", elevationToken=desk.approval("INVOICE_ISSUE", invoice_id))


def _rules(**changes: Any) -> dict[str, Any]:
    return {
        "paymentTermsCode": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
        **changes,
    }


def _first_rules(_: Desk) -> Asked:
    party_id = f"party-{uuid4().hex}"
    return Asked("PUT", f"{BILLING}/rules/{party_id}", _rules(partyId=party_id))


def _changed_rules(desk: Desk) -> Asked:
    first = _first_rules(desk)
    created = desk.garage.client(FINANCE).put(first.path, json=first.body)
    assert created.status_code == 201, created.text
    path, body = first.path.removeprefix("/v1"), {**first.body, "paymentTermsCode": "NET60"}
    return Asked("PUT", path, body, {"If-Match": created.headers["etag"]})


def _policy(kind: str, **terms: Any) -> Callable[[Desk], Asked]:
    path = f"{BILLING}/policies/{kind}"
    return lambda _: Asked("PUT", f"{path}/{uuid4()}", terms, {"If-Match": '"0"'})


def _override(desk: Desk) -> Asked:
    return _override_by(desk.approval("PO_OVERRIDE", checkout := str(uuid4())), checkout)


def _override_by(token: str, checkout: str) -> Asked:
    body = {"accountId": str(uuid4()), "reasonCode": "OTHER", "elevationToken": token}
    return post(f"/checkout/{checkout}/po-override", **body)


def _vendor_payment(_: Desk) -> Asked:
    money = {"grossAmount": 12_000, "currencyUomId": "EUR"}
    return post("/ap/payments", vendorId=f"vendor-{uuid4()}", paymentRef=f"run/{uuid4()}", **money)


def _elevate(desk: Desk) -> Asked:
    return post("/auth/elevate", username=desk.approver, pin=PIN, purpose="PO_OVERRIDE")


def _use_approval(desk: Desk, answer: dict[str, Any]) -> httpx.Response:
    return desk.client.send(_override_by(answer["elevationToken"], str(uuid4())).request(desk.client, None))


def _artifact_token(desk: Desk) -> Asked:
    desk.garage.drafted(artifactRefs=[by_value(ref := f"signature-{uuid4()}")])
    return post(f"/artifacts/{ref}/download-token")


def _document_token(desk: Desk) -> Asked:
    document_id = desk.garage.issued()["documents"][0]["documentId"]
    desk.garage.document(document_id)
    return Asked("POST", f"/v1/documents/{document_id}/download-token", {"format": "JSON"})


def _download(desk: Desk, answer: dict[str, Any]) -> httpx.Response:
    return desk.client.get(answer["url"])


def _resend(desk: Desk) -> Asked:
    document_id = desk.garage.issued()["documents"][0]["documentId"]
    desk.garage.document(document_id)
    return Asked("POST", f"/v1/documents/{document_id}/resend", {"channel": "EMAIL"})


def _an_order(desk: Desk) -> dict[str, Any]:
    event = paid(f"o-{uuid4()}")
    return desk.garage.house.issued(event)


def _document_on_demand(desk: Desk) -> Asked:
    order_id = _an_order(desk)["orderId"]
    return Asked("POST", "/v1/documents/issue", {"orderId": order_id, "docType": "FISCAL_INVOICE"})


def _of_receipt(verb: str) -> Callable[[Desk], Asked]:
    return lambda desk: _correction(desk, verb, _an_order(desk)["documentId"])


def _credit_note(desk: Desk) -> Asked:
    asked = _document_on_demand(desk)
    drafted = desk.garage.client(FINANCE).post(asked.path, json=asked.body)
    assert drafted.status_code == 201, drafted.text
    return _correction(
        desk, "credit-note", desk.garage.house.wait_for_issue(drafted.json()["documentId"])["documentId"]
    )


def _correction(desk: Desk, verb: str, document_id: str) -> Asked:
    approval = desk.approval("DOCUMENT_CORRECTION", document_id)
    return Asked(
        "POST",
        f"/v1/documents/{document_id}/{verb}",
        {"reasonCode": "ERROR", "elevationToken": approval},
    )


def _number_series(_: Desk) -> Asked:
    series = {"countryCode": "GB", "issuerEntityId": f"issuer-{uuid4()}", "docType": "RECEIPT"}
    return Asked("POST", "/v1/number-series", series)


def _fiscal_profile(_: Desk) -> Asked:
    path = f"/v1/fiscal-profiles/BUYER/buyer-{uuid4()}?countryCode=MX"
    return Asked("PUT", path, profile_request(), {"If-Match": '"0"'})


def _upstream_fact(_: Desk) -> Asked:
    return Asked("POST", "/v1/inbound/events", account_updated(an_account()), {"Content-Type": ONE_EVENT})


KINDS = {
    "draft": Kind(
        "invoices.draft",
        lambda desk: post("/invoices/draft", workOrderId=desk.garage.work_order()["workOrderId"]),
    ),
    "issue": Kind("invoices.issue", _issue()),
    "issue by approval": Kind("invoices.issue", _issue_by_approval),
    "issue of a version": Kind("invoices.issue", _issue(invoiceVersion=1), "decided alike"),
    "void": Kind("invoices.void", _of_issued("void", reasonCode="ERROR")),
    "void without a key": Kind("invoices.void", _of_issued("void", reasonCode="ERROR"), "decided alike"),
    "credit": Kind(
        "invoices.credit",
        _of_issued("credit", reasonCode="ERROR", lines=[{"lineId": "1", "quantity": "0.5"}]),
    ),
    "rebill": Kind("invoices.rebill", _of_issued("rebill", reasonCode="ERROR")),
    "payment": Kind("payments.pay", _pay, transactions=3),
    "void of a payment": Kind("payments.void", _of_paid("void", reasonCode="ERROR"), transactions=2),
    "refund": Kind("payments.refund", _of_paid("refund", amount=1), transactions=2),
    "receipt": Kind("receipts.deliver", _of_paid_receipt("deliver", channel="PRINT")),
    "reprint": Kind("receipts.reprint", _of_paid_receipt("reprint", channel="PRINT", reasonCode="LOST")),
    "first rules": Kind("billing-rules.upsert", _first_rules),
    "changed rules": Kind("billing-rules.upsert", _changed_rules),
    "issuance policy": Kind("policies.set-issuance", _policy("issuance", approvalRequired="ALWAYS")),
    "reprint policy": Kind("policies.set-reprint", _policy("reprint", maxReprints=1)),
    "evaluation": Kind(
        "checkout.evaluate",
        lambda _: post(f"/checkout/{uuid4()}/evaluate", accountId=str(uuid4())),
        "decided alike",
        transactions=0,
    ),
    "purchase order": Kind(
        "checkout.capture-po",
        lambda _: post(f"/checkout/{uuid4()}/po", accountId=str(uuid4()), poNumber="PO-4711"),
    ),
    "override": Kind("checkout.override-po", _override),
    "vendor payment": Kind("ap-payments.execute", _vendor_payment),
    "credential": Kind(
        "auth.set-credential",
        lambda _: post("/auth/credentials", username=f"olga-{uuid4()}", pin=PIN, permissions=APPROVES),
    ),
    "elevation": Kind("auth.elevate", _elevate, "minted anew", use=_use_approval),
    "artifact token": Kind("artifacts.create-download-token", _artifact_token, "minted anew", use=_download),
    "document token": Kind("documents.create-download-token", _document_token, "minted anew", use=_download),
    "resend": Kind("documents.resend", _resend),
    "number series": Kind("number-series.open", _number_series),
    "fiscal profile": Kind("fiscal-profiles.set", _fiscal_profile),
    "document on demand": Kind("documents.issue", _document_on_demand),
    "void of a document": Kind("documents.void", _of_receipt("void")),
    "void of a document without a key": Kind("documents.void", _of_receipt("void"), "decided alike"),
    "replacement": Kind("documents.replace", _of_receipt("replace")),
    "credit note": Kind("documents.credit-note", _credit_note),
    "upstream fact": Kind("inbound.receive-events", _upstream_fact),
}
"""By what tests call them."""
