"""RFC 8785's own vectors, and what the ledger refuses to keep."""

import json
import math
import struct
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from domain.kernel.canonical import canonical_json, refuse_unstorable, sha256_hex


def test_the_example_of_rfc_8785_section_3_2_2_is_serialized_as_printed_there() -> None:
    source = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    expected = (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )
    assert canonical_json(json.loads(source)) == expected.encode()


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    source = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = list(json.loads(canonical_json(source)))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("ieee_754", "expected"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_in_appendix_b(ieee_754: str, expected: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(ieee_754))
    assert canonical_json(number).decode() == expected


@pytest.mark.parametrize("value", [2**53, -(2**53), math.nan, math.inf, {1: "a"}, "\ud800", {1, 2}])
def test_what_json_cannot_hold_exactly_is_refused(value: object) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json(value)


def test_the_order_of_keys_in_memory_does_not_matter() -> None:
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.text(st.characters(codec="ascii")),
    st.text(st.characters(categories=["Cs", "Cc", "Co", "Lo"])),
    st.integers(),
    st.integers(-(2**53), 2**53),
    st.sampled_from([2**53 - 1, 2**53, -(2**53) + 1, -(2**53)]),
    st.floats(),
    st.binary(max_size=3),
)
_KEYS = st.one_of(st.text(st.characters(codec="ascii")), st.text(), st.integers(), st.booleans(), st.none())
_VALUES = st.recursive(
    _SCALARS,
    lambda values: st.one_of(
        st.lists(values),
        st.lists(values).map(tuple),
        st.dictionaries(_KEYS, values),
        st.dictionaries(st.text(st.characters(codec="ascii")), values),
    ),
    max_leaves=30,
)


def _outcome(serialize: Callable[[Any], bytes], value: Any) -> bytes | str:
    try:
        return serialize(value)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@given(_VALUES)
@example({"\ufb33": 1, "\U0001f600": 2})
@example({"key": '\u2028\u2029\x7f\x1f\x08\x0c/\\"<&>'})
@example({"1": 1, 1: 2})
@example([1.0, -0.0, 1e21, True, 2**53 - 1])
@example(["\ud800"])
@example({"\ud800": 1})
def test_every_value_is_serialized_or_refused_as_the_reference_library_does(value: Any) -> None:
    assert _outcome(canonical_json, value) == _outcome(rfc8785.dumps, value)


def test_subclasses_of_plain_types_are_serialized_as_the_reference_library_does() -> None:
    class Word(StrEnum):
        YES = "yes"

    class Level(IntEnum):
        LOW = 1

    value = {Word.YES: [Word.YES, Level.LOW], "other": OrderedDict(b=1, a=2)}
    assert canonical_json(value) == rfc8785.dumps(value) == b'{"other":{"a":2,"b":1},"yes":["yes",1]}'


def test_sha256_is_the_published_one() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _nested(levels: int) -> object:
    value: object = "core"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "a\x00b",
        {"k\x00": 1},
        ["\ud800"],
        {"deep": [{"n": 2**53}]},
        -(2**53),
        math.inf,
        math.nan,
        "\uffff",
        _nested(33),
    ],
)
def test_unstorable_json_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(ValueError, match=r"^(holds|is nested)") as refusal:
        refuse_unstorable(value)
    assert "core" not in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["tab\tand 中文 😀", 2**53 - 1, 0.5, True, None, {"a": [1, {"b": ""}]}, _nested(32)]
)
def test_storable_json_passes(value: object) -> None:
    refuse_unstorable(value)
    canonical_json(value)
