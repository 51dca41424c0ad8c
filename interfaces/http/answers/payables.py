"""Vendors' bills and payments to vendors as clients see them (contract §5); amounts are minor units."""

from datetime import date
from typing import Any

from domain.kernel.facts import Utc, Value
from domain.payables.ap_payment_facts import Allocation
from domain.payables.bill import BillStatus, open_amount


class BillItem(Value):
    """A bill: its total is what is open, what payments under way have reserved, and what is paid.

    Nothing is open of a cancelled bill; what is reserved or paid of it was under way before.
    """

    bill_id: str
    vendor_id: str
    bill_number: str
    currency_uom_id: str
    total_amount: int
    open_amount: int
    reserved_amount: int
    paid_amount: int
    due_date: date
    status: BillStatus
    approved_at: Utc
    allowed_actions: list[str]


class BillPage(Value):
    """A page of a vendor's bills, the first due first."""

    items: list[BillItem]
    next_cursor: str | None


class ApGatewayAnswer(Value):
    """Who moves the money, what it calls the payment, and its word for why it did not."""

    name: str
    reference: str | None
    failure_code: str | None


class ApPaymentAnswer(Value):
    """A payment to a vendor; what is for no bill stands to the vendor's account.

    `postingErrorDetail` needs `billing:posting-error:detail:view`. Where accounting stands is only told.
    """

    billing_payment_id: str
    vendor_id: str
    gross_amount: int
    currency_uom_id: str
    payment_ref: str
    allocations: list[Allocation]
    on_account_amount: int
    status: str
    gateway: ApGatewayAnswer
    journal_entry_id: str | None
    posting_error_summary: dict[str, str] | None
    posting_error_detail: dict[str, str] | None = None
    created_at: Utc
    links: list[dict[str, str]]
    allowed_actions: list[str]


def bill_item(row: dict[str, Any], permissions: frozenset[str]) -> BillItem:
    """A row of the read model as an item for a caller with these permissions."""
    payable = open_amount(
        row["status"], total=row["total_amount"], paid=row["paid_amount"], reserved=row["reserved_amount"]
    )
    may_pay = payable > 0 and "billing:ap:payment:execute" in permissions
    derived = {"open_amount": payable, "allowed_actions": ["PAY"] if may_pay else []}
    return BillItem(**{name: row[name] for name in BillItem.model_fields if name not in derived}, **derived)
