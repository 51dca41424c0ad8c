"""Tax ids: what each country takes, in which form it is kept, and that a wrong one is never repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fiscal.tax_ids import canonical_tax_id
from domain.kernel.errors import DomainError


@pytest.mark.parametrize(
    ("country_code", "written", "kept"),
    [
        ("MX", "gode 561231 gr8", "GODE561231GR8"),
        ("MX", "MAB-930714-8T4", "MAB9307148T4"),
        ("MX", "ñañ850101ab1", "ÑAÑ850101AB1"),
        ("MX", "XAXX010101000", "XAXX010101000"),
        ("MX", "xexx010101000", "XEXX010101000"),
        ("ES", "54362315-k", "54362315K"),
        ("ES", "X-2482300-W", "X2482300W"),
        ("ES", "B64717838", "B64717838"),
        ("ES", "ES B-58378431", "B58378431"),
        ("ES", "fr 40 303 265 045", "FR40303265045"),
        ("DE", "de 136,695 976", "DE136695976"),
        ("DE", "136695976", "DE136695976"),
        ("DE", "181/815/08155", "18181508155"),
        ("DE", "21/815/08150", "2181508150"),
        ("DE", "36 574 261 809", "36574261809"),
        ("PT", "PT 501 964 843", "501964843"),
        ("PT", "ESB58378431", "ESB58378431"),
        ("FR", "FR 40 303 265 045", "FR40303265045"),
        ("FR", "303  265 045", "303 265 045"),
        ("FR", "de136695976", "DE136695976"),
        ("GR", "el 094259216", "EL094259216"),
        ("BE", "BE697449992", "BE0697449992"),
        ("IT", "FRTFNC57M14H501X", "FRTFNC57M14H501X"),
        ("GB", " gb 123 ", "gb 123"),
        ("US", "12-3456789", "12-3456789"),
        ("ZZ", "anything", "anything"),
    ],
)
def test_a_number_is_kept_in_its_compact_form(country_code: str, written: str, kept: str) -> None:
    assert canonical_tax_id(country_code, written, for_buyer=True) == kept
    assert canonical_tax_id(country_code, kept, for_buyer=True) == kept


@pytest.mark.parametrize(
    ("country_code", "written"),
    [
        ("MX", "GODE561331GR8"),
        ("MX", "GODE561231"),
        ("MX", "MAB9307148T"),
        ("MX", "DE136695976"),
        ("ES", "54362315Z"),
        ("ES", "X2482300A"),
        ("ES", "B64717839"),
        ("ES", "FR40303265046"),
        ("DE", "DE136695978"),
        ("DE", "136695978"),
        ("DE", "DE36574261809"),
        ("DE", "12345"),
        ("DE", "HRB 12345 B"),
        ("PT", "501964842"),
        ("PT", "50196484"),
        ("FR", "FR40303265046"),
        ("GR", "EL094259217"),
    ],
)
def test_a_number_that_cannot_be_one_is_refused(country_code: str, written: str) -> None:
    with pytest.raises(DomainError) as refusal:
        canonical_tax_id(country_code, written, for_buyer=True)
    assert refusal.value.code == "TAX_ID_INVALID"
    assert written not in f"{refusal.value}{refusal.value.field_errors}"


@pytest.mark.parametrize("number", ["XAXX010101000", "XEXX010101000"])
def test_no_issuer_has_a_generic_number(number: str) -> None:
    with pytest.raises(DomainError, match="TAX_ID_INVALID"):
        canonical_tax_id("MX", number, for_buyer=False)


_LIKE_NUMBERS = st.text(st.sampled_from("ABDEFGILMNPRSTXÑß&0123456789 -./\u00a0"), min_size=1, max_size=15)


@given(
    st.sampled_from(["MX", "ES", "DE", "PT", "FR", "GR", "IT", "IE", "NL", "XI", "GB", "ZZ"]),
    st.one_of(_LIKE_NUMBERS, st.text(min_size=1, max_size=50)),
)
def test_any_text_is_kept_in_one_form_or_refused(country_code: str, written: str) -> None:
    try:
        kept = canonical_tax_id(country_code, written, for_buyer=True)
    except DomainError as refusal:
        assert refusal.code == "TAX_ID_INVALID"
    else:
        assert canonical_tax_id(country_code, kept, for_buyer=True) == kept
