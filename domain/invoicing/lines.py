"""What a work order bills: the BillableScopeSnapshot as it is sent, and the priced lines of an invoice.

Amounts come from quantities and prices alone; upstream totals are not even read (BILL-DEC-002). A snapshot is
checked before it is recorded (`check_scope`), never when it is read.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.fiscal.taxes.categories import category_of
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import NO_CONTROLS, CountryCode, Identifier, Uuid, Value
from domain.kernel.money import (
    MAX_MINOR,
    CurrencyCode,
    DecimalString,
    MinorUnits,
    half_up,
    minor_exponent,
)
from domain.upstream import Classification, Code, Description, PricedLine, SnapshotValue

MAX_LINES = 2_000
"""More lines than any work order has; a snapshot above it is malformed."""

_MOST_ERRORS = 100

LineKind = Literal["LABOR", "PART", "FEE", "DISCOUNT"]

RegionCode = Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=NO_CONTROLS)]
"""An ISO 3166-2 subdivision, with or without its country: `CA`, `US-CA`."""


class ScopeLine(PricedLine):
    """One thing done or sold. A DISCOUNT's amount is positive too, and reduces its tax category's lines."""

    kind: LineKind
    tax_category: Code
    exemption_reason_code: Code | None = None


class BillableScopeSnapshot(SnapshotValue):
    """What a work order bills, as `workexec.WORK_ORDER_READY` brings it (contract §4)."""

    billable_scope_snapshot_id: Uuid
    schema_version: Code
    currency_uom_id: CurrencyCode
    issuer_entity_id: Identifier
    country_code: CountryCode
    region_code: RegionCode | None = None
    lines: Annotated[tuple[ScopeLine, ...], Field(min_length=1, max_length=MAX_LINES)]


class InvoiceLine(Value):
    """A priced line, frozen at draft; `amount` is quantity × price in minor units, without discount."""

    line_id: Identifier
    kind: LineKind
    description: Description
    quantity: DecimalString
    unit_amount: MinorUnits | None = None
    unit_price: DecimalString | None = None
    amount: MinorUnits
    discount_amount: MinorUnits = 0
    tax_category: Code
    exemption_reason_code: Code | None = None
    unit_code: Code | None = None
    classifications: tuple[Classification, ...] = ()

    @property
    def net_amount(self) -> int:
        """The amount after the line's own discount."""
        return self.amount - self.discount_amount


def tax_group(tax_category: str) -> str:
    """The category that a spelling means, the spelling itself where it means none."""
    return category_of(tax_category) or tax_category


def line_amount(line: ScopeLine, currency_uom_id: str) -> int:
    """Quantity × price in minor units, rounded half up once; exact before that, however fine the price."""
    if line.unit_amount is not None:
        price = Fraction(line.unit_amount)
    else:
        price = Fraction(line.unit_price or "0") * 10 ** minor_exponent(currency_uom_id)
    return half_up(Fraction(line.quantity) * price)


def price_lines(scope: BillableScopeSnapshot) -> tuple[InvoiceLine, ...]:
    """The snapshot's lines with their amounts, in its order. Raises what `check_scope` does."""
    check_scope(scope)
    return tuple(
        InvoiceLine(
            line_id=line.line_id,
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            unit_price=line.unit_price,
            amount=line_amount(line, scope.currency_uom_id),
            discount_amount=line.discount_amount or 0,
            tax_category=line.tax_category,
            exemption_reason_code=line.exemption_reason_code,
            unit_code=line.unit_code,
            classifications=line.classifications,
        )
        for line in scope.lines
    )


def check_scope(scope: BillableScopeSnapshot, root: str = "billableScopeSnapshot") -> None:
    """Raises SNAPSHOT_INCONSISTENT with one field error for each rule that a line breaks.

    `root` is the camelCase path at which the request holds the snapshot.
    """
    amounts = [line_amount(line, scope.currency_uom_id) for line in scope.lines]
    broken = chain(
        _broken_lines(scope, amounts, root),
        _discounts_above_category(scope, amounts, root),
        _too_large(amounts, root),
    )
    found = tuple(islice(broken, _MOST_ERRORS))
    if found:
        raise DomainError(
            "SNAPSHOT_INCONSISTENT", "The lines of the snapshot are not sound.", field_errors=found
        )


def _broken_lines(scope: BillableScopeSnapshot, amounts: list[int], root: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, (line, amount) in enumerate(zip(scope.lines, amounts, strict=True)):
        path = f"{root}.lines.{index}"
        if line.line_id in seen:
            yield FieldError(f"{path}.lineId", "LINE_ID_REPEATED", "Another line has the same lineId.")
        seen.add(line.line_id)
        if not Fraction(line.quantity):
            yield FieldError(f"{path}.quantity", "QUANTITY_NOT_POSITIVE", "A quantity is above zero.")
        for field, value in (("unitAmount", line.unit_amount), ("discountAmount", line.discount_amount)):
            if value is not None and value < 0:
                yield FieldError(f"{path}.{field}", "NEGATIVE_AMOUNT", "No amount may be negative.")
        if line.discount_amount is None:
            continue
        if line.kind == "DISCOUNT":
            yield FieldError(
                f"{path}.discountAmount", "DISCOUNT_ON_DISCOUNT", "A DISCOUNT line has no discount itself."
            )
        elif line.discount_amount > amount:
            yield FieldError(
                f"{path}.discountAmount", "DISCOUNT_EXCEEDS_LINE", "The discount is above the line's amount."
            )


def _discounts_above_category(
    scope: BillableScopeSnapshot, amounts: list[int], root: str
) -> Iterator[FieldError]:
    """A base may not go below zero, so DISCOUNT lines stay within what their tax category charges."""
    left: defaultdict[str, int] = defaultdict(int)
    for line, amount in zip(scope.lines, amounts, strict=True):
        if line.kind != "DISCOUNT":
            left[tax_group(line.tax_category)] += amount - (line.discount_amount or 0)
    for index, (line, amount) in enumerate(zip(scope.lines, amounts, strict=True)):
        if line.kind == "DISCOUNT":
            group = tax_group(line.tax_category)
            left[group] -= amount
            if left[group] < 0:
                yield FieldError(
                    f"{root}.lines.{index}",
                    "DISCOUNT_EXCEEDS_CATEGORY",
                    "The discounts of a tax category are above what its lines charge.",
                )


def _too_large(amounts: list[int], root: str) -> Iterator[FieldError]:
    for index, amount in enumerate(amounts):
        if amount > MAX_MINOR:
            yield FieldError(
                f"{root}.lines.{index}.quantity", "AMOUNT_TOO_LARGE", "The line's amount is 2^53 or more."
            )
    if sum(amounts) > MAX_MINOR:
        yield FieldError(f"{root}.lines", "SUM_TOO_LARGE", "The amounts of lines sum to 2^53 or more.")
