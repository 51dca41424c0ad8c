"""What an order looked like when money moved: the data that S3's documents are made of (contract §4).

Amounts are truth. They are kept and printed as given; `check_equations` proves that they agree with each
other and nothing here recomputes one. It is called before a snapshot is recorded, never when it is read.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.canonical import refuse_unstorable
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import NO_CONTROLS, CountryCode, Identifier, UpstreamValue, Utc
from domain.kernel.money import MAX_MINOR, CurrencyCode, DecimalString, RateBasisPoints
from domain.kernel.privacy import ERASED_TEXT, PersonalData, Pii

MAX_LINES = 10_000
"""More lines than any order has; a snapshot above it is malformed, not large."""

_MOST_ERRORS = 100
"""An answer that names a hundred faults helps as much as one that names ten thousand."""

_NO_CONTROLS_BUT_BREAKS = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]*$"

Code = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=NO_CONTROLS)]
"""A code of some list: a tax code, a unit, a tax category."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""What somebody is called."""

AddressPart = Annotated[str, StringConstraints(max_length=300, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""One line of an address; upstream forms send empty ones."""

Description = Annotated[str, StringConstraints(max_length=1000, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""Free text about a line; line breaks are kept."""

Amount = Annotated[int, Field(strict=True, ge=-MAX_MINOR, le=MAX_MINOR)]
"""Minor units as sent: a whole number that JSON keeps exactly, else the request is malformed (400).

A negative one is well formed but breaks a rule, so `check_equations` refuses it (422).
"""

TaxId = Annotated[str, StringConstraints(max_length=50, pattern=NO_CONTROLS)]
"""A tax number as the party wrote it; countries' drivers check it."""

Email = Annotated[str, StringConstraints(max_length=320, pattern=NO_CONTROLS)]
"""An e-mail address, as long as RFC 5321 lets it be."""

AppliesTo = Literal["ITEMS", "PLATFORM_FEE", "OPS_FEE", "PROCESSING_FEE", "SELLER_FEE"]
TaxMode = Literal["INCLUDED", "ADDED", "WITHHELD"]


class SnapshotValue(UpstreamValue):
    """A part of the order data: extra fields are kept, as long as the ledger can hold them."""

    @model_validator(mode="after")
    def _extra_fields_are_storable(self) -> Self:
        if self.__pydantic_extra__:
            refuse_unstorable(self.__pydantic_extra__)
        return self


class Address(SnapshotValue):
    """Where a party is; which parts are needed is each country driver's affair."""

    line1: AddressPart | None = None
    line2: AddressPart | None = None
    city: AddressPart | None = None
    region: AddressPart | None = None
    postal_code: AddressPart | None = None
    country_code: CountryCode | None = None


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


class Classification(SnapshotValue):
    """What a line is in some scheme's eyes (a customs tariff, a national product catalogue)."""

    scheme: Code
    code: Code


class SnapshotLine(SnapshotValue):
    """One thing sold, at either `unit_amount` (minor units) or `unit_price` (major units, finer)."""

    line_id: Identifier
    sku: Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)] | None = None
    kind: Literal["GOODS", "SERVICE"] = "GOODS"
    description: Description
    quantity: DecimalString
    unit_amount: Amount | None = None
    unit_price: DecimalString | None = None
    discount_amount: Amount | None = None
    amount: Amount
    unit_code: Code | None = None
    tax_category: Code | None = None
    classifications: Annotated[tuple[Classification, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.unit_amount is None) == (self.unit_price is None):
            raise ValueError("needs exactly one of unitAmount and unitPrice")
        return self


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
