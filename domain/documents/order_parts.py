"""The parts that an order's documents have in common: what the buyer pays, lines with their taxes, summaries.

Every amount is the snapshot's; only in a summary are taxes of one kind added up, exactly.
"""

from collections.abc import Callable, Iterable
from typing import Any

from domain.documents.content_parts import line_content, present
from domain.documents.document_facts import Totals
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot, SnapshotTax, buyer_tax_total
from domain.kernel.facts import rfc3339

IsShown = Callable[[SnapshotTax], bool]
"""Which of a snapshot's taxes the document's reader is shown."""


def is_on_invoice(tax: SnapshotTax) -> bool:
    """An invoice shows every tax but those on what the seller pays the platform."""
    return tax.applies_to != "SELLER_FEE"


def is_shown_to_buyer(tax: SnapshotTax) -> bool:
    """The buyer sees the taxes in and on what it pays, not those withheld from or charged to the seller."""
    return tax.mode != "WITHHELD" and is_on_invoice(tax)


def buyer_amounts(snapshot: OrderFinancialSnapshot) -> dict[str, Any]:
    """What the buyer pays beside its lines and taxes: coupon, subtotal, fees with their credits, total."""
    return {
        "currencyUomId": snapshot.currency_uom_id,
        "sellerCouponDiscount": snapshot.seller_coupon_discount,
        "itemsSubtotal": snapshot.items_subtotal,
        "platformFeeBeforeCredits": snapshot.platform_fee_before_credits,
        "feeCreditsApplied": snapshot.fee_credits_applied,
        "platformFeeAfterCredits": snapshot.platform_fee_after_credits,
        "opsFee": snapshot.ops_fee,
        "processingFee": snapshot.processing_fee,
        "buyerTotal": snapshot.buyer_total,
    }


def buyer_totals(snapshot: OrderFinancialSnapshot) -> Totals:
    """The five totals of a document that shows what the buyer pays, or gets back.

    `discount_total` (the seller's coupon) is already taken off `items_subtotal`; `tax_total` is what the
    buyer pays on top, taxes included in prices stay in these.
    """
    return Totals(
        items_subtotal=snapshot.items_subtotal,
        discount_total=snapshot.seller_coupon_discount,
        fee_total=snapshot.platform_fee_after_credits + snapshot.ops_fee + snapshot.processing_fee,
        tax_total=buyer_tax_total(snapshot),
        grand_total=snapshot.buyer_total,
    )


def payment_content(order: OrderData) -> dict[str, Any]:
    """When and how the order was paid, as far as that is known."""
    paid = {"paidAt": rfc3339(order.paid_at)} if order.paid_at is not None else {}
    return {**paid, **present({"paymentMeansCode": order.payment_means_code})}


def lines_content(snapshot: OrderFinancialSnapshot, is_shown: IsShown) -> list[dict[str, Any]]:
    """The lines, each with the taxes that name it."""
    by_line: dict[str, list[dict[str, Any]]] = {}
    for tax in snapshot.taxes:
        if tax.line_id is not None and tax.applies_to == "ITEMS" and is_shown(tax):
            row = {**_kind_of_tax(tax), "baseAmount": tax.base_amount, "amount": tax.amount}
            by_line.setdefault(tax.line_id, []).append(row)
    return [
        {**line_content(line), **({"taxes": by_line[line.line_id]} if line.line_id in by_line else {})}
        for line in snapshot.lines
    ]


def tax_summary(taxes: Iterable[SnapshotTax]) -> list[dict[str, Any]]:
    """Taxes by code, category, rate, mode and what they apply to, in order of first appearance.

    A snapshot may list a tax once a line; those rows are one here, their bases and amounts added exactly.
    """
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for tax in taxes:
        row = {"appliesTo": tax.applies_to, **_kind_of_tax(tax)}
        shown = rows.setdefault(tuple(sorted(row.items())), {**row, "baseAmount": 0, "amount": 0})
        shown["baseAmount"] += tax.base_amount
        shown["amount"] += tax.amount
    return list(rows.values())


def taxes_and_withheld(snapshot: OrderFinancialSnapshot, is_shown: IsShown) -> dict[str, Any]:
    """The summaries of taxes included or added, and of those withheld, for these are part of no total."""
    shown = [tax for tax in snapshot.taxes if is_shown(tax)]
    return {
        "taxes": tax_summary(tax for tax in shown if tax.mode != "WITHHELD"),
        "withheldTaxes": tax_summary(tax for tax in shown if tax.mode == "WITHHELD"),
    }


def _kind_of_tax(tax: SnapshotTax) -> dict[str, Any]:
    return {
        "taxCode": tax.tax_code,
        "kind": tax.kind,
        "mode": tax.mode,
        "rateBasisPoints": tax.rate_basis_points,
        **present({"category": tax.category, "exemptionReasonCode": tax.exemption_reason_code}),
    }
