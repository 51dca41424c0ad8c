"""What an order looked like when money moved: the data that S3's documents are made of (contract §4).

Amounts are truth. They are kept and printed as given; `check_equations` proves that they agree with each
other and nothing here recomputes one. It is called before a snapshot is recorded, never when it is read.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import NO_CONTROLS, CountryCode, Identifier, Utc
from domain.kernel.money import MAX_MINOR, CurrencyCode, RateBasisPoints
from domain.kernel.privacy import ERASED_TEXT, PersonalData, Pii
from domain.upstream import Address, Amount, Code, Email, Name, PricedLine, SnapshotValue, TaxId

MAX_LINES = 10_000
"""More lines than any order has; a snapshot above it is malformed, not large."""

_MOST_ERRORS = 100
"""An answer that names a hundred faults helps as much as one that names ten thousand."""

AppliesTo = Literal["ITEMS", "PLATFORM_FEE", "OPS_FEE", "PROCESSING_FEE", "SELLER_FEE"]
TaxMode = Literal["INCLUDED", "ADDED", "WITHHELD"]


class Party(SnapshotValue):
    """A buyer, a seller, the platform or its operations partner, as it was at that moment."""

    personal: ClassVar[PersonalData] = PersonalData("party", "party_id", unknown_fields="CONTACT")

    party_id: Identifier
    legal_name: Annotated[Name, Pii("FISCAL", erased=ERASED_TEXT)]
    tax_id: Annotated[TaxId | None, Pii("FISCAL")] = None
    address: Annotated[Address | None, Pii("FISCAL")] = None
    email: Annotated[Email | None, Pii("CONTACT")] = None
    type: Literal["B2C", "B2B"]


class OrderPartySnapshot(SnapshotValue):
    """Everybody who takes part in an order."""

    personal: ClassVar[PersonalData] = PersonalData("party", "buyer.party_id", unknown_fields="CONTACT")

    buyer: Party
    seller: Party
    ops: Party | None = None
    platform: Party


class SnapshotLine(PricedLine):
    """One thing sold, for `amount` minor units in all."""

    sku: Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)] | None = None
    kind: Literal["GOODS", "SERVICE"] = "GOODS"
    amount: Amount
    tax_category: Code | None = None


class SellerFee(SnapshotValue):
    """What the platform keeps from the seller."""

    code: Code
    amount: Amount


class SnapshotTax(SnapshotValue):
    """One tax: what it applies to, how it relates to the price, its rate, base and amount."""

    tax_code: Code
    kind: Literal["VAT", "SALES", "WITHHOLDING"]
    category: Code | None = None
    exemption_reason_code: Code | None = None
    applies_to: AppliesTo
    line_id: Identifier | None = None
    mode: TaxMode
    rate_basis_points: RateBasisPoints
    base_amount: Amount
    amount: Amount

    @property
    def is_paid_by_buyer_on_top(self) -> bool:
        """Whether the buyer pays it in addition to prices and fees."""
        return self.mode == "ADDED" and self.applies_to != "SELLER_FEE"


class OrderFinancialSnapshot(SnapshotValue):
    """All amounts of an order, or of what is refunded of one; minor units of `currency_uom_id`."""

    snapshot_id: Identifier
    currency_uom_id: CurrencyCode
    captured_at: Utc
    lines: Annotated[tuple[SnapshotLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    seller_coupon_discount: Amount
    items_subtotal: Amount
    platform_fee_before_credits: Amount
    fee_credits_applied: Amount
    platform_fee_after_credits: Amount
    ops_fee: Amount
    processing_fee: Amount
    seller_fees: Annotated[tuple[SellerFee, ...], Field(max_length=1000)] = ()
    taxes: Annotated[tuple[SnapshotTax, ...], Field(max_length=2 * MAX_LINES)] = ()
    buyer_total: Amount
    seller_net: Amount


class References(SnapshotValue):
    """Names under which other systems know the order's money."""

    rapyd_transaction_id: Identifier | None = None
    escrow_release_id: Identifier | None = None
    refund_id: Identifier | None = None
    dispute_id: Identifier | None = None


class OrderData(SnapshotValue):
    """An order as `orders.PAID_IN_ESCROW` brings it. What no model describes is taken for the buyer's."""

    personal: ClassVar[PersonalData] = PersonalData(
        "party", "order_party_snapshot.buyer.party_id", unknown_fields="CONTACT"
    )

    order_id: Identifier
    country_code: CountryCode
    paid_at: Utc | None = None
    payment_means_code: Annotated[Code, StringConstraints(max_length=20)] | None = None
    order_financial_snapshot: OrderFinancialSnapshot
    order_party_snapshot: OrderPartySnapshot
    references: References = References()


def check_equations(snapshot: OrderFinancialSnapshot, root: str = "orderFinancialSnapshot") -> None:
    """Raises SNAPSHOT_INCONSISTENT with one field error for each equation of contract §4 that fails.

    `root` is the camelCase path at which the request holds the snapshot (`refundSnapshot` for refunds).
    """
    broken = chain(
        _broken_equations(snapshot, root),
        _negative_amounts(snapshot, root),
        _broken_references(snapshot, root),
    )
    found = tuple(islice(broken, _MOST_ERRORS))
    if found:
        raise DomainError(
            "SNAPSHOT_INCONSISTENT", "The amounts of the snapshot do not agree.", field_errors=found
        )


def _negative_amounts(snapshot: OrderFinancialSnapshot, root: str) -> Iterator[FieldError]:
    def refused(path: str) -> FieldError:
        return FieldError(path, "NEGATIVE_AMOUNT", "No amount may be negative.")

    totals = {
        "sellerCouponDiscount": snapshot.seller_coupon_discount,
        "itemsSubtotal": snapshot.items_subtotal,
        "platformFeeBeforeCredits": snapshot.platform_fee_before_credits,
        "feeCreditsApplied": snapshot.fee_credits_applied,
        "platformFeeAfterCredits": snapshot.platform_fee_after_credits,
        "opsFee": snapshot.ops_fee,
        "processingFee": snapshot.processing_fee,
        "buyerTotal": snapshot.buyer_total,
        "sellerNet": snapshot.seller_net,
    }
    yield from (refused(f"{root}.{name}") for name, amount in totals.items() if amount < 0)
    for index, line in enumerate(snapshot.lines):
        of_line = {
            "unitAmount": line.unit_amount,
            "discountAmount": line.discount_amount,
            "amount": line.amount,
        }
        yield from (
            refused(f"{root}.lines.{index}.{name}")
            for name, amount in of_line.items()
            if amount and amount < 0
        )
    for index, fee in enumerate(snapshot.seller_fees):
        if fee.amount < 0:
            yield refused(f"{root}.sellerFees.{index}.amount")
    for index, tax in enumerate(snapshot.taxes):
        of_tax = {"baseAmount": tax.base_amount, "amount": tax.amount}
        yield from (refused(f"{root}.taxes.{index}.{name}") for name, amount in of_tax.items() if amount < 0)


def _broken_references(snapshot: OrderFinancialSnapshot, root: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, line in enumerate(snapshot.lines):
        if line.line_id in seen:
            yield FieldError(
                f"{root}.lines.{index}.lineId", "LINE_ID_REPEATED", "Another line has the same lineId."
            )
        seen.add(line.line_id)
    for index, tax in enumerate(snapshot.taxes):
        if tax.line_id is not None and tax.line_id not in seen:
            yield FieldError(
                f"{root}.taxes.{index}.lineId", "LINE_UNKNOWN", "The tax names a line that is not there."
            )
        if tax.mode == "WITHHELD" and tax.applies_to != "ITEMS":
            yield FieldError(
                f"{root}.taxes.{index}.appliesTo",
                "WITHHELD_NOT_ON_ITEMS",
                "Only a tax on ITEMS may be WITHHELD.",
            )


def _broken_equations(snapshot: OrderFinancialSnapshot, root: str) -> Iterator[FieldError]:
    lines_total = sum(line.amount for line in snapshot.lines)
    seller_fees = sum(fee.amount for fee in snapshot.seller_fees)
    added_to_items = _taxes_total(snapshot, "ADDED", "ITEMS")
    added_to_seller_fees = _taxes_total(snapshot, "ADDED", "SELLER_FEE")
    withheld = sum(tax.amount for tax in snapshot.taxes if tax.mode == "WITHHELD")
    equations = (
        (
            "itemsSubtotal",
            snapshot.items_subtotal,
            lines_total - snapshot.seller_coupon_discount,
            "the sum of lines.amount − sellerCouponDiscount",
        ),
        (
            "platformFeeAfterCredits",
            snapshot.platform_fee_after_credits,
            snapshot.platform_fee_before_credits - snapshot.fee_credits_applied,
            "platformFeeBeforeCredits − feeCreditsApplied",
        ),
        (
            "buyerTotal",
            snapshot.buyer_total,
            snapshot.items_subtotal
            + snapshot.platform_fee_after_credits
            + snapshot.ops_fee
            + snapshot.processing_fee
            + buyer_tax_total(snapshot),
            "itemsSubtotal + platformFeeAfterCredits + opsFee + processingFee"
            " + ADDED taxes not on SELLER_FEE",
        ),
        (
            "sellerNet",
            snapshot.seller_net,
            snapshot.items_subtotal + added_to_items - seller_fees - added_to_seller_fees - withheld,
            "itemsSubtotal + ADDED taxes on ITEMS − sellerFees − ADDED taxes on SELLER_FEE − WITHHELD taxes",
        ),
    )
    for field, given, expected, formula in equations:
        if given != expected:
            yield FieldError(
                f"{root}.{field}", "EQUATION_FAILS", f"{field} is {given}, but {formula} is {expected}."
            )
    sums = {
        "lines": lines_total,
        "sellerFees": seller_fees,
        "taxes": max(
            sum(tax.base_amount for tax in snapshot.taxes), sum(tax.amount for tax in snapshot.taxes)
        ),
    }
    for field, total in sums.items():
        if total > MAX_MINOR:
            yield FieldError(
                f"{root}.{field}", "SUM_TOO_LARGE", f"The amounts of {field} sum to 2^53 or more."
            )


def _taxes_total(snapshot: OrderFinancialSnapshot, mode: TaxMode, applies_to: AppliesTo) -> int:
    return sum(tax.amount for tax in snapshot.taxes if tax.mode == mode and tax.applies_to == applies_to)


def buyer_tax_total(snapshot: OrderFinancialSnapshot) -> int:
    """The sum, in minor units, of the taxes that the buyer pays on top of prices and fees."""
    return sum(tax.amount for tax in snapshot.taxes if tax.is_paid_by_buyer_on_top)
