"""A jurisdiction's data file, validated, and the rules it gives for a region and a day.

Files are TOML (`domain/fiscal/taxes/data`). Who reads them hands their text in; this module does no I/O.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.fiscal.taxes.rules import Dated, FeeRule, TaxRule, TaxRules
from domain.kernel.data_files import Fault, faulty, read_data_file
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Value

COUNTRY_FIELD = "billableScopeSnapshot.countryCode"
REGION_FIELD = "billableScopeSnapshot.regionCode"


class Source(Value):
    """Where a rule comes from; `as_of` is the day whose law it gives.

    `status` says whether a copy of the text was READ for this file, or the text is only CITED.
    """

    title: str
    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$")]
    as_of: date
    status: Literal["READ", "CITED"]


class TaxTable(Value):
    """One country's file.

    `regions` are the ISO 3166-2 codes, without the country's, that it knows. In `separate_regions` only
    rules that name them hold, and those said to hold `everywhere`. `covers` says what is in the file and what
    is not.
    """

    country_code: CountryCode
    version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}#[1-9]\d*$")]
    covers: Annotated[str, StringConstraints(min_length=1)]
    region_required: bool = False
    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    separate_regions: tuple[str, ...] = ()
    sources: dict[str, Source]
    tax: Annotated[tuple[TaxRule, ...], Field(min_length=1)]
    fee: tuple[FeeRule, ...] = ()

    def rules_for(self, region_code: str | None, on: date) -> TaxRules:
        """What holds there that day; `region_code` may carry the country (`US-CA`).

        Raises BILLING_DATA_INCOMPLETE where the region is unknown, or missing and needed, or the file's rules
        begin later.
        """
        region = (region_code or "").upper().removeprefix(f"{self.country_code}-")
        if (region and region not in self.regions) or (not region and self.region_required):
            raise _incomplete("The region is unknown, and taxes depend on it.", REGION_FIELD)
        taxes = tuple(rule for rule in self.tax if rule.holds(on) and self.reaches(rule, region))
        if not taxes:
            raise _incomplete("No tax rules are known for that day.", COUNTRY_FIELD)
        names_region = region and (self.region_required or region in self.separate_regions)
        jurisdiction = f"{self.country_code}-{region}" if names_region else self.country_code
        return TaxRules(
            jurisdiction=jurisdiction,
            version=f"{jurisdiction}/{self.version}",
            country_code=self.country_code,
            taxes=taxes,
            fees=tuple(rule for rule in self.fee if rule.holds(on) and self.reaches(rule, region)),
        )

    def reaches(self, rule: Dated, region: str) -> bool:
        """Whether the rule is one for that region, the empty one being a country without."""
        if rule.regions:
            return region in rule.regions
        return rule.everywhere or region not in self.separate_regions


class TaxTables:
    """The tables of all countries that have one."""

    def __init__(self, tables: Mapping[str, TaxTable]) -> None:
        """`tables` by country code."""
        self._tables = dict(tables)

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries with a table, in alphabetical order."""
        return tuple(sorted(self._tables))

    def rules_for(self, country_code: str, region_code: str | None, on: date) -> TaxRules:
        """What holds there that day. Raises BILLING_DATA_INCOMPLETE where that is not known."""
        table = self._tables.get(country_code)
        if table is None:
            raise _incomplete("There are no tax rules for that country.", COUNTRY_FIELD)
        return table.rules_for(region_code, on)


def _incomplete(message: str, field: str) -> DomainError:
    return DomainError("BILLING_DATA_INCOMPLETE", message, missing_fields=(field,))


def read_table(file_name: str, text: str) -> TaxTable:
    """The table in a file's text. Raises ValueError whose every line names the file and a line of it."""
    table = read_data_file(TaxTable, file_name, text)
    faults = list(_faults(table))
    if faults:
        raise faulty(file_name, text, faults)
    return table


def _faults(table: TaxTable) -> Iterator[Fault]:
    """What each rule alone cannot know: names that nothing bears, and rules that contradict each other."""
    for region in table.separate_regions:
        if region not in table.regions:
            yield ("separate_regions",), f"the region {region} is unknown"
    lists: tuple[tuple[str, tuple[Dated, ...]], ...] = (("tax", table.tax), ("fee", table.fee))
    seen: set[str] = set()
    for name, rules in lists:
        for index, rule in enumerate(rules):
            if rule.source not in table.sources:
                yield (name, index, "source"), f"the source {rule.source} is unknown"
            for region in rule.regions:
                if region not in table.regions:
                    yield (name, index, "regions"), f"the region {region} is unknown"
            if rule.id in seen:
                yield (name, index, "id"), f"the id {rule.id} is taken"
            seen.add(rule.id)
    places = [
        {region for region in ("", *table.regions) if table.reaches(rule, region)} for rule in table.tax
    ]
    for (first, one), (second, other) in combinations(enumerate(table.tax), 2):
        if places[first] & places[second] and _compete(one, other):
            yield ("tax", second, "id"), f"{other.id} and {one.id} hold for the same lines on the same day"


def _compete(one: TaxRule, other: TaxRule) -> bool:
    """Whether two rules for one region can both cover a line on some day."""
    return (
        one.category == other.category
        and bool(set(one.line_kinds) & set(other.line_kinds))
        and {one.parts_on_invoice, other.parts_on_invoice} != {True, False}
        and one.shares_a_day_with(other)
    )
