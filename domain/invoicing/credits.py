"""What a credit of an invoice gives back: of some lines or quantities, after what was credited before.

Everything is a difference of two cumulative amounts, each rounded half up once from the frozen invoice: no
row ever goes below zero or above the invoice's, and the last credit leaves nothing, whatever the steps.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from domain.invoicing.lines import InvoiceLine, LineKind
from domain.invoicing.totals import FeeRow, InvoiceTotals, TaxRow, quantity_text
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Identifier, Value
from domain.kernel.money import DecimalString, MinorUnits, half_up


class CreditedLine(Value):
    """What is given back of one line: `amount` before `discount_amount`, in minor units."""

    line_id: Identifier
    kind: LineKind
    quantity: DecimalString
    amount: MinorUnits
    discount_amount: MinorUnits


class CreditTotals(Value):
    """All amounts of a credit in minor units, positive, under the names of the invoice's totals."""

    rule_version: str
    lines: tuple[CreditedLine, ...]
    subtotal: MinorUnits
    discount_total: MinorUnits
    fee_total: MinorUnits
    tax_total: MinorUnits
    grand_total: MinorUnits
    tax_breakdown: tuple[TaxRow, ...]
    fee_breakdown: tuple[FeeRow, ...]


class _UpTo(NamedTuple):
    """What is credited in all; by place in the lines, fees and taxes of the invoice."""

    taxable: tuple[int, ...]
    discounts: tuple[int, ...]
    fees: tuple[int, ...]
    fee_pieces: tuple[Fraction, ...]
    bases: tuple[int, ...]
    taxes: tuple[int, ...]


def whole_invoice(lines: Sequence[InvoiceLine]) -> dict[str, str]:
    """The quantities that credit everything, for `credit_totals`."""
    return {line.line_id: line.quantity for line in lines if line.kind != "DISCOUNT"}


def credit_totals(
    lines: Sequence[InvoiceLine],
    totals: InvoiceTotals,
    credited_before: Mapping[str, str],
    to_credit: Mapping[str, str],
) -> CreditTotals:
    """The totals of a credit of `to_credit`, quantities by line id, after `credited_before`, likewise.

    Each line takes its share of discounts, taxes and fees along; a DISCOUNT line is credited with the lines
    it reduced, never by itself. Raises VALIDATION_FAILED for lines that cannot be credited and quantities of
    zero, CREDIT_EXCEEDS_INVOICE where more is to be credited than is left.
    """
    before = {line_id: Fraction(quantity) for line_id, quantity in credited_before.items()}
    after = _added(lines, before, to_credit)
    charging = [line for line in lines if line.kind != "DISCOUNT"]
    return _between(
        charging, totals, _up_to(charging, totals, before), _up_to(charging, totals, after), to_credit
    )


def _added(
    lines: Sequence[InvoiceLine], before: Mapping[str, Fraction], to_credit: Mapping[str, str]
) -> dict[str, Fraction]:
    quantities = {line.line_id: Fraction(line.quantity) for line in lines if line.kind != "DISCOUNT"}
    after = dict(before)
    malformed, exceeding = [], []
    if not to_credit:
        malformed.append(FieldError("lines", "LINES_MISSING", "A credit names at least one line."))
    for index, (line_id, text) in enumerate(to_credit.items()):
        quantity = Fraction(text)
        if line_id not in quantities:
            malformed.append(
                FieldError(f"lines.{index}.lineId", "LINE_UNKNOWN", "No such line can be credited.")
            )
        elif quantity <= 0:
            malformed.append(
                FieldError(f"lines.{index}.quantity", "QUANTITY_NOT_POSITIVE", "A quantity is above zero.")
            )
        else:
            after[line_id] = before.get(line_id, Fraction(0)) + quantity
            if after[line_id] > quantities[line_id]:
                exceeding.append(
                    FieldError(f"lines.{index}.quantity", "QUANTITY_EXCEEDS_LINE", "Less is left to credit.")
                )
    if malformed:
        raise DomainError("VALIDATION_FAILED", "The credit is malformed.", field_errors=tuple(malformed))
    if exceeding:
        raise DomainError(
            "CREDIT_EXCEEDS_INVOICE", "More is to be credited than is left.", field_errors=tuple(exceeding)
        )
    return after


def _up_to(charging: Sequence[InvoiceLine], totals: InvoiceTotals, credited: Mapping[str, Fraction]) -> _UpTo:
    bases = [0] * len(totals.tax_breakdown)
    taxable, discounts = [], []
    for line, share in zip(charging, totals.line_shares, strict=True):
        part = Fraction(credited.get(line.line_id, Fraction(0)), Fraction(line.quantity))
        taxable.append(half_up(part * share.taxable_amount))
        discounts.append(half_up(part * share.discount_amount))
        bases[share.tax_row] += taxable[-1]
    fees, fee_pieces = [], []
    for fee in totals.fee_breakdown:
        pieces = sum((credited.get(line_id, Fraction(0)) for line_id in fee.line_ids), Fraction(0))
        fee_pieces.append(pieces)
        of_rule = Fraction(fee.amount * pieces, Fraction(fee.quantity))
        # A FEE line is credited as the line it is.
        fees.append(0 if fee.rule_id is None else half_up(of_rule))
        bases[fee.tax_row] += fees[-1]
    taxes = [
        half_up(Fraction(row.amount * base, row.base_amount)) if row.base_amount else 0
        for row, base in zip(totals.tax_breakdown, bases, strict=True)
    ]
    return _UpTo(tuple(taxable), tuple(discounts), tuple(fees), tuple(fee_pieces), tuple(bases), tuple(taxes))


def _between(
    charging: Sequence[InvoiceLine],
    totals: InvoiceTotals,
    before: _UpTo,
    after: _UpTo,
    to_credit: Mapping[str, str],
) -> CreditTotals:
    lines = _credited_lines(charging, before, after, to_credit)
    taxes = _credited_taxes(totals, before, after)
    fees = _credited_fees(totals, before, after, lines)
    subtotal = sum(line.amount for line in lines.values() if line.kind != "FEE")
    discount_total = sum(line.discount_amount for line in lines.values())
    fee_total = sum(fee.amount for fee in fees)
    tax_total = sum(tax.amount for tax in taxes)
    return CreditTotals(
        rule_version=totals.rule_version,
        lines=tuple(lines.values()),
        subtotal=subtotal,
        discount_total=discount_total,
        fee_total=fee_total,
        tax_total=tax_total,
        grand_total=subtotal - discount_total + tax_total + fee_total,
        tax_breakdown=taxes,
        fee_breakdown=fees,
    )


def _credited_lines(
    charging: Sequence[InvoiceLine], before: _UpTo, after: _UpTo, to_credit: Mapping[str, str]
) -> dict[str, CreditedLine]:
    lines = {}
    for index, line in enumerate(charging):
        if line.line_id in to_credit:
            discount = after.discounts[index] - before.discounts[index]
            lines[line.line_id] = CreditedLine(
                line_id=line.line_id,
                kind=line.kind,
                quantity=to_credit[line.line_id],
                amount=after.taxable[index] - before.taxable[index] + discount,
                discount_amount=discount,
            )
    return lines


def _credited_taxes(totals: InvoiceTotals, before: _UpTo, after: _UpTo) -> tuple[TaxRow, ...]:
    """Every row of the invoice at its place, with what is credited of it: zero where nothing is."""
    return tuple(
        row.model_copy(
            update={
                "base_amount": after.bases[index] - before.bases[index],
                "amount": after.taxes[index] - before.taxes[index],
            }
        )
        for index, row in enumerate(totals.tax_breakdown)
    )


def _credited_fees(
    totals: InvoiceTotals,
    before: _UpTo,
    after: _UpTo,
    lines: Mapping[str, CreditedLine],
) -> tuple[FeeRow, ...]:
    fees = []
    for index, fee in enumerate(totals.fee_breakdown):
        pieces = after.fee_pieces[index] - before.fee_pieces[index]
        if not pieces:
            continue
        line = lines[fee.line_ids[0]] if fee.rule_id is None else None
        amount = line.amount if line else after.fees[index] - before.fees[index]
        changed = {
            "quantity": quantity_text(pieces),
            "amount": amount,
            "line_ids": tuple(line_id for line_id in fee.line_ids if line_id in lines),
        }
        fees.append(fee.model_copy(update=changed))
    return tuple(fees)
