"""Which driver serves which country, in one explicit table."""

from datetime import date, datetime
from typing import get_args
from zoneinfo import ZoneInfo

from domain.documents.document_facts import DocType, DocumentDrafted
from domain.fiscal.countries.generic.driver import GenericDriver
from domain.fiscal.countries.simulated.driver import SIMULATED_COUNTRY, SimulatedDriver
from domain.fiscal.driver import CountryDriver, Stamping
from domain.kernel.facts import Value

GENERIC = GenericDriver()

DRIVERS: dict[str, CountryDriver] = {SIMULATED_COUNTRY: SimulatedDriver()}
"""Countries with a driver of their own."""


def driver_for(country_code: str) -> CountryDriver:
    """The country's driver, GENERIC where it has none."""
    return DRIVERS.get(country_code, GENERIC)


def day_there(country_code: str, at: datetime) -> date:
    """The day it is, at that moment, where the country's law holds."""
    return at.astimezone(ZoneInfo(driver_for(country_code).time_zone(country_code))).date()


def stamping_of(drafted: DocumentDrafted) -> Stamping | None:
    """How a document is stamped; None also where it was drafted before its country had this driver."""
    driver = driver_for(drafted.country_code)
    return driver.stamping(drafted.doc_type) if driver.name == drafted.driver else None


class StampedType(Value):
    """A document type that a driver wants stamped, and by which authority."""

    country_code: str
    driver: str
    doc_type: DocType
    authority: str


def stamped_types() -> tuple[StampedType, ...]:
    """Every document type of every country that is stamped: what `stamping_of` says, as a list."""
    return tuple(
        StampedType(
            country_code=country_code, driver=driver.name, doc_type=doc_type, authority=stamping.authority
        )
        for country_code, driver in DRIVERS.items()
        for doc_type in get_args(DocType)
        if (stamping := driver.stamping(doc_type)) is not None
    )
