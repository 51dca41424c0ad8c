"""SIMULATED: a country that does not exist, with a law as strict as real ones, for trying out and for tests.

Its code XS is one that ISO 3166 leaves to users. Its invoices and credit notes are stamped by the simulated
authority (`infrastructure/stamping/`) and stand in one chain of their issuer, as Mexico and Spain want it
(ADR 0023). Nothing here has any fiscal effect, and the documents say so by their authority's name.
"""

from datetime import date

from domain.accounts.fiscal_profile import ProfileField
from domain.documents.document_facts import DocType
from domain.fiscal.countries.generic.driver import GenericDriver
from domain.fiscal.driver import Chain, ChainedDocument, Correction, PartyRole, Stamping
from domain.kernel.canonical import canonical_json, sha256_hex
from domain.kernel.facts import rfc3339

SIMULATED_COUNTRY = "XS"

SIMULATED_AUTHORITY = "SIMULATED AUTHORITY (no fiscal effect)"
"""Printed as the authority's name on what it stamps."""

STAMP_TIMEOUT_SECONDS = 10

_STAMPED: frozenset[DocType] = frozenset({"FISCAL_INVOICE", "CREDIT_NOTE"})

_DEMANDED: tuple[ProfileField, ...] = (
    "legalName",
    "taxId",
    "address.line1",
    "address.city",
    "address.countryCode",
)


class SimulatedDriver(GenericDriver):
    """GENERIC, but for what its invented law says of invoices and credit notes."""

    name = "SIMULATED"
    version = "simulated/1"

    def profile_demands(self, role: PartyRole, *, is_business: bool) -> tuple[ProfileField, ...]:
        """Everything of issuers and businesses, a name of consumers."""
        return _DEMANDED if role == "ISSUER" or is_business else ("legalName",)

    def takes_snapshot_for_profile(self, role: PartyRole) -> bool:
        """For buyers only: who issues is known to the authority by its profile."""
        return role == "BUYER"

    def allows(self, correction: Correction, doc_type: DocType, issue_date: date, on: date) -> bool:
        """Invoices are voided on their issue day only, and nothing is ever replaced."""
        if correction == "REPLACE":
            return False
        if correction == "VOID" and doc_type == "FISCAL_INVOICE":
            return on == issue_date
        return super().allows(correction, doc_type, issue_date, on)

    def chain(self, doc_type: DocType) -> Chain | None:
        """Invoices and credit notes of an issuer stand in one chain."""
        return Chain(scope="ISSUER") if doc_type in _STAMPED else None

    def chain_hash(self, document: ChainedDocument, previous_hash: str | None) -> str:
        """SHA-256 (hex) over canonical JSON of what tells the document apart, and of the hash before it."""
        drafted = document.drafted
        return sha256_hex(
            canonical_json(
                {
                    "issuer": document.issuer_tax_id or drafted.issuer_entity_id,
                    "docType": drafted.doc_type,
                    "number": document.number,
                    "issueDate": document.issue_date.isoformat(),
                    "taxTotal": drafted.totals.tax_total,
                    "grandTotal": drafted.totals.grand_total,
                    "currencyUomId": drafted.currency_uom_id,
                    "previousHash": previous_hash,
                    "issuedAt": rfc3339(document.issued_at),
                }
            )
        )

    def stamping(self, doc_type: DocType) -> Stamping | None:
        """Invoices and credit notes, by the simulated authority."""
        if doc_type not in _STAMPED:
            return None
        return Stamping(authority=SIMULATED_AUTHORITY, timeout_seconds=STAMP_TIMEOUT_SECONDS)
