"""The totals of an invoice: fees, taxes and what they sum to (contract §5, BILL-DEC-002).

Tax is rounded half up once per rule, on the summed base (EN 16931's way). DISCOUNT lines are shared out over
the lines of their tax category in proportion, so that each line knows what of it is taxed; a credit later
gives back exactly that (`credits.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from domain.fiscal.taxes.categories import TaxCategory, category_of
from domain.fiscal.taxes.rules import Customer, FeeRule, TaxKind, TaxRule, TaxRules
from domain.invoicing.lines import InvoiceLine, tax_group
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Identifier, Value
from domain.kernel.money import MAX_MINOR, DecimalString, MinorUnits, RateBasisPoints, half_up
from domain.upstream import Code

_LINES = "billableScopeSnapshot.lines"
_QUANTITY_DIGITS = 9
"""As many decimals as a quantity may have, so that sums of quantities stay exact as text."""

RowIndex = Annotated[int, Field(strict=True, ge=0)]


class TaxRow(Value):
    """One rate of an invoice. `rate_percent` is exact; `rate_basis_points` the nearest whole number to it."""

    tax_code: Code
    kind: TaxKind
    category: TaxCategory
    rate_percent: str
    rate_basis_points: RateBasisPoints
    base_amount: MinorUnits
    amount: MinorUnits
    exemption_reason_code: Code | None = None
    rule_id: str


class FeeRow(Value):
    """One fee: a FEE line (`rule_id` absent), or what a fee rule adds for the parts in `line_ids`.

    `tax_row` is its place in the tax breakdown; `unit_amount` is absent where a line's price is finer.
    """

    code: Code
    label: str
    quantity: DecimalString
    unit_amount: MinorUnits | None = None
    amount: MinorUnits
    rule_id: str | None = None
    line_ids: tuple[Identifier, ...]
    tax_row: RowIndex


class LineShare(Value):
    """What of a charging line is discount, its own and its share of DISCOUNT lines, and what is taxed.

    `taxable_amount` + `discount_amount` = the line's amount. `tax_row` is the place in the tax breakdown.
    """

    line_id: Identifier
    discount_amount: MinorUnits
    taxable_amount: MinorUnits
    tax_row: RowIndex


class InvoiceTotals(Value):
    """All amounts of an invoice in minor units; grand = subtotal − discount + tax + fee.

    `subtotal` sums LABOR and PART before discounts, `fee_total` FEE lines before discounts and the fees of
    rules, `discount_total` the discounts of all lines.
    """

    rule_version: str
    subtotal: MinorUnits
    discount_total: MinorUnits
    fee_total: MinorUnits
    tax_total: MinorUnits
    grand_total: MinorUnits
    tax_breakdown: tuple[TaxRow, ...]
    fee_breakdown: tuple[FeeRow, ...]
    line_shares: tuple[LineShare, ...]


class _Rows:
    """The tax rows as they come up, one for each rule and reason, with their bases so far."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, str | None], int] = {}
        self._rules: list[tuple[TaxRule, str | None]] = []
        self._bases: list[int] = []

    def add(self, rule: TaxRule, line_reason: str | None, base: int) -> int:
        """Adds a base; gives the row's place. A line's own reason counts only where there is no tax."""
        reason = (line_reason or rule.exemption_reason_code) if rule.exemption_reason_code else None
        key = (rule.id, reason)
        if key not in self._index:
            self._index[key] = len(self._rules)
            self._rules.append((rule, reason))
            self._bases.append(0)
        self._bases[self._index[key]] += base
        return self._index[key]

    def finished(self) -> tuple[TaxRow, ...]:
        """The rows with their taxes."""
        return tuple(
            TaxRow(
                tax_code=rule.tax_code,
                kind=rule.kind,
                category=rule.shown_category,
                rate_percent=rule.rate_percent,
                rate_basis_points=rule.rate_basis_points,
                base_amount=_within_limits(base),
                amount=_within_limits(half_up(base * rule.rate)),
                exemption_reason_code=reason,
                rule_id=rule.id,
            )
            for (rule, reason), base in zip(self._rules, self._bases, strict=True)
        )


def compute_totals(
    lines: Sequence[InvoiceLine], rules: TaxRules, customer: Customer, currency_uom_id: str
) -> InvoiceTotals:
    """The totals of priced and checked lines (`price_lines`) under a jurisdiction's rules.

    Raises BILLING_DATA_INCOMPLETE where no rule covers a line's tax category, the customer lacks what a rule
    asks for, or a fee is due in another currency; SNAPSHOT_INCONSISTENT where sums reach 2^53.
    """
    has_parts = any(line.kind == "PART" for line in lines)
    shared_discounts = _shared_discounts(lines)
    rows = _Rows()
    shares, fees = [], []
    for index, line in enumerate(lines):
        path = f"{_LINES}.{index}"
        if line.kind == "DISCOUNT":
            _check_category_is_known(line, rules, path)
            continue
        category = category_of(line.tax_category)
        rule = rules.tax_for(line.kind, category, has_parts, customer, f"{path}.taxCategory")
        discount = line.discount_amount + shared_discounts[line.line_id]
        taxable = line.amount - discount
        row = rows.add(rule, line.exemption_reason_code, taxable)
        shares.append(
            LineShare(line_id=line.line_id, discount_amount=discount, taxable_amount=taxable, tax_row=row)
        )
        if line.kind == "FEE":
            fees.append(_fee_of_line(line, row))
    for fee in rules.fees:
        due = [line for line in lines if _owes(line, fee)]
        if due:
            _check_currency(fee, currency_uom_id)
            amount = half_up(fee.unit_amount * _pieces(due))
            tax = rules.tax_for("FEE", fee.tax_category, has_parts, customer, f"{_LINES}.taxCategory")
            fees.append(_fee_of_rule(fee, due, amount, rows.add(tax, None, amount)))
    return _summed(lines, rules, rows.finished(), tuple(fees), tuple(shares))


def _summed(
    lines: Sequence[InvoiceLine],
    rules: TaxRules,
    taxes: tuple[TaxRow, ...],
    fees: tuple[FeeRow, ...],
    shares: tuple[LineShare, ...],
) -> InvoiceTotals:
    subtotal = sum(line.amount for line in lines if line.kind in ("LABOR", "PART"))
    discount_total = sum(share.discount_amount for share in shares)
    fee_total = sum(fee.amount for fee in fees)
    tax_total = sum(tax.amount for tax in taxes)
    return InvoiceTotals(
        rule_version=rules.version,
        subtotal=_within_limits(subtotal),
        discount_total=discount_total,
        fee_total=_within_limits(fee_total),
        tax_total=_within_limits(tax_total),
        grand_total=_within_limits(subtotal - discount_total + tax_total + fee_total),
        tax_breakdown=taxes,
        fee_breakdown=fees,
        line_shares=shares,
    )


def _shared_discounts(lines: Sequence[InvoiceLine]) -> dict[str, int]:
    """Each charging line's part of its category's DISCOUNT lines, in proportion to its net amount.

    Shares are differences of rounded running sums, so they add up to the discount and none is above its line.
    """
    discounts: defaultdict[str, int] = defaultdict(int)
    nets: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        group = tax_group(line.tax_category)
        if line.kind == "DISCOUNT":
            discounts[group] += line.amount
        else:
            nets[group] += line.net_amount
    for group, discount in discounts.items():
        if discount > nets[group]:
            raise _inconsistent(
                "DISCOUNT_EXCEEDS_CATEGORY", "Discounts are above what their category charges."
            )
    running: defaultdict[str, int] = defaultdict(int)
    shares = {}
    for line in lines:
        if line.kind != "DISCOUNT":
            group = tax_group(line.tax_category)
            before = running[group]
            running[group] += line.net_amount
            shares[line.line_id] = (
                half_up(Fraction(discounts[group] * running[group], nets[group]))
                - half_up(Fraction(discounts[group] * before, nets[group]))
                if nets[group]
                else 0
            )
    return shares


def _check_category_is_known(line: InvoiceLine, rules: TaxRules, path: str) -> None:
    """A DISCOUNT follows the rules of the lines it reduces; one that names no category reduces none."""
    category = category_of(line.tax_category)
    if category is None or all(rule.category != category for rule in rules.taxes):
        raise DomainError(
            "BILLING_DATA_INCOMPLETE",
            f"No tax rule of {rules.jurisdiction} covers the tax category of a DISCOUNT line.",
            missing_fields=(f"{path}.taxCategory",),
        )


def _owes(line: InvoiceLine, fee: FeeRule) -> bool:
    return line.kind == "PART" and any(
        fee.is_due_on(classification.scheme, classification.code) for classification in line.classifications
    )


def _check_currency(fee: FeeRule, currency_uom_id: str) -> None:
    if fee.currency_uom_id != currency_uom_id:
        raise DomainError(
            "BILLING_DATA_INCOMPLETE",
            f"The fee {fee.code} is due in another currency than the invoice's.",
            missing_fields=("billableScopeSnapshot.currencyUomId",),
        )


def _pieces(lines: Iterable[InvoiceLine]) -> Fraction:
    return sum((Fraction(line.quantity) for line in lines), Fraction(0))


def _fee_of_line(line: InvoiceLine, tax_row: int) -> FeeRow:
    return FeeRow(
        code="FEE",
        label=line.description,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        amount=line.amount,
        line_ids=(line.line_id,),
        tax_row=tax_row,
    )


def _fee_of_rule(fee: FeeRule, due: Sequence[InvoiceLine], amount: int, tax_row: int) -> FeeRow:
    return FeeRow(
        code=fee.code,
        label=fee.label,
        quantity=quantity_text(_pieces(due)),
        unit_amount=fee.unit_amount,
        amount=_within_limits(amount),
        rule_id=fee.id,
        line_ids=tuple(line.line_id for line in due),
        tax_row=tax_row,
    )


def quantity_text(quantity: Fraction) -> str:
    """A sum of quantities as a decimal string without trailing zeros."""
    whole, rest = divmod(int(quantity * 10**_QUANTITY_DIGITS), 10**_QUANTITY_DIGITS)
    return f"{whole}.{rest:0{_QUANTITY_DIGITS}}".rstrip("0").rstrip(".")


def _within_limits(amount: int) -> int:
    if amount > MAX_MINOR:
        raise _inconsistent("SUM_TOO_LARGE", "The totals reach 2^53.")
    return amount


def _inconsistent(code: str, message: str) -> DomainError:
    return DomainError("SNAPSHOT_INCONSISTENT", message, field_errors=(FieldError(_LINES, code, message),))
