"""The tax rules that are packaged with the project, read and validated once, when the process starts.

They are data files beside `domain/fiscal/taxes`, whose code may not read them itself. A file that is wrong
keeps every process from starting, and says where (ADR 0019).
"""

from datetime import date
from importlib import resources

from domain.fiscal.taxes.rules import TaxRules
from domain.fiscal.taxes.tables import TaxTable, TaxTables, read_table


def packaged_tables() -> dict[str, TaxTable]:
    """Every packaged table by country code. Raises ValueError that names file and line of each fault."""
    tables = {}
    for file in resources.files("domain.fiscal.taxes").joinpath("data").iterdir():
        if file.name.endswith(".toml"):
            table = read_table(file.name, file.read_text("utf-8"))
            tables[table.country_code] = table
    return tables


TAX_TABLES = TaxTables(packaged_tables())


def tax_rules_for(country_code: str, region_code: str | None, on: date) -> TaxRules:
    """The rules of a jurisdiction on a day, that of the invoice in its issuer's time zone.

    Raises BILLING_DATA_INCOMPLETE with the field in `missing_fields` where the country has no table, the
    region is unknown, or missing where taxes depend on it.
    """
    return TAX_TABLES.rules_for(country_code, region_code, on)
