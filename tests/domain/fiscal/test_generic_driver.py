"""GENERIC, the driver of every country without one: its zones, series and periods."""

from datetime import date, datetime
from typing import get_args
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel.core import get_global

from domain.accounts.fiscal_profile import ProfileField
from domain.documents.document_facts import DocType
from domain.fiscal.registry import GENERIC, driver_for

DOC_TYPES: tuple[DocType, ...] = get_args(DocType)
EVERYTHING: tuple[ProfileField, ...] = get_args(ProfileField)
COUNTRIES = {code for code in get_global("zone_territories").values() if len(code) == 2} | {"ZZ", "XX"}


@pytest.mark.parametrize("country_code", ["GB", "ZZ", "XX"])
def test_countries_without_a_driver_of_their_own_have_the_generic_one(country_code: str) -> None:
    assert driver_for(country_code) is GENERIC
    assert (GENERIC.name, GENERIC.version) == ("GENERIC", "generic/1")


@pytest.mark.parametrize(
    ("country_code", "zone"),
    [
        ("GB", "Europe/London"),
        ("MX", "America/Mexico_City"),
        ("ES", "Europe/Madrid"),
        ("NP", "Asia/Kathmandu"),
        ("US", "America/New_York"),
        ("ZZ", "UTC"),
        ("XX", "UTC"),
    ],
)
def test_an_issuer_counts_days_in_its_countrys_zone(country_code: str, zone: str) -> None:
    named = ZoneInfo(GENERIC.time_zone(country_code))
    for month in range(1, 13):
        noon = datetime(2026, month, 1, 12)  # noqa: DTZ001 - a wall clock's time
        assert noon.replace(tzinfo=named).utcoffset() == noon.replace(tzinfo=ZoneInfo(zone)).utcoffset()


def test_every_country_has_a_zone_that_exists() -> None:
    assert {GENERIC.time_zone(country_code) for country_code in COUNTRIES} <= available_timezones()


def test_every_document_type_has_a_yearly_series_of_its_own_letter() -> None:
    numbers = {GENERIC.number_format(doc_type).write(1, 2026) for doc_type in DOC_TYPES}
    assert len(numbers) == len(DOC_TYPES)
    assert all(GENERIC.number_format(doc_type).yearly_reset for doc_type in DOC_TYPES)
    assert GENERIC.number_format("RECEIPT").write(7, 2026) == "R-2026-000007"


@pytest.mark.parametrize("issue_date", [date(2026, 1, 1), date(2026, 12, 31), date(2024, 2, 29)])
def test_documents_are_kept_to_the_end_of_the_tenth_year_after(issue_date: date) -> None:
    for doc_type in DOC_TYPES:
        retention = GENERIC.retention(doc_type, issue_date)
        assert retention.until == date(issue_date.year + 10, 12, 31)
        assert (retention.retention_class, retention.mode) == ("COMMERCIAL", "COMPLIANCE")


def test_a_business_that_is_invoiced_is_known_by_tax_id_and_address_and_everybody_else_by_name() -> None:
    assert GENERIC.profile_demands("BUYER", is_business=True) == EVERYTHING
    assert GENERIC.profile_demands("BUYER", is_business=False) == ("legalName",)
    assert GENERIC.profile_demands("ISSUER", is_business=True) == ("legalName",)
