"""A request that succeeds for every operation of the OpenAPI document, over things that are in a house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from interfaces.http.reading import encode_cursor
from tests.support.account_facts import rules_request
from tests.support.artifact_facts import by_value
from tests.support.checkouts import PIN, Till, an_approver
from tests.support.fiscal_profile_facts import profile_request
from tests.support.garage import ADVISOR, FINANCE, MANAGER, Garage
from tests.support.house import BATCH_OF_EVENTS, ONE_EVENT
from tests.support.receipt_desk import ReceiptDesk
from tests.support.shop import Shop
from tests.support.vendor_desk import VendorDesk
from tests.support.work_orders import account_updated, an_account

JSON = "application/json"
LATEST = encode_cursor(2**62)
"""Before anything in a list that shows the newest first."""


@dataclass(frozen=True)
class Example:
    """Values of parameters by name, and bodies by media type."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)


def with_body(body: Any, **parameters: Any) -> Example:
    """An example with a JSON body."""
    return Example(parameters, {JSON: body})


class Seeded:
    """What stands in the house for requests to name; commands get things of their own to change."""

    def __init__(self, garage: Garage) -> None:
        self.garage = garage
        self.account = garage.account()
        self.account_id: str = self.account["customerAccountId"]
        self.artifact_id = f"signature-{uuid4()}"
        self.invoice = garage.issued(self.account, artifactRefs=[by_value(self.artifact_id)])
        self.draft = garage.drafted(self.account)
        self.receipt_desk = ReceiptDesk(garage.house)
        self.paid_invoice = garage.issued(self.account)
        self.receipt_id: str = self.receipt_desk.paid(self.paid_invoice)["receiptId"]
        self.document = garage.document(self.invoice["documents"][0]["documentId"])
        self.checkout_id = str(uuid4())
        self.approver = an_approver(garage.house)
        self.owner = {"ownerType": "SELLER", "ownerId": f"seller-{uuid4()}"}
        profile = "/v1/fiscal-profiles/{ownerType}/{ownerId}?countryCode=MX".format(**self.owner)
        assert garage.client(FINANCE).put(profile, json=profile_request()).status_code == 201
        self.till = Till(garage.client(MANAGER))
        self.till.rules(self.account_id)
        assert self.till.capture(self.checkout_id, self.account_id, "PO-1").status_code == 201
        self.desk = VendorDesk(garage)
        self.vendor_payment = self.desk.pay(100, (self.desk.approved(), 100))
        garage.house.catch_up()

    def values(self) -> dict[str, list[str]]:
        """Ids and keys that exist, by the name of the parameter, or of the body's field, that takes them."""
        return {
            "path.invoiceId": [each["invoiceId"] for each in (self.invoice, self.draft, self.paid_invoice)],
            "path.workOrderId": [self.invoice["workOrderId"], self.draft["workOrderId"]],
            "path.documentId": [self.document["documentId"]],
            "path.receiptId": [self.receipt_id],
            "path.seriesId": [self.document["seriesId"]],
            "path.accountId": [self.account_id, self.account["partyId"], "default"],
            "path.partyId": [self.account["partyId"], self.account_id],
            "path.checkoutId": [self.checkout_id],
            "path.artifactRefId": [self.artifact_id],
            "path.streamType": ["invoice", "document", "work-order"],
            "path.streamId": [self.invoice["invoiceId"], self.document["documentId"]],
            "path.ownerType": [self.owner["ownerType"]],
            "path.ownerId": [self.owner["ownerId"]],
            "path.vendorId": [self.desk.vendor_id],
            "path.billingPaymentId": [self.vendor_payment["billingPaymentId"]],
            "path.paymentRef": [self.vendor_payment["paymentRef"]],
            "query.countryCode": ["MX"],
            "query.documentKey": [self.document["documentKey"]],
            "query.accountId": [self.account_id],
            "query.workOrderId": [self.invoice["workOrderId"]],
            "query.issuerEntityId": [self.invoice["issuerEntityId"]],
            "query.invoiceId": [self.invoice["invoiceId"]],
            "query.token": [self.token_of_document(name) for name in ("PDF", "JSON")],
            "body.accountId": [self.account_id],
            "body.workOrderId": [self.invoice["workOrderId"], self.draft["workOrderId"]],
            "body.username": [self.approver],
        }

    def token_of_document(self, file_format: str) -> str:
        """A fresh download token of one of the document's files."""
        path = f"/v1/documents/{self.document['documentId']}/download-token"
        answer = self.garage.client(FINANCE).post(path, json={"format": file_format})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["downloadToken"])

    def examples(self) -> dict[str, Example]:
        """By operation, as the document names them at both mounts of billing."""
        return {
            **self._documents(),
            **self._document_commands(),
            **self._upstream(),
            **self._mounted(""),
            **self._mounted(".billing"),
            "fiscal-profiles.get": Example({**self.owner, "countryCode": "MX"}),
            "fiscal-profiles.set": with_body(
                profile_request(), ownerType="BUYER", ownerId=f"buyer-{uuid4()}", countryCode="MX"
            ),
            "crm.get-billing-rules": Example({"partyId": self.account["partyId"]}),
            **{name: Example() for name in ("operations.list", "HealthLiveLive", "HealthReadyReady")},
            "MetricsMetrics": Example(),
        }

    def _documents(self) -> dict[str, Example]:
        document = {"documentId": self.document["documentId"]}
        series = {"seriesId": self.document["seriesId"]}
        invoice_id = self.invoice["invoiceId"]
        return {
            "documents.list": Example({"issuerEntityId": self.document["issuerEntityId"], "cursor": LATEST}),
            "documents.get": Example(document),
            "documents.get-by-key": Example({"documentKey": self.document["documentKey"]}),
            "documents.list-events": Example({**document, "cursor": encode_cursor(1)}),
            "documents.verify": Example(document),
            "documents.create-download-token": with_body({"format": "JSON"}, **document),
            "documents.download": Example({"token": self.token_of_document("JSON")}),
            "number-series.list": Example({"cursor": encode_cursor("A")}),
            "number-series.open": with_body(
                {"countryCode": "ES", "issuerEntityId": f"new-{uuid4()}", "docType": "RECEIPT"}
            ),
            "number-series.get": Example(series),
            "number-series.list-numbers": Example({**series, "cursor": encode_cursor("2020/1")}),
            "documents.resend": with_body(
                {"channel": "IN_APP"}, **document, **{"Idempotency-Key": f"again-{uuid4()}"}
            ),
            "tasks.list": Example({"cursor": encode_cursor(1)}),
            "notifications.list": Example({"cursor": LATEST}),
            "audit.search-events": Example({"invoiceId": invoice_id, "cursor": encode_cursor(1)}),
            "audit.get-stream": Example({"streamType": "invoice", "streamId": invoice_id}),
        }

    def _document_commands(self) -> dict[str, Example]:
        with Shop(self.garage.house) as shop:
            corrected = {
                "void": shop.receipt(shop.paid()),
                "replace": shop.receipt(shop.paid()),
                "credit-note": shop.invoice(shop.paid()),
            }
            return {
                "documents.issue": with_body(
                    {"orderId": shop.paid()["orderId"], "docType": "FISCAL_INVOICE"}
                ),
                **{
                    f"documents.{verb}": with_body(
                        {"reasonCode": "ERROR", "elevationToken": shop.approval(document["documentId"])},
                        documentId=document["documentId"],
                    )
                    for verb, document in corrected.items()
                },
            }

    def _upstream(self) -> dict[str, Example]:
        events = [account_updated(an_account()) for _ in range(3)]
        bodies = {ONE_EVENT: events[0], BATCH_OF_EVENTS: [events[1]], JSON: events[2]}
        return {"inbound.receive-events": Example({}, bodies)}

    def _mounted(self, mount: str) -> dict[str, Example]:
        of_mount = {
            **self._invoices(),
            **self._accounts(),
            **self._checkouts(),
            **self._artifacts(),
            **self._receipts(),
            **self._payments(),
            **self._payables(),
            **{
                f"meta.list-{name}": Example()
                for name in ("payment-terms", "invoice-delivery-methods", "invoice-grouping-strategies")
            },
            "meta.list-po-policies": Example(),
            "meta.list-reason-codes": Example({"category": "VOID"}),
            "auth.elevate": with_body({"username": self.approver, "pin": PIN, "purpose": "PO_OVERRIDE"}),
            "auth.set-credential": with_body(
                {"username": f"new-{uuid4()}", "pin": PIN, "permissions": ["billing:auth:elevate"]}
            ),
        }
        return {f"{name}{mount}": example for name, example in of_mount.items()}

    def _invoices(self) -> dict[str, Example]:
        garage = self.garage
        reason = {"reasonCode": "ERROR"}
        to_issue = garage.drafted()
        return {
            "invoices.draft": with_body({"workOrderId": garage.work_order()["workOrderId"]}),
            "invoices.issue": with_body({"invoiceVersion": 1}, invoiceId=to_issue["invoiceId"]),
            "invoices.void": with_body(reason, invoiceId=garage.drafted()["invoiceId"]),
            **{
                f"invoices.{verb}": with_body(reason, invoiceId=garage.issued()["invoiceId"])
                for verb in ("credit", "rebill")
            },
            "invoices.get": Example({"invoiceId": self.invoice["invoiceId"]}),
            "invoices.get-by-workorder": Example({"workOrderId": self.invoice["workOrderId"]}),
            "invoices.list": Example({"accountId": self.account_id, "cursor": LATEST}),
        }

    def _accounts(self) -> dict[str, Example]:
        own, fresh = {"accountId": self.account_id}, str(uuid4())
        issuance = {"approvalRequired": "NEVER", "estimateVersionRequired": False, "overridableBlockers": []}
        reprint = {"maxReprints": 1, "windowHours": 24, "requiresReasonCode": True}
        reprint |= {"requiresElevation": False}
        return {
            "getBillingRules": Example(own),
            "upsertBillingRules": with_body(rules_request(partyId=fresh), accountId=fresh),
            "policies.get-issuance": Example(own),
            "policies.set-issuance": with_body(issuance, accountId=str(uuid4())),
            "policies.get-reprint": Example(own),
            "policies.set-reprint": with_body(reprint, accountId=str(uuid4())),
        }

    def _checkouts(self) -> dict[str, Example]:
        account, fresh = {"accountId": self.account_id}, str(uuid4())
        approval = self.till.approval(self.approver, fresh)
        return {
            "checkout.evaluate": with_body(
                {**account, "orderTotal": 12_000, "currencyUomId": "EUR"}, checkoutId=self.checkout_id
            ),
            "checkout.capture-po": with_body({**account, "poNumber": "PO-2"}, checkoutId=str(uuid4())),
            "checkout.override-po": with_body(
                {**account, "reasonCode": "PO_PENDING", "elevationToken": approval}, checkoutId=fresh
            ),
        }

    def _receipts(self) -> dict[str, Example]:
        desk = self.receipt_desk
        receipt = {"receiptId": desk.paid(desk.own_policy(desk.issued()))["receiptId"]}
        reprint = {"channel": "PRINT", "reasonCode": "LOST"}
        return {
            "receipts.get": Example({"receiptId": self.receipt_id}),
            "receipts.list-by-invoice": Example({"invoiceId": self.paid_invoice["invoiceId"]}),
            "receipts.deliver": with_body({"channel": "PRINT"}, **receipt),
            "receipts.reprint": with_body(reprint, **receipt, **{"Idempotency-Key": f"copy-{uuid4()}"}),
        }

    def _payments(self) -> dict[str, Example]:
        invoice, desk = self.garage.issued(self.account), self.receipt_desk
        keyed = [{"Idempotency-Key": f"money-{uuid4()}"} for _ in range(3)]
        voided, refunded = (desk.paid()["billingPaymentId"] for _ in range(2))
        pay = {"amount": 100, "currencyUomId": invoice["currencyUomId"], "paymentMethodToken": "tok_ok"}
        refund = {"amount": 1, "reasonCode": "CUSTOMER_REQUEST"}
        return {
            "payments.pay": with_body(pay, invoiceId=invoice["invoiceId"], **keyed[0]),
            "payments.void": with_body({"reasonCode": "ERROR"}, billingPaymentId=voided, **keyed[1]),
            "payments.refund": with_body(refund, billingPaymentId=refunded, **keyed[2]),
            "payments.get": Example({"billingPaymentId": refunded}),
            "payments.notify": with_body({"type": "payment_intent.succeeded"}, gateway="stripe"),
        }

    def _payables(self) -> dict[str, Example]:
        desk, payment = self.desk, self.vendor_payment
        return {
            "ap-bills.list": Example({"vendorId": desk.vendor_id, "cursor": encode_cursor("2026-01-01")}),
            "ap-payments.execute": with_body(desk.order(100, (desk.approved(), 100))),
            "ap-payments.get": Example({"billingPaymentId": payment["billingPaymentId"]}),
            "ap-payments.get-by-ref": Example({"paymentRef": payment["paymentRef"]}),
        }

    def _artifacts(self) -> dict[str, Example]:
        ref = {"artifactRefId": self.artifact_id}
        made = self.garage.post(f"/artifacts/{self.artifact_id}/download-token", {}, ADVISOR)
        return {
            "artifacts.list": Example({"invoiceId": self.invoice["invoiceId"]}),
            "artifacts.create-download-token": with_body({"invoiceId": self.invoice["invoiceId"]}, **ref),
            "artifacts.download": Example({"token": made.json()["downloadToken"]}),
        }


def with_examples(document: dict[str, Any], examples: Mapping[str, Example]) -> dict[str, Any]:
    """The document with the examples in it, each where OpenAPI puts it; every operation must have one."""
    for item in document["paths"].values():
        for operation in item.values():
            example = examples[operation["operationId"]]
            parameters = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
            for name, value in example.parameters.items():
                parameters[name]["example"] = value
            for media_type, body in example.bodies.items():
                operation["requestBody"]["content"][media_type]["example"] = body
    return document
