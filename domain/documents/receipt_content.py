"""What an order receipt shows its buyer: the content whose canonical JSON is sealed and drawn (contract §6).

It is picked from the snapshot field by field, so that nothing the buyer has no business with (seller fees,
seller net, withheld taxes, e-mail addresses, extra upstream fields) can slip in.
"""

from datetime import date
from typing import Any, Literal, TypedDict

from domain.documents.order_snapshot import (
    OrderData,
    OrderFinancialSnapshot,
    Party,
    SnapshotLine,
    SnapshotTax,
    buyer_tax_total,
)
from domain.kernel.facts import CountryCode, Utc, Value, rfc3339
from domain.kernel.privacy import ERASED_TEXT, subject_of
from domain.upstream import Address


class DocumentIdentity(Value):
    """Which document this is, and by which template and driver versions it is made.

    `issue_date` is the calendar date of `issued_at` in the issuer's time zone.
    """

    document_id: str
    document_key: str
    document_version: int
    doc_type: str
    number: str
    issued_at: Utc
    issue_date: date
    language: Literal["en", "es"]
    country_code: CountryCode
    issuer_entity_id: str
    template_version: str
    driver_version: str


class Totals(TypedDict):
    """The Document Center's totals, minor units: itemsSubtotal + feeTotal + taxTotal = grandTotal.

    `discountTotal` (the seller's coupon) is already taken off itemsSubtotal; `taxTotal` is what the buyer
    pays on top, taxes included in prices stay in these.
    """

    itemsSubtotal: int
    discountTotal: int
    feeTotal: int
    taxTotal: int
    grandTotal: int


def receipt_content(
    order: OrderData, identity: DocumentIdentity, issuer: Party | None = None
) -> dict[str, Any]:
    """The content of a RECEIPT under the contract's camelCase names, ready for `canonical_json`.

    `issuer` is the issuer's own profile; without one it is the snapshot's party of that id, or the bare id.
    Absent optional fields are left out, not null. Taxes that differ only in their line are one row.
    """
    snapshot = order.order_financial_snapshot
    parties = order.order_party_snapshot
    content: dict[str, Any] = {
        **identity_content(identity),
        "issuer": issuer_content(order, identity.issuer_entity_id, issuer),
        "seller": party_content(parties.seller),
        "buyer": party_content(parties.buyer),
        "orderId": order.order_id,
        "references": present({"rapydTransactionId": order.references.rapyd_transaction_id}),
        "currencyUomId": snapshot.currency_uom_id,
        "lines": [line_content(line) for line in snapshot.lines],
        "sellerCouponDiscount": snapshot.seller_coupon_discount,
        "itemsSubtotal": snapshot.items_subtotal,
        "platformFeeBeforeCredits": snapshot.platform_fee_before_credits,
        "feeCreditsApplied": snapshot.fee_credits_applied,
        "platformFeeAfterCredits": snapshot.platform_fee_after_credits,
        "opsFee": snapshot.ops_fee,
        "processingFee": snapshot.processing_fee,
        "taxes": taxes_content(tuple(tax for tax in snapshot.taxes if is_shown_to_buyer(tax))),
        "buyerTotal": snapshot.buyer_total,
    }
    if order.paid_at is not None:
        content["paidAt"] = rfc3339(order.paid_at)
    if order.payment_means_code is not None:
        content["paymentMeansCode"] = order.payment_means_code
    return content


def identity_content(identity: DocumentIdentity) -> dict[str, Any]:
    """The part of any document's content that says which document it is."""
    return identity.model_dump(mode="json", by_alias=True)


def issuer_content(order: OrderData, issuer_entity_id: str, issuer: Party | None) -> dict[str, Any]:
    """The issuer's block: its profile, else the order's party of that id, else a party with only that id."""
    if issuer is not None:
        return party_content(issuer)
    parties = order.order_party_snapshot
    for party in (parties.platform, parties.seller, parties.ops):
        if party is not None and party.party_id == issuer_entity_id:
            return party_content(party)
    return {"legalName": issuer_entity_id}


def party_content(party: Party) -> dict[str, Any]:
    """A party as documents show it: no internal id, no e-mail address, no extra fields."""
    return present(
        {
            "legalName": party.legal_name,
            "taxId": party.tax_id,
            "address": address_content(party.address),
        }
    )


def address_content(address: Address | None) -> dict[str, Any] | None:
    """An address as documents show it, without empty parts; None where nothing is left of it."""
    if address is None:
        return None
    shown = present(
        {
            "line1": address.line1,
            "line2": address.line2,
            "city": address.city,
            "region": address.region,
            "postalCode": address.postal_code,
            "countryCode": address.country_code,
        }
    )
    return shown or None


def line_content(line: SnapshotLine) -> dict[str, Any]:
    """One line as the buyer sees it; amounts, price and quantity exactly as they were given."""
    shown: dict[str, Any] = {
        "description": line.description,
        "quantity": line.quantity,
        "amount": line.amount,
        **present({"sku": line.sku, "unitCode": line.unit_code}),
    }
    if line.unit_price is not None:
        shown["unitPrice"] = line.unit_price
    if line.unit_amount is not None:
        shown["unitAmount"] = line.unit_amount
    if line.discount_amount:
        shown["discountAmount"] = line.discount_amount
    return shown


def is_shown_to_buyer(tax: SnapshotTax) -> bool:
    """The buyer sees the taxes in and on what it pays, not those withheld from or charged to the seller."""
    return tax.mode != "WITHHELD" and tax.applies_to != "SELLER_FEE"


def taxes_content(taxes: tuple[SnapshotTax, ...]) -> list[dict[str, Any]]:
    """Taxes by code, rate and what they apply to, in order of first appearance.

    A snapshot may list a tax once a line; those rows are one here, their bases and amounts added exactly.
    """
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for tax in taxes:
        row = {
            "taxCode": tax.tax_code,
            "kind": tax.kind,
            "appliesTo": tax.applies_to,
            "mode": tax.mode,
            "rateBasisPoints": tax.rate_basis_points,
            **present({"exemptionReasonCode": tax.exemption_reason_code}),
        }
        shown = rows.setdefault(tuple(sorted(row.items())), {**row, "baseAmount": 0, "amount": 0})
        shown["baseAmount"] += tax.base_amount
        shown["amount"] += tax.amount
    return list(rows.values())


def receipt_totals(snapshot: OrderFinancialSnapshot) -> Totals:
    """The five totals under which the Document Center lists a receipt."""
    return Totals(
        itemsSubtotal=snapshot.items_subtotal,
        discountTotal=snapshot.seller_coupon_discount,
        feeTotal=snapshot.platform_fee_after_credits + snapshot.ops_fee + snapshot.processing_fee,
        taxTotal=buyer_tax_total(snapshot),
        grandTotal=snapshot.buyer_total,
    )


def receipt_names(order: OrderData) -> tuple[tuple[str, str], ...]:
    """Subject and name of the parties by whose names a receipt is found; not of those who are erased."""
    parties = order.order_party_snapshot
    return tuple(
        (subject_of(party), party.legal_name)
        for party in (parties.buyer, parties.seller, parties.platform)
        if party.legal_name != ERASED_TEXT
    )


def receipt_search_text(order: OrderData) -> tuple[str, ...]:
    """What else a search for a receipt's content should find: line descriptions and skus, once each.

    Order ids and document numbers are not among them; the read model has them as columns.
    """
    lines = order.order_financial_snapshot.lines
    texts = (*(line.description for line in lines), *(line.sku or "" for line in lines))
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there: neither absent nor empty."""
    return {name: value for name, value in fields.items() if value not in (None, "")}
