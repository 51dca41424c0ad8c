"""What became of a shop's rows: every row and every penny stands in exactly one place of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from application.imports.retail_facts import event_id
from application.imports.retail_refunds import Order, Refund


@dataclass(slots=True)
class Refused:
    """Rows refused for one reason; `amount_minor` is the sum of their absolute amounts in pence."""

    rows: int = 0
    amount_minor: int = 0


@dataclass(slots=True)
class Taken:
    """Orders or refunds: how many, the rows they came from, their amount in pence."""

    count: int = 0
    lines: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class RetailImport:
    """A whole file, mapped: `orders` oldest first, then `refunds` oldest first, so causes precede effects.

    `row_count` and `row_amount_minor` (the sum of the rows' absolute amounts, pence) are counted while
    reading, apart from everything that the mapping does, so that the report can be held against them.
    """

    row_count: int
    row_amount_minor: int
    orders: Sequence[Order]
    refunds: Sequence[Refund]
    refused: Mapping[str, Refused]


@dataclass(slots=True)
class Report:
    """The import's outcome. `row_amount_minor` (pence in) is for `check_ties` and is not printed as JSON."""

    rows: int
    row_amount_minor: int
    orders: Taken = field(default_factory=Taken)
    refunds: Taken = field(default_factory=Taken)
    refused: dict[str, Refused] = field(default_factory=dict)
    documents_issued: int = 0
    documents_parked: int = 0

    def to_json(self) -> dict[str, Any]:
        """The contract's report; amounts in pence."""
        return {
            "rows": self.rows,
            "orders": _taken_json(self.orders),
            "refunds": _taken_json(self.refunds),
            "refused": {
                reason: {"rows": refused.rows, "amount": refused.amount_minor}
                for reason, refused in sorted(self.refused.items())
            },
            "documents": {"issued": self.documents_issued, "parked": self.documents_parked},
        }


def make_report(
    mapped: RetailImport, rejected: Mapping[str, str], *, documents_issued: int = 0, documents_parked: int = 0
) -> Report:
    """Count a mapped file; `rejected` holds, by event id, the error code of each fact the service refused.

    A cancelled row that several refunds share counts once, as refunded if the service took any of them (its
    amount stands where each piece does); if it took none, under the first piece's code.
    """
    report = Report(mapped.row_count, mapped.row_amount_minor)
    report.documents_issued, report.documents_parked = documents_issued, documents_parked
    report.refused = {
        reason: Refused(refused.rows, refused.amount_minor) for reason, refused in mapped.refused.items()
    }
    for order in mapped.orders:
        code = rejected.get(event_id(order))
        if code is None:
            report.orders.count += 1
            report.orders.lines += len(order.lines)
            report.orders.amount_minor += order.amount_minor
        else:
            _refuse(report, code, len(order.lines), order.amount_minor)
    _count_refunds(report, mapped.refunds, rejected)
    return report


def check_ties(report: Report) -> tuple[str, ...]:
    """What does not tie, as sentences; empty when every row and every penny is accounted for."""
    rows_out = (
        report.orders.lines + report.refunds.lines + sum(refused.rows for refused in report.refused.values())
    )
    amount_out = (
        report.orders.amount_minor
        + report.refunds.amount_minor
        + sum(refused.amount_minor for refused in report.refused.values())
    )
    findings = []
    if rows_out != report.rows:
        findings.append(f"{report.rows} rows were read, {rows_out} are accounted for.")
    if amount_out != report.row_amount_minor:
        findings.append(f"{report.row_amount_minor} pence were read, {amount_out} are accounted for.")
    return tuple(findings)


def _count_refunds(report: Report, refunds: Sequence[Refund], rejected: Mapping[str, str]) -> None:
    codes_by_line: dict[int, list[str | None]] = {}
    for refund in refunds:
        code = rejected.get(event_id(refund))
        if code is None:
            report.refunds.count += 1
            report.refunds.amount_minor += refund.amount_minor
        else:
            _refuse(report, code, 0, refund.amount_minor)
        for piece in refund.pieces:
            codes_by_line.setdefault(piece.row.line_number, []).append(code)
    for codes in codes_by_line.values():
        first = codes[0]
        if first is None or None in codes:
            report.refunds.lines += 1
        else:
            _refuse(report, first, 1, 0)


def _refuse(report: Report, code: str, rows: int, amount_minor: int) -> None:
    refused = report.refused.setdefault(code, Refused())
    refused.rows += rows
    refused.amount_minor += amount_minor


def _taken_json(taken: Taken) -> dict[str, int]:
    return {"count": taken.count, "lines": taken.lines, "amount": taken.amount_minor}
