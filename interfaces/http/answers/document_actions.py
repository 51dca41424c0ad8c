"""What a caller may do with a document now, for frontends; the server still decides (contract §2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fiscal.driver import Correction
from domain.fiscal.registry import day_there, driver_for
from domain.invoicing.invoice import INVOICE
from domain.receivables.receipt import RECEIPT


@dataclass(frozen=True)
class Viewer:
    """Who looks at documents, by what they are permitted, and when (UTC)."""

    permissions: frozenset[str]
    now: datetime


def allowed_actions(row: dict[str, Any], viewer: Viewer) -> list[str]:
    """The actions on a document of the read model that neither a permission nor its country forbids.

    What depends on other histories is left to the server: whether an invoice was paid, and what a profile
    still lacks.
    """
    actions = ["DOWNLOAD", "VERIFY"] if row["issued"] is not None else []
    if row["status"] == "ISSUED" and "docs.resend" in viewer.permissions:
        actions.append("RESEND")
    if row["failure"] is not None and "docs.issue" in viewer.permissions:
        actions.append("ISSUE")
    if "docs.void_or_replace" in viewer.permissions:
        actions += _corrections(row, viewer)
    return actions


def _corrections(row: dict[str, Any], viewer: Viewer) -> Iterator[str]:
    """A draft is only voided; what is partly taken back already is not, but an invoice may be credited on.

    What shows a payment follows that by itself.
    """
    if row["status"] not in ("DRAFT", "ISSUED") or row["source_stream"].startswith(f"{RECEIPT.name}/"):
        return
    of_invoice = row["source_stream"].startswith(f"{INVOICE.name}/")
    if of_invoice and (
        row["doc_type"] != "FISCAL_INVOICE" or "billing:invoice:void" not in viewer.permissions
    ):
        return
    is_issued = row["status"] == "ISSUED"
    corrected = any(link["relation"] == "CORRECTED_BY" for link in row["linked_documents"])
    if not corrected and _lets(row, viewer, "VOID"):
        yield "VOID"
    if is_issued and not of_invoice and _lets(row, viewer, "REPLACE"):
        yield "REPLACE"
    if is_issued and (of_invoice or not corrected) and _lets(row, viewer, "CREDIT_NOTE"):
        yield "CREDIT_NOTE"


def _lets(row: dict[str, Any], viewer: Viewer, correction: Correction) -> bool:
    """Whether the country's law lets it be corrected so today; it has no say before a document is issued."""
    if row["status"] != "ISSUED":
        return True
    driver, country_code = driver_for(row["country_code"]), row["country_code"]
    today = day_there(country_code, viewer.now)
    return driver.allows(correction, row["doc_type"], row["issue_date"], today)
