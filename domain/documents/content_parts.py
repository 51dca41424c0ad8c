"""The parts that the contents of documents have in common: identity, parties, lines, taxes.

Each is picked field by field, so that nothing slips in that a document's reader has no business with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.accounts.fiscal_profile import ProfileContent
from domain.documents.document_facts import Language
from domain.documents.order_snapshot import OrderPartySnapshot, Party, SnapshotLine, SnapshotTax
from domain.kernel.facts import CountryCode, Utc, Value
from domain.kernel.privacy import ERASED_TEXT
from domain.upstream import Address


class FiscalMarks(Value):
    """What makes a document a fiscal one in its country: an authority's stamp, its hash in a chain.

    `qr` is what a QR code on it has to say.
    """

    authority: str | None = None
    uuid: str | None = None
    stamped_at: Utc | None = None
    qr: str | None = None
    chain_hash: str | None = None


class DocumentIdentity(Value):
    """Which document this is, and by which template and driver versions it is made.

    `issue_date` is the calendar date of `issued_at` in the issuer's time zone. `fiscal` is there where the
    country's law wants a stamp or a chain.
    """

    document_id: str
    document_key: str
    document_version: int
    doc_type: str
    number: str
    issued_at: Utc
    issue_date: date
    language: Language
    country_code: CountryCode
    issuer_entity_id: str
    template_version: str
    driver_version: str
    fiscal: FiscalMarks | None = None


@dataclass(frozen=True)
class ShownParties:
    """Issuer, buyer and seller as a document shows them: JSON-ready `{legalName, taxId?, address?}`."""

    issuer: dict[str, Any]
    buyer: dict[str, Any]
    seller: dict[str, Any]


def shown_parties(
    parties: OrderPartySnapshot, issuer_entity_id: str, profiles: Mapping[str, ProfileContent]
) -> ShownParties:
    """The parties of an order; a fiscal profile, by the role `ISSUER` or `BUYER`, stands before the snapshot.

    An issuer that is no party of the order and has no profile is shown by its bare id (contract §6).
    """
    issuer, buyer = profiles.get("ISSUER"), profiles.get("BUYER")
    return ShownParties(
        issuer=profile_content(issuer) if issuer else _issuer_content(parties, issuer_entity_id),
        buyer=profile_content(buyer) if buyer else party_content(parties.buyer),
        seller=party_content(parties.seller),
    )


def profile_content(profile: ProfileContent) -> dict[str, Any]:
    """A fiscal profile as documents show it."""
    return present(
        {
            "legalName": profile.legal_name or ERASED_TEXT,
            "taxId": profile.tax_id,
            "address": address_content(profile.address_normalized),
        }
    )


def _issuer_content(parties: OrderPartySnapshot, issuer_entity_id: str) -> dict[str, Any]:
    for party in (parties.platform, parties.seller, parties.ops):
        if party is not None and party.party_id == issuer_entity_id:
            return party_content(party)
    return {"legalName": issuer_entity_id}


def identity_content(identity: DocumentIdentity) -> dict[str, Any]:
    """The part of any document's content that says which document it is."""
    return identity.model_dump(mode="json", by_alias=True, exclude_none=True)


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
    """One line; amounts, price and quantity exactly as they were given."""
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


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there: neither absent nor empty."""
    return {name: value for name, value in fields.items() if value not in (None, "")}
