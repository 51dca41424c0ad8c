"""Addresses in one form: white space, codes in capitals, postal codes as their country writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts.addresses import PostalAddress, normalized_address
from domain.kernel.facts import NO_CONTROLS

PARTS = ("line1", "line2", "city", "region", "postalCode")


def form(country_code: str = "GB", **parts: str) -> dict[str, Any]:
    address = normalized_address(PostalAddress.model_validate(parts), country_code)
    return address.model_dump(by_alias=True, exclude_none=True)


def test_white_space_is_one_blank_and_empty_parts_are_left_out() -> None:
    assert form(line1=" 3\tPier\n\n Road ", line2=" \n", city="", region="  ") == {"line1": "3 Pier Road"}


@pytest.mark.parametrize(
    ("region", "written"),
    [
        ("nl", "NL"),
        ("mx-nle", "MX-NLE"),
        ("us-ca", "US-CA"),
        (" 13 ", "13"),
        ("Nuevo León", "Nuevo León"),
        ("County Down", "County Down"),
    ],
)
def test_a_regions_code_is_in_capitals_and_its_name_is_not(region: str, written: str) -> None:
    assert form(region=region) == {"region": written}


@pytest.mark.parametrize(
    ("country_code", "postal_code", "written"),
    [
        ("MX", "64 000", "64000"),
        ("ES", "28-001", "28001"),
        ("DE", "10 115", "10115"),
        ("PT", "1000001", "1000-001"),
        ("PT", "1000 - 001", "1000-001"),
        ("PT", "1000", "1000"),
        ("GB", "yo213pu", "YO21 3PU"),
        ("GB", "w1a 1aa", "W1A 1AA"),
        ("GB", "ec1a1bb", "EC1A 1BB"),
        ("CA", "k1a-0b1", "K1A 0B1"),
        ("NL", "1234ab", "1234 AB"),
        ("PL", "00 001", "00-001"),
        ("US", "941051234", "94105-1234"),
        ("US", "94105", "94105"),
        ("SE", "12345", "123 45"),
        ("BR", "01310100", "01310-100"),
        ("JP", "1000001", "100-0001"),
        ("AT", "A-1010", "A-1010"),
        ("IE", " d02  x285", "D02 X285"),
        ("DE", "１０１１５", "１０１１５"),
    ],
)
def test_a_postal_code_is_written_as_its_country_does_where_that_is_certain(
    country_code: str, postal_code: str, written: str
) -> None:
    assert form(country_code, postalCode=postal_code) == {"postalCode": written}


def test_an_address_abroad_is_written_as_it_is_there() -> None:
    assert form("MX", postalCode="1000001", countryCode="pt") == {
        "postalCode": "1000-001",
        "countryCode": "PT",
    }


@given(st.fixed_dictionaries({part: st.from_regex(NO_CONTROLS, fullmatch=True) for part in PARTS}))
def test_what_is_in_one_form_stays_as_it_is(parts: dict[str, str]) -> None:
    written = {name: value[:300] for name, value in parts.items()}
    for country_code in ("GB", "PT", "ZZ"):
        once = normalized_address(PostalAddress.model_validate(written), country_code)
        assert normalized_address(once, country_code) == once
