"""Tax ids, checked as their country writes them and kept in one form (S3 §4.2, contract §6).

A country whose numbers are not known here takes any text. The arithmetic is python-stdnum's.
"""

from collections.abc import Callable

from stdnum.de import stnr
from stdnum.de import vat as ust_idnr
from stdnum.es import nif as spanish_nif
from stdnum.eu import vat
from stdnum.exceptions import InvalidComponent, InvalidLength, ValidationError
from stdnum.mx import rfc
from stdnum.pt import nif as portuguese_nif

from domain.kernel.errors import DomainError, FieldError

GENERIC_RFCS = frozenset({"XAXX010101000", "XEXX010101000"})
"""Mexico's numbers for the public at large and for who lives abroad; no issuer has one (SAT, CFDI 4.0)."""

_RFC_LENGTHS = frozenset({12, 13})
"""A company's and a person's, homoclave included."""

_UST_IDNR_DIGITS = 9

_NORTHERN_IRELAND = "XI"

_MEMBER_STATES = frozenset(code.upper() for code in vat.MEMBER_STATES) - {_NORTHERN_IRELAND}
_PREFIXES = {code: "EL" if code == "GR" else code for code in _MEMBER_STATES}
"""With what the VAT ids of each member of the EU begin."""

_VAT_PREFIXES = frozenset(_PREFIXES.values()) | {_NORTHERN_IRELAND}


def canonical_tax_id(country_code: str, tax_id: str, *, for_buyer: bool) -> str:
    """The number in its compact form: without blanks and separators, in capitals.

    Mexico takes an RFC, the generic ones `for_buyer` alone; Spain a NIF, NIE or CIF; Germany a USt-IdNr (kept
    with `DE`), a Steuernummer or an IdNr; Portugal a NIF. These three, as all of the EU, also take the VAT id
    of another member with its prefix, and the other members check what begins with their own. What is not
    checked is kept as text, with single blanks. Raises `TAX_ID_INVALID`, never repeating the number.
    """
    if country_code == "MX":
        return _checked("an RFC", lambda: _rfc(tax_id, for_buyer=for_buyer))
    if country_code in _MEMBER_STATES:
        foreign = _vat_id_of_another_member(country_code, tax_id)
        if foreign is not None:
            return foreign
    match country_code:
        case "ES":
            return _checked("a NIF, NIE or CIF", lambda: spanish_nif.validate(tax_id))
        case "DE":
            return _checked("a USt-IdNr, Steuernummer or IdNr", lambda: _german(tax_id))
        case "PT":
            return _checked("a NIF", lambda: portuguese_nif.validate(tax_id))
    if _prefix(tax_id) == _PREFIXES.get(country_code):
        return _checked("a VAT id", lambda: vat.validate(tax_id))
    return " ".join(tax_id.split())


def _checked(what: str, validate: Callable[[], str]) -> str:
    try:
        return validate()
    except ValidationError:
        fault = FieldError("taxId", "INVALID", f"It is not {what} of this country.")
        raise DomainError("TAX_ID_INVALID", "The tax id is not valid.", field_errors=(fault,)) from None


def _rfc(tax_id: str, *, for_buyer: bool) -> str:
    """Its check digit is not looked at: SAT gave numbers in which it does not follow from the rest."""
    number = rfc.validate(tax_id)
    if len(number) not in _RFC_LENGTHS:
        raise InvalidLength
    if number in GENERIC_RFCS and not for_buyer:
        raise InvalidComponent
    return number


def _german(tax_id: str) -> str:
    number = ust_idnr.compact(tax_id)
    if _prefix(tax_id) == "DE" or len(number) == _UST_IDNR_DIGITS:
        return f"DE{ust_idnr.validate(number)}"
    # An IdNr has eleven digits, and any eleven are a Steuernummer of some state.
    return stnr.validate(number)


def _vat_id_of_another_member(country_code: str, tax_id: str) -> str | None:
    """That number, if it is a valid one: a text that merely begins like one may be a national number."""
    others = _VAT_PREFIXES - {_PREFIXES[country_code]}
    return vat.validate(tax_id) if _prefix(tax_id) in others and vat.is_valid(tax_id) else None


def _prefix(tax_id: str) -> str:
    return tax_id.strip()[:2].upper()
