"""What the ledger says of all payments: its events alone, added up without the service's rules."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.house import House, all_items

_CUSTOMERS = ("initiated", "authorized", "captured", "failed", "void-asked", "voided", "void-failed")
_REFUNDS = ("refund-asked", "refunded", "refund-failed")
_VENDORS = ("initiated", "gateway-pending", "gateway-succeeded", "gateway-failed")
_INVOICES = ("issued", "payment-reserved", "payment-released", "payment-applied", "payment-reversed")


@dataclass
class Payment:
    """A payment as its events tell it, a vendor's or a customer's; amounts in minor units.

    `trace_id` is of who asked for it; `refunds` and `refund_traces` are by refund id, those that were made.
    """

    amount: int
    trace_id: str
    invoice_id: str | None = None
    moved: bool = False
    failed: bool = False
    voided: bool = False
    receipt_id: str | None = None
    refunds: dict[str, int] = field(default_factory=dict)
    refund_documents: list[str] = field(default_factory=list)
    refund_traces: dict[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> int:
        """What of it stands: moved and not given back."""
        return self.amount - sum(self.refunds.values()) if self.moved and not self.voided else 0


@dataclass
class InvoiceBook:
    """What stands against an invoice and what is reserved of it, by payment id."""

    applied: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reserved: set[str] = field(default_factory=set)


@dataclass
class LedgerSide:
    """All of it, by id."""

    payments: dict[str, Payment]
    vendor_payments: dict[str, Payment]
    invoices: dict[str, InvoiceBook]
    receipts: dict[str, tuple[str, str]]
    """Receipt id: the payment's id and the document's."""


def ledger_side(auditor: httpx.Client) -> LedgerSide:
    """Reads it through the audit API."""
    payments: dict[str, Payment] = {}
    for event in _events(auditor, "payment", (*_CUSTOMERS, *_REFUNDS)):
        _take(payments, event)
    vendor_payments: dict[str, Payment] = {}
    for event in _events(auditor, "ap-payment", _VENDORS):
        _take_vendors(vendor_payments, event)
    invoices: dict[str, InvoiceBook] = {}
    for event in _events(auditor, "invoice", _INVOICES):
        _take_invoice(invoices.setdefault(event["streamId"], InvoiceBook()), event)
    receipts = {
        event["streamId"]: (event["data"]["billingPaymentId"], event["data"]["documentId"])
        for event in _events(auditor, "receipt", ("generated",))
    }
    return LedgerSide(payments, vendor_payments, invoices, receipts)


def _events(auditor: httpx.Client, stream_type: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    types = [f"{stream_type}.{name}" for name in names]
    return all_items(auditor, "/v1/audit/events", type=types)


def _take(payments: dict[str, Payment], event: dict[str, Any]) -> None:
    identity, data, name = event["streamId"], event["data"], event["type"].partition(".")[2]
    if name == "initiated":
        payments[identity] = Payment(data["amount"], event["correlationId"], data["invoiceId"])
    payment = payments[identity]
    if name == "captured":
        assert not payment.moved, f"{identity} is captured twice"
        payment.moved, payment.receipt_id = True, data["receiptId"]
    elif name == "failed":
        payment.failed = True
    elif name == "voided":
        payment.voided = not payment.failed
    elif name == "refund-asked":
        payment.refund_traces[data["refundId"]] = event["correlationId"]
    elif name == "refunded":
        assert data["refundId"] not in payment.refunds, f"{identity} is refunded twice"
        payment.refunds[data["refundId"]] = data["amount"]
        payment.refund_documents.append(data["documentId"])


def _take_vendors(payments: dict[str, Payment], event: dict[str, Any]) -> None:
    identity, name = event["streamId"], event["type"].partition(".")[2]
    if name == "initiated":
        payments[identity] = Payment(event["data"]["payment"]["grossAmount"], event["correlationId"])
    elif name == "gateway-succeeded":
        payments[identity].moved = True
    elif name == "gateway-failed":
        payments[identity].failed = True


def _take_invoice(book: InvoiceBook, event: dict[str, Any]) -> None:
    data, name = event["data"], event["type"].partition(".")[2]
    if name == "payment-reserved":
        book.reserved.add(data["billingPaymentId"])
    elif name in {"payment-released", "payment-applied"}:
        book.reserved.remove(data["billingPaymentId"])
    if name == "payment-applied":
        book.applied[data["billingPaymentId"]] += data["amount"]
    elif name == "payment-reversed":
        book.applied[data["billingPaymentId"]] -= data["amount"]


def hanging(house: House) -> list[str]:
    """Payments, customers' and vendors', and documents that something is still to become of."""
    streams: dict[tuple[str, str], list[str]] = defaultdict(list)
    query = """
        SELECT stream_type, stream_id, name FROM ledger.event
        WHERE stream_type IN ('payment', 'ap-payment', 'document') ORDER BY position
    """
    with house.database() as connection:
        for stream_type, stream_id, name in connection.execute(query):
            streams[stream_type, stream_id].append(name.partition(".")[2])
    hangs = {"payment": _payment_hangs, "ap-payment": _vendor_payment_hangs, "document": _document_hangs}
    return [
        f"{kind} {identity}: {names}" for (kind, identity), names in streams.items() if hangs[kind](names)
    ]


def _payment_hangs(names: list[str]) -> bool:
    """Nobody knows how it ends, money is held in vain, or something is to be given back."""
    open_, failed, held, voiding, refunds = True, False, False, False, 0
    for name in names:
        open_ = open_ and name not in {"captured", "failed", "voided"}
        failed = failed or name == "failed"
        held = (held or name == "authorized") and name not in {"voided", "captured"}
        voiding = (voiding or name == "void-asked") and name not in {"voided", "void-failed"}
        refunds += (name == "refund-asked") - (name in {"refunded", "refund-failed"})
    return open_ or (failed and held) or voiding or refunds > 0


def _vendor_payment_hangs(names: list[str]) -> bool:
    return not {"gateway-succeeded", "gateway-failed"} & set(names)


def _document_hangs(names: list[str]) -> bool:
    return not {"issued", "voided"} & set(names)
