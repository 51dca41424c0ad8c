"""Loaders written by hand for the read models of payments, customers' and vendors'."""

from benchmarks.references.ledger_rows import Event, Tables
from projections.ap_payments_due import AP_PAYMENT_DUE_TABLE
from projections.bills import BILL_TABLE
from projections.payments import PAYMENT_TABLE


def load_payment(tables: Tables, event: Event) -> None:
    """A customer pays, and has the money."""
    payments = tables[PAYMENT_TABLE.name]
    match event.name:
        case "payment.initiated":
            ended = dict.fromkeys(("reference", "deferred", "gatewayDeferred", "captured", "failed", "void"))
            state = {
                "initiated": {"deliver": None, **event.data},
                "status": "INITIATED",
                "authorized": False,
                **ended,
                "refunds": {},
            }
            due = {"is_due": True, "in_hand": True, "due_at": event.recorded_at}
            payments[event.stream_id] = {"billing_payment_id": event.stream_id, "payment": state, **due}
            return
        case "payment.authorized":
            news = {"status": "PENDING", "authorized": True, "reference": event.data["reference"]}
        case "payment.captured":
            news = {"status": "CAPTURED", "captured": event.data}
            payments[event.stream_id] |= {"is_due": False, "in_hand": False}
    payments[event.stream_id]["payment"] |= news
    payments[event.stream_id]["due_at"] = event.recorded_at


def load_bill(tables: Tables, event: Event) -> None:
    """A vendor's bill is approved and paid."""
    bills = tables[BILL_TABLE.name]
    match event.name:
        case "bill.approved":
            told = event.data["bill"]
            bills[event.stream_id] = {
                "bill_id": event.stream_id,
                "vendor_id": told["vendorId"],
                "bill_number": told["billNumber"],
                "currency_uom_id": told["currencyUomId"],
                "total_amount": told["totalAmount"],
                "paid_amount": 0,
                "reserved_amount": 0,
                "is_cancelled": False,
                "status": "OPEN",
                "due_date": told["dueDate"],
                "approved_at": event.recorded_at,
            }
        case "bill.payment-reserved":
            bills[event.stream_id]["reserved_amount"] += event.data["amount"]
        case "bill.payment-applied":
            bill = bills[event.stream_id]
            bill["reserved_amount"] -= event.data["amount"]
            bill["paid_amount"] += event.data["amount"]
            bill["status"] = "PAID" if bill["paid_amount"] == bill["total_amount"] else "OPEN"


def load_ap_payment_due(tables: Tables, event: Event) -> None:
    """The bank has to be asked, until it has paid."""
    due = tables[AP_PAYMENT_DUE_TABLE.name]
    if event.name == "ap-payment.gateway-succeeded":
        del due[event.stream_id]
    else:
        due[event.stream_id] = {"billing_payment_id": event.stream_id, "due_at": event.recorded_at}
