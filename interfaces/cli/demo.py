"""A demo for a first look: the life of invented orders, a garage's invoices, bills and payments."""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import httpx
import structlog

from infrastructure.keys.store import KeyStore
from infrastructure.settings import Settings
from interfaces.bootstrap import local_tokens

log = structlog.get_logger(__name__)

ACTOR = "billing-demo"
ROLES = ("SYSTEM", "FINANCE_ADMIN")
TOKEN_SECONDS = 300
LONGEST_WAIT_SECONDS = 60

ISSUER_PATH = "/v1/fiscal-profiles/PLATFORM/demo-fernway?countryCode=GB"
ISSUER = {
    "legalName": "Fernway Marketplace Ltd",
    "taxId": "GB 100 2003 04",
    "address": {"line1": "4 Quay Lane", "city": "Bristol", "postalCode": "BS1 4XX", "countryCode": "GB"},
}
INVOICED_ORDERS = ("demo-1001", "demo-1005")
"""Somebody asks for their invoices. The second one's buyer is a business that lacks a fiscal profile."""


def load_demo(settings: Settings) -> None:
    """Sends the demo to the API once it is ready, if the ledger is empty or began with the demo.

    Each of its requests may be repeated, so what an interrupted start left undone is finished by the next.
    """
    if settings.jwt_jwks_url:
        log.info("demo-skipped", reason="tokens come from an identity provider")
        return
    token = local_tokens(settings, KeyStore(settings.data_dir / "keys")).issue(
        sub=ACTOR, now=datetime.now(UTC), ttl_seconds=TOKEN_SECONDS, roles=ROLES
    )
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=settings.base_url, headers=headers, timeout=30, trust_env=False) as client:
        try:
            if not _is_ready(client):
                log.warning("demo-skipped", reason="the service did not become ready")
                return
            first = client.get("/v1/audit/events", params={"limit": 1}).raise_for_status().json()["items"]
            if first and first[0]["actor"] != ACTOR:
                return
            _tell(client, (("orders.PAID_IN_ESCROW", order["orderId"], order) for order in demo("orders")))
            _ask_for_invoices(client)
            _tell(client, ((each["type"], each["id"], each["data"]) for each in demo("life")))
            _invoice(client, demo("work_orders"))
            _take_payments(client, demo("work_orders"))
            _pay(client, demo("payables"))
            log.info("demo-loaded")
        except (httpx.HTTPError, KeyError, ValueError) as error:
            log.warning("demo-skipped", error=type(error).__name__)


def demo(name: str) -> list[dict[str, Any]]:
    """The demo's `orders`, as upstream sends them, their `life` (`{type, id, data}`), and a garage's.

    One of `work_orders` is `{account, rules?, workOrder, issue, paid?}`: what CRM and Work Execution tell,
    the account's billing rules, whether its invoice is issued or stays a draft, and whether it is paid. One
    of `payables` is `{bill, payment?}`: what payables tells, and the payment of it where there is one.
    """
    text = resources.files("interfaces.cli").joinpath(f"demo_{name}.json").read_text("utf-8")
    content: list[dict[str, Any]] = json.loads(text)
    return content


def _ask_for_invoices(client: httpx.Client) -> None:
    """Asks once: a profile that somebody set since stands, and so does what became of an invoice."""
    if client.get(ISSUER_PATH).status_code == httpx.codes.NOT_FOUND:
        client.put(ISSUER_PATH, json=ISSUER).raise_for_status()
    for order_id in INVOICED_ORDERS:
        asked = {"orderId": order_id, "docType": "FISCAL_INVOICE"}
        if client.get("/v1/documents", params=asked).raise_for_status().json()["items"]:
            continue
        answer = client.post("/v1/documents/issue", json=asked)
        if not answer.is_success and answer.json()["code"] != "PROFILE_INCOMPLETE":
            answer.raise_for_status()


def _invoice(client: httpx.Client, jobs: list[dict[str, Any]]) -> None:
    accounts = (job["account"] for job in jobs)
    _tell(client, (("crm.ACCOUNT_UPDATED", each["customerAccountId"], each) for each in accounts))
    for job in jobs:
        if "rules" in job:
            # Without If-Match this mount lets nothing be changed: rules that somebody set since stand.
            answer = client.put(f"/billing/rules/{job['account']['customerAccountId']}", json=job["rules"])
            if answer.status_code != httpx.codes.CONFLICT:
                answer.raise_for_status()
    # In a request of its own, for artifacts are sealed for the customer of whom CRM has told.
    work_orders = (job["workOrder"] for job in jobs)
    _tell(client, (("workexec.WORK_ORDER_READY", each["workOrderId"], each) for each in work_orders))
    for job in jobs:
        body = {"workOrderId": job["workOrder"]["workOrderId"]}
        answer = client.post("/v1/billing/invoices/draft", json=body)
        # A refusal says that it was issued or voided before; a rebill's draft is somebody else's work.
        if job["issue"] and answer.is_success and answer.json()["rebillOfInvoiceId"] is None:
            draft = answer.json()
            client.post(
                f"/v1/billing/invoices/{draft['invoiceId']}/issue",
                json={"invoiceVersion": draft["invoiceVersion"]},
            ).raise_for_status()


def _take_payments(client: httpx.Client, jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        if not job.get("paid"):
            continue
        work_order_id = job["workOrder"]["workOrderId"]
        invoice = client.get(f"/v1/billing/invoices/by-workorder/{work_order_id}").raise_for_status().json()
        answer = client.post(
            f"/v1/billing/invoices/{invoice['invoiceId']}/payments",
            json={
                "amount": invoice["grandTotal"],
                "currencyUomId": invoice["currencyUomId"],
                "paymentMethodToken": "tok_ok",
            },
            headers={"Idempotency-Key": f"demo/{work_order_id}"},
        )
        # What became of the invoice since stands; where no gateway is configured nobody pays.
        if answer.status_code not in {httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE}:
            answer.raise_for_status()


def _pay(client: httpx.Client, payables: list[dict[str, Any]]) -> None:
    bills = (each["bill"] for each in payables)
    _tell(client, (("payables.BILL_APPROVED", bill["billId"], bill) for bill in bills))
    for each in payables:
        if "payment" in each:
            client.post("/v1/billing/ap/payments", json=each["payment"]).raise_for_status()


def _tell(client: httpx.Client, told: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """Reports facts by type, the id of what they tell of, and data; told again they change nothing."""
    events = [
        {
            "specversion": "1.0",
            "id": f"demo/{name}",
            "source": "urn:billing:demo",
            "type": event_type,
            "data": data,
        }
        for event_type, name, data in told
    ]
    client.post(
        "/v1/inbound/events",
        content=json.dumps(events),
        headers={"Content-Type": "application/cloudevents-batch+json"},
    ).raise_for_status()


def _is_ready(client: httpx.Client) -> bool:
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < give_up_at:
        with suppress(httpx.TransportError):  # Not listening yet.
            if client.get("/health/ready").status_code == httpx.codes.OK:
                return True
        time.sleep(0.2)
    return False
