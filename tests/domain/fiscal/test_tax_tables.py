"""The packaged tax rules: complete, dated, sourced; and what is said of a file that is wrong."""

import re
import tomllib
from datetime import date
from importlib import resources

import pytest

from application.tax_tables import TAX_TABLES, packaged_tables, tax_rules_for
from domain.fiscal.taxes.categories import CATEGORIES, SPELLINGS, category_of
from domain.fiscal.taxes.rules import Customer
from domain.fiscal.taxes.tables import TaxTable, read_table
from tests.support.source_tree import PROJECT

TABLES = packaged_tables()
TODAY = date(2026, 11, 21)

SMALL = """\
country_code = "XX"
version = "2026-01-01#1"
covers = "An example."
regions = ["AA", "BB"]
separate_regions = ["BB"]

[sources.law]
title = "The law"
url = "https://law.example/1"
as_of = 2026-01-01
status = "READ"

[[tax]]
id = "XX-STANDARD"
tax_code = "VAT"
kind = "VAT"
category = "STANDARD"
rate_percent = "10"
valid_from = 2026-01-01
source = "law"
"""

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


def _line(text: str, part: str) -> int:
    """The number of the last line that holds `part`."""
    return max(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def test_the_countries_of_the_first_issue_have_rules() -> None:
    assert TAX_TABLES.countries == ("DE", "ES", "MX", "PT", "US")


@every_table
def test_every_rule_cites_a_source_with_a_date_and_every_source_is_used(table: TaxTable) -> None:
    used = {rule.source for rule in (*table.tax, *table.fee)}
    assert used == set(table.sources)
    for source in table.sources.values():
        assert source.as_of <= date.fromisoformat(table.version[:10])
        assert source.title and source.url.startswith("https://")


@pytest.mark.parametrize(
    ("country", "region"),
    [("MX", None), ("ES", None), ("ES", "CN"), ("DE", "BY"), ("PT", None), ("PT", "20"), ("PT", "30")]
    + [("US", region) for region in TABLES["US"].regions],
)
def test_the_standard_category_works_everywhere_for_every_kind_of_line(
    country: str, region: str | None
) -> None:
    rules = tax_rules_for(country, region, TODAY)
    for has_parts in (True, False):
        for kind in ("LABOR", "PART", "FEE"):
            assert rules.tax_for(kind, "STANDARD", has_parts, Customer(classification="B2C"), "f")


def test_all_states_and_the_district_have_rules_and_five_states_no_sales_tax() -> None:
    assert len(TABLES["US"].regions) == 51
    untaxed = {
        region
        for region in TABLES["US"].regions
        if not tax_rules_for("US", region, TODAY)
        .tax_for("PART", "STANDARD", True, Customer(classification="B2C"), "f")
        .rate
    }
    assert untaxed == {"AK", "DE", "MT", "NH", "OR"}


def test_the_file_of_the_us_says_that_local_taxes_are_not_in_it() -> None:
    assert "COUNTY, CITY AND DISTRICT TAXES ARE NOT IN HERE" in TABLES["US"].covers.replace("\n", " ")


def test_a_rate_that_changes_changes_on_its_day() -> None:
    def rate(region: str, on: date) -> str:
        rules = tax_rules_for("US", region, on)
        return rules.tax_for("PART", "STANDARD", True, Customer(classification="B2C"), "f").rate_percent

    assert (rate("DC", date(2026, 9, 30)), rate("DC", date(2026, 10, 1))) == ("6", "7")
    assert (rate("SD", date(2027, 6, 30)), rate("SD", date(2027, 7, 1))) == ("4.2", "4.5")


def test_the_rule_version_names_jurisdiction_and_file() -> None:
    assert tax_rules_for("US", "US-CA", TODAY).version == f"US-CA/{TABLES['US'].version}"
    assert tax_rules_for("ES", "MD", TODAY).version == f"ES/{TABLES['ES'].version}"
    assert tax_rules_for("ES", "es-cn", TODAY).version == f"ES-CN/{TABLES['ES'].version}"


@pytest.mark.parametrize(
    ("spelling", "category"),
    [
        ("S", "STANDARD"),
        ("aa", "REDUCED"),
        ("Z", "ZERO"),
        ("E", "EXEMPT"),
        ("AE", "REVERSE_CHARGE"),
        ("K", "INTRA_COMMUNITY"),
        ("G", "EXPORT"),
        ("O", "OUT_OF_SCOPE"),
        ("super reduced", "SUPER_REDUCED"),
        ("reverse-charge", "REVERSE_CHARGE"),
        ("INT", "INTERMEDIATE"),
        ("gratis", None),
        ("", None),
    ],
)
def test_categories_have_codes_and_words(spelling: str, category: str | None) -> None:
    assert category_of(spelling) == category


def test_integrators_are_told_every_spelling() -> None:
    text = (PROJECT / "docs/integrators.md").read_text("utf-8")
    section = text[text.index("| category | also spelled |") :]
    table = section[: section.index("\n\n")]
    told = {}
    for row in table.splitlines()[2:]:
        category, spellings, _ = (cell.strip() for cell in row.strip("|").split("|"))
        for spelling in re.findall(r"`(\w+)`", f"{category} {spellings}"):
            told[spelling] = category.strip("`")
    assert told == SPELLINGS


def test_every_category_is_spelled_as_itself() -> None:
    assert [category_of(category) for category in CATEGORIES] == list(CATEGORIES)


def test_a_sound_file_is_read() -> None:
    assert read_table("xx.toml", SMALL).tax[0].rate_basis_points == 1000


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('rate_percent = "10"', "rate_percent = 0.1", "rate_percent", "string"),
        ('rate_percent = "10"', 'rate_percent = "100"', "rate_percent", "pattern"),
        ('kind = "VAT"', 'kind = "DUTY"', "kind", "SALES"),
        ('source = "law"', 'source = "rumour"', "source", "the source rumour is unknown"),
        ('source = "law"', 'regions = ["CC"]\nsource = "law"', "regions", "the region CC is unknown"),
        ('source = "law"', 'valid_until = 2027-01-01\nsource = "law"', "valid_until", "Extra inputs"),
        ('source = "law"', 'valid_to = 2025-01-01\nsource = "law"', "[[tax]]", "before"),
        ("as_of = 2026-01-01", 'as_of = "soon"', "as_of", "date"),
        ('separate_regions = ["BB"]', 'separate_regions = ["CC"]', "separate_regions", "CC is unknown"),
        ('category = "STANDARD"', 'category = "EXEMPT"', "[[tax]]", "has a rate"),
    ],
)
def test_a_fault_is_told_with_file_and_line(old: str, new: str, at: str, says: str) -> None:
    text = SMALL.replace(old, new)
    with pytest.raises(ValueError, match=r"^xx\.toml:\d+: ") as fault:
        read_table("xx.toml", text)
    assert str(fault.value).startswith(f"xx.toml:{_line(text, at)}: ")
    assert says in str(fault.value)


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"^xx\.toml:2: "):
        read_table("xx.toml", 'country_code = "XX"\nversion = \n')


def test_two_rules_for_the_same_lines_on_the_same_day_are_a_fault() -> None:
    rule = SMALL[SMALL.index("[[tax]]") :]
    second = rule.replace("XX-STANDARD", "XX-SECOND").replace("2026-01-01", "2027-01-01")
    with pytest.raises(ValueError, match="XX-SECOND and XX-STANDARD hold for the same lines on the same day"):
        read_table("xx.toml", SMALL + second)
    ended = SMALL.replace('source = "law"', 'valid_to = 2026-12-31\nsource = "law"')
    assert len(read_table("xx.toml", ended + second).tax) == 2
    started = SMALL.replace("valid_from = 2026-01-01", "valid_from = 2028-01-01")
    before = second.replace('source = "law"', 'valid_to = 2027-12-31\nsource = "law"')
    assert len(read_table("xx.toml", started + before).tax) == 2
    elsewhere = second + 'regions = ["BB"]\n'
    assert len(read_table("xx.toml", SMALL + elsewhere).tax) == 2
    with pytest.raises(ValueError, match="the id XX-STANDARD is taken"):
        read_table("xx.toml", ended + second.replace("XX-SECOND", "XX-STANDARD"))


def test_money_in_the_files_is_no_float() -> None:
    for file in resources.files("domain.fiscal.taxes").joinpath("data").iterdir():
        tomllib.loads(file.read_text("utf-8"), parse_float=pytest.fail)
