"""GENERIC: yearly series, ten years of retention; no law of any country (contract §6)."""

from datetime import date

from babel.core import get_global

from domain.accounts.fiscal_profile import ProfileField
from domain.documents.document_facts import DocType, Retention
from domain.fiscal.driver import Chain, ChainedDocument, Correction, PartyRole, Stamping
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

_DEMANDED_OF_BUSINESSES: tuple[ProfileField, ...] = (
    "legalName",
    "taxId",
    "address.line1",
    "address.city",
    "address.countryCode",
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

    def profile_demands(self, role: PartyRole, *, is_business: bool) -> tuple[ProfileField, ...]:
        """A name; of a business that is invoiced also the tax id and where it is (S3 §4.2)."""
        return _DEMANDED_OF_BUSINESSES if role == "BUYER" and is_business else ("legalName",)

    def takes_snapshot_for_profile(self, role: PartyRole) -> bool:
        """Yes, and where the snapshot has no such issuer, its bare id (contract §6)."""
        return True

    def allows(self, correction: Correction, doc_type: DocType, issue_date: date, on: date) -> bool:
        """Yes: no law of any country forbids it here. Only what was invoiced is credited."""
        return correction != "CREDIT_NOTE" or doc_type == "FISCAL_INVOICE"

    def chain(self, doc_type: DocType) -> Chain | None:
        """None."""
        return None

    def chain_hash(self, document: ChainedDocument, previous_hash: str | None) -> str:
        """There is no chain to compute it for."""
        raise ValueError("GENERIC documents stand in no chain")

    def stamping(self, doc_type: DocType) -> Stamping | None:
        """None."""
        return None

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
