"""What upstream systems send, in the pieces that all of them share (contract §4).

Nobody recomputes or trims them: they are kept as they were sent, with the fields that nobody knows.
"""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.canonical import refuse_unstorable
from domain.kernel.facts import NO_CONTROLS, CountryCode, Identifier, UpstreamValue
from domain.kernel.money import MAX_MINOR, DecimalString

_NO_CONTROLS_BUT_BREAKS = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]*$"

Code = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=NO_CONTROLS)]
"""A code of some list: a tax code, a unit, a tax category."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""What somebody is called."""

AddressPart = Annotated[str, StringConstraints(max_length=300, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""One line of an address; upstream forms send empty ones."""

Description = Annotated[str, StringConstraints(max_length=1000, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""Free text about a line; line breaks are kept."""

Amount = Annotated[int, Field(strict=True, ge=-MAX_MINOR, le=MAX_MINOR)]
"""Minor units as sent: a whole number that JSON keeps exactly, else the request is malformed (400).

A negative one is well formed but breaks a rule, so the check of the whole refuses it (422).
"""

TaxId = Annotated[str, StringConstraints(max_length=50, pattern=NO_CONTROLS)]
"""A tax number as the party wrote it; countries' drivers check it."""

Email = Annotated[str, StringConstraints(max_length=320, pattern=NO_CONTROLS)]
"""An e-mail address, as long as RFC 5321 lets it be."""


class SnapshotValue(UpstreamValue):
    """A part of what upstream sent: extra fields are kept, as long as the ledger can hold them."""

    @model_validator(mode="after")
    def _extra_fields_are_storable(self) -> Self:
        if self.__pydantic_extra__:
            refuse_unstorable(self.__pydantic_extra__)
        return self


class Address(SnapshotValue):
    """Where a party is; which parts are needed is each country driver's affair."""

    line1: AddressPart | None = None
    line2: AddressPart | None = None
    city: AddressPart | None = None
    region: AddressPart | None = None
    postal_code: AddressPart | None = None
    country_code: CountryCode | None = None


class Classification(SnapshotValue):
    """What a line is in some scheme's eyes (a customs tariff, a national product catalogue)."""

    scheme: Code
    code: Code


class PricedLine(SnapshotValue):
    """One thing done or sold, at either `unit_amount` (minor units) or `unit_price` (major units, finer)."""

    line_id: Identifier
    description: Description
    quantity: DecimalString
    unit_amount: Amount | None = None
    unit_price: DecimalString | None = None
    discount_amount: Amount | None = None
    unit_code: Code | None = None
    classifications: Annotated[tuple[Classification, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.unit_amount is None) == (self.unit_price is None):
            raise ValueError("needs exactly one of unitAmount and unitPrice")
        return self
