"""Which driver serves which country, in one explicit table."""

from domain.fiscal.countries.generic.driver import GenericDriver
from domain.fiscal.driver import CountryDriver

GENERIC = GenericDriver()

DRIVERS: dict[str, CountryDriver] = {}
"""Countries with a driver of their own."""


def driver_for(country_code: str) -> CountryDriver:
    """The country's driver, GENERIC where it has none."""
    return DRIVERS.get(country_code, GENERIC)
