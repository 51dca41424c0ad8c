"""GENERIC: a receipt for every paid order, yearly series, ten years of retention; no law of any country.

The platform is the receipt's issuer, for the buyer pays the platform (S3 §4.1, contract §6).
"""

from datetime import date

from babel.core import get_global

from domain.accounts.fiscal_profile import OwnerType, ProfileField
from domain.documents.document import DocType, Language, Retention
from domain.documents.order_snapshot import OrderData
from domain.fiscal.driver import Called
from domain.numbering.series import NumberFormat

RETENTION_YEARS = 10
"""The longest period that commercial law commonly asks for, so that no country's is undercut."""

_PREFIXES: dict[DocType, str] = {
    "RECEIPT": "R",
    "FISCAL_INVOICE": "F",
    "CREDIT_NOTE": "C",
    "SELLER_STATEMENT": "S",
    "PAYOUT_STATEMENT": "P",
    "LEDGER_EVIDENCE_PACK": "E",
    "AUDIT_EXPORT": "X",
    "ADJUSTMENT_STATEMENT": "A",
}

_DEMANDED_OF_ISSUERS: tuple[ProfileField, ...] = (
    "legalName",
    "taxId",
    "address.line1",
    "address.city",
    "address.countryCode",
)

_SPANISH_SPEAKING = frozenset(
    [
        "AR",
        "BO",
        "CL",
        "CO",
        "CR",
        "CU",
        "DO",
        "EC",
        "ES",
        "GQ",
        "GT",
        "HN",
        "MX",
        "NI",
        "PA",
        "PE",
        "PR",
        "PY",
        "SV",
        "UY",
        "VE",
    ]
)

_ZONES_OF_WIDE_COUNTRIES = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "UM": "Pacific/Wake",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}
"""Countries with several zones: that of the seat of government, or of most commerce."""

_ZONES = {
    **{territory: zone for zone, territory in get_global("zone_territories").items() if territory != "ZZ"},
    **_ZONES_OF_WIDE_COUNTRIES,
}


class GenericDriver:
    """The driver of every country that has none."""

    name = "GENERIC"
    version = "generic/1"

    def called_for_by_payment(self, order: OrderData) -> tuple[Called, ...]:
        """One receipt, always, issued by the platform."""
        return (
            Called(
                doc_type="RECEIPT",
                issuer_entity_id=order.order_party_snapshot.platform.party_id,
                template_version="receipt/1",
                reason="A paid order always has a receipt.",
            ),
        )

    def fiscal_invoice(self, issuer_entity_id: str) -> Called:
        """A fiscal invoice for every issued invoice of a work order (contract §6)."""
        return Called(
            doc_type="FISCAL_INVOICE",
            issuer_entity_id=issuer_entity_id,
            template_version="fiscal-invoice/1",
            reason="An invoice of a work order always has a fiscal invoice.",
        )

    def credit_note(self, issuer_entity_id: str) -> Called:
        """A credit note, for there is a fiscal invoice that it corrects (contract §6)."""
        return Called(
            doc_type="CREDIT_NOTE",
            issuer_entity_id=issuer_entity_id,
            template_version="credit-note/1",
            reason="What was invoiced is taken back by a credit note.",
        )

    def may_void(self, doc_type: DocType) -> bool:
        """Yes: no law of any country forbids it here."""
        return True

    def profile_demands(self, owner_type: OwnerType) -> tuple[ProfileField, ...]:
        """A buyer's name; of who issues documents also the tax id and where they are."""
        return ("legalName",) if owner_type == "BUYER" else _DEMANDED_OF_ISSUERS

    def language(self, country_code: str) -> Language:
        """Spanish where it is an official language, else English."""
        return "es" if country_code in _SPANISH_SPEAKING else "en"

    def time_zone(self, country_code: str) -> str:
        """The country's zone; UTC for codes that are no country (ZZ)."""
        return _ZONES.get(country_code, "UTC")

    def number_format(self, doc_type: DocType) -> NumberFormat:
        """`R-2026-000001` and so on: the type's letter, the year, six digits, anew each year."""
        return NumberFormat(prefix=f"{_PREFIXES[doc_type]}-{{year}}-", padding=6, yearly_reset=True)

    def retention(self, doc_type: DocType, issue_date: date) -> Retention:
        """To the end of the tenth year after the issue date's."""
        until = date(issue_date.year + RETENTION_YEARS, 12, 31)
        return Retention(retention_class="COMMERCIAL", until=until, mode="COMPLIANCE")
