"""What a work order's invoice and its credit notes show their reader: the content that is sealed and drawn.

Everything comes from what the invoice froze when it was drafted, issued and credited; nothing is computed
anew.
"""

from typing import Any

from domain.documents.content_parts import DocumentIdentity, address_content, identity_content, present
from domain.invoicing.credits import CreditTotals
from domain.invoicing.invoice import Invoice
from domain.invoicing.invoice_facts import InvoiceDrafted, InvoiceIssued
from domain.invoicing.lines import tax_group
from domain.invoicing.totals import InvoiceTotals
from domain.kernel.privacy import ERASED_TEXT, subject_of


def invoice_content(invoice: Invoice, identity: DocumentIdentity) -> dict[str, Any]:
    """The content of a FISCAL_INVOICE, ready for `canonical_json`. Raises `ValueError` for drafts."""
    drafted, issued = invoice.drafted, _issued(invoice)
    charged = _charged_categories(drafted)
    return {
        **_common(invoice, issued, identity),
        "dueDate": issued.due_date.isoformat(),
        "paymentTermsCode": issued.payment_terms_code,
        "lines": [
            present(
                {
                    "kind": line.kind,
                    "description": line.description,
                    "quantity": line.quantity,
                    "unitCode": line.unit_code,
                    "unitAmount": line.unit_amount,
                    "unitPrice": line.unit_price,
                    "amount": line.amount,
                    "discountAmount": line.discount_amount or None,
                    "taxCategory": charged[line.line_id],
                }
            )
            for line in drafted.lines
        ],
        **_totals(drafted.totals),
    }


def credit_note_content(invoice: Invoice, credit_id: str, identity: DocumentIdentity) -> dict[str, Any]:
    """The content of a CREDIT_NOTE: what it takes back of which invoice, in positive amounts.

    Raises `ValueError` where the invoice has no such credit.
    """
    issued = _issued(invoice)
    credit = next((credit for credit in invoice.credits if credit.credit_id == credit_id), None)
    if credit is None:
        raise ValueError("the invoice has no such credit")
    described = {line.line_id: line for line in invoice.drafted.lines}
    charged = _charged_categories(invoice.drafted)
    return {
        **_common(invoice, issued, identity),
        "corrects": {"number": issued.number, "issueDate": issued.issue_date.isoformat()},
        "reasonCode": credit.reason_code,
        "lines": [
            present(
                {
                    "kind": line.kind,
                    "description": described[line.line_id].description,
                    "quantity": line.quantity,
                    "unitCode": described[line.line_id].unit_code,
                    "amount": line.amount,
                    "discountAmount": line.discount_amount or None,
                    "taxCategory": charged[line.line_id],
                }
            )
            for line in credit.totals.lines
        ],
        **_totals(credit.totals),
    }


def invoice_names(issued: InvoiceIssued) -> tuple[tuple[str, str], ...]:
    """Subject and name of whom an invoice is for, by which it is found; not of those who are erased."""
    bill_to = issued.bill_to
    return () if bill_to.name == ERASED_TEXT else ((subject_of(bill_to), bill_to.name),)


def invoice_search_text(drafted: InvoiceDrafted) -> tuple[str, ...]:
    """What else a search for an invoice's content should find: line descriptions, once each."""
    return tuple(dict.fromkeys(line.description for line in drafted.lines))


def _issued(invoice: Invoice) -> InvoiceIssued:
    if invoice.issued is None:
        raise ValueError("an invoice has no documents before it is issued")
    return invoice.issued


def _common(invoice: Invoice, issued: InvoiceIssued, identity: DocumentIdentity) -> dict[str, Any]:
    drafted, bill_to = invoice.drafted, issued.bill_to
    return {
        **identity_content(identity),
        "issuer": {"legalName": drafted.issuer_entity_id},
        "billTo": present(
            {
                "legalName": bill_to.name,
                "taxId": bill_to.tax_id,
                "address": address_content(bill_to.address),
            }
        ),
        "workOrderId": drafted.work_order_id,
        "currencyUomId": drafted.currency_uom_id,
    }


def _charged_categories(drafted: InvoiceDrafted) -> dict[str, str]:
    """By line id the category that the tax table shows it under; of a DISCOUNT, what its spelling means."""
    charged = {line.line_id: tax_group(line.tax_category) for line in drafted.lines}
    rows = drafted.totals.tax_breakdown
    return charged | {share.line_id: rows[share.tax_row].category for share in drafted.totals.line_shares}


def _totals(totals: InvoiceTotals | CreditTotals) -> dict[str, Any]:
    return {
        "subtotal": totals.subtotal,
        "discountTotal": totals.discount_total,
        "fees": [
            {
                "code": fee.code,
                "label": fee.label,
                "quantity": fee.quantity,
                "amount": fee.amount,
                "taxCategory": totals.tax_breakdown[fee.tax_row].category,
            }
            for fee in totals.fee_breakdown
            if fee.rule_id is not None
        ],
        "feeTotal": totals.fee_total,
        "taxes": [
            present(
                {
                    "taxCode": tax.tax_code,
                    "category": tax.category,
                    "ratePercent": tax.rate_percent,
                    "baseAmount": tax.base_amount,
                    "amount": tax.amount,
                    "exemptionReasonCode": tax.exemption_reason_code,
                }
            )
            for tax in totals.tax_breakdown
        ],
        "taxTotal": totals.tax_total,
        "grandTotal": totals.grand_total,
    }
