"""Document keys: parts percent-encoded, so that no two causes share one."""

from uuid import UUID

import pytest
from hypothesis import assume
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.documents.keys import document_id, document_key


def test_a_key_names_source_type_issuer_and_version() -> None:
    assert document_key(("o-1",), "RECEIPT", "platform-gb", 2) == "o-1:RECEIPT:platform-gb:2"


def test_a_source_and_its_cause_are_joined_by_a_slash_that_is_not_encoded() -> None:
    assert document_key(("o-1", "r-9"), "CREDIT_NOTE", "s", 1) == "o-1/r-9:CREDIT_NOTE:s:1"


@pytest.mark.parametrize(
    ("source", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("a:b", "a%3Ab"),
        ("a b", "a%20b"),
        ("a%2Fb", "a%252Fb"),
        ("ñ", "%C3%B1"),
        ("a-b_c.d~e", "a-b_c.d~e"),
    ],
)
def test_parts_are_percent_encoded(source: str, encoded: str) -> None:
    assert document_key((source,), "RECEIPT", source, 1) == f"{encoded}:RECEIPT:{encoded}:1"


_ids = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_parts = st.tuples(st.one_of(st.tuples(_ids), st.tuples(_ids, _ids)), _ids, st.integers(1, 99))


@for_any(_parts, _parts)
def test_different_causes_have_different_keys_and_documents(
    one: tuple[tuple[str, ...], str, int], other: tuple[tuple[str, ...], str, int]
) -> None:
    assume(one != other)
    keys = [document_key(source, "RECEIPT", issuer, version) for source, issuer, version in (one, other)]
    assert keys[0] != keys[1]
    assert document_id(keys[0]) != document_id(keys[1])


def test_the_id_follows_from_the_key_for_good() -> None:
    assert document_id("o-1:RECEIPT:platform-gb:1") == "de593a39-d71c-5074-8e95-b1c994613b71"
    assert UUID(document_id("o-1:RECEIPT:platform-gb:1")).version == 5
