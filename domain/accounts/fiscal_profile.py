"""A fiscal profile: who somebody is to one country's tax office, and how they want invoices (S3 §6.1).

There is one for each owner and country, set whole; the command is configure. A country's driver says what it
demands of a profile, and `missing_fields` what of that is not there.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, assert_never
from urllib.parse import quote

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import to_json

from domain.accounts.addresses import PostalAddress, normalized_address
from domain.fiscal.tax_ids import canonical_tax_id
from domain.kernel.canonical import refuse_unstorable
from domain.kernel.card_numbers import WITHOUT_CARD_DATA
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Fact, Identifier, Utc, Value
from domain.kernel.privacy import PersonalData, PersonalDataErased, Pii, without_personal_data
from domain.kernel.streams import EventType, StreamType
from domain.upstream import Address, Email, Name, SnapshotValue, TaxId

OwnerType = Literal["BUYER", "SELLER", "PLATFORM"]

ProfileField = Literal["legalName", "taxId", "address.line1", "address.city", "address.countryCode"]
"""What a country may demand of a profile, as requests name it."""

MAX_FREE_BYTES = 8192
"""How much JSON the preferences that nobody knows may be: far more than any has reason to be."""


class ProfileOwner(Value):
    """Whose profile it is, and for which country."""

    owner_type: OwnerType
    owner_id: Identifier
    country_code: CountryCode

    @property
    def profile_id(self) -> str:
        """The profile's id and that of its stream: `type:owner:country`, each percent-encoded."""
        return ":".join(quote(part, safe="") for part in (self.owner_type, self.owner_id, self.country_code))

    @property
    def subject(self) -> str:
        """Whose data the profile holds."""
        return f"party:{self.owner_id}"


class InvoicePreferences(SnapshotValue):
    """How the owner wants invoices: as a consumer or a business, and where to.

    Further fields are kept as sent, but for null ones.
    """

    type: Literal["B2C", "B2B"] | None = None
    receptor_email: Email | None = None

    @model_validator(mode="after")
    def _free_fields_are_few(self) -> Self:
        free = self.__pydantic_extra__ or {}
        # What cannot be stored cannot be measured either.
        refuse_unstorable(free)
        if len(to_json(free)) > MAX_FREE_BYTES:
            raise ValueError(f"holds more than {MAX_FREE_BYTES} bytes of further fields")
        return self


class ProfileRequest(Value):
    """A profile as its owner writes it; blanks around the name do not count."""

    legal_name: Annotated[Name, StringConstraints(strip_whitespace=True), WITHOUT_CARD_DATA]
    tax_id: TaxId | None = None
    address: Annotated[PostalAddress, WITHOUT_CARD_DATA]
    invoice_preferences: Annotated[InvoicePreferences | None, WITHOUT_CARD_DATA] = None


class ProfileContent(Value):
    """A profile as it is kept: `address` as written, `tax_id` canonical, `preferences` without the type.

    Nothing is left of what was erased.
    """

    personal: ClassVar[PersonalData] = PersonalData("party", "owner.owner_id", unknown_fields="CONTACT")

    owner: ProfileOwner
    legal_name: Annotated[Name | None, Pii("FISCAL")] = None
    tax_id: Annotated[TaxId | None, Pii("FISCAL")] = None
    address: Annotated[PostalAddress | None, Pii("FISCAL")] = None
    address_normalized: Annotated[PostalAddress | None, Pii("FISCAL")] = None
    invoice_type: Literal["B2C", "B2B"] | None = None
    preferences: Annotated[dict[str, Any] | None, Pii("CONTACT")] = None

    @property
    def invoice_preferences(self) -> dict[str, Any]:
        """The preferences as they were sent, JSON-ready."""
        told = {} if self.invoice_type is None else {"type": self.invoice_type}
        return {**told, **(self.preferences or {})}


class FiscalProfile(Value):
    """A profile as it stands. `revision` counts what changed, an erasure included."""

    content: ProfileContent
    revision: Annotated[int, Field(ge=1)]
    updated_at: Utc
    updated_by: str


class FiscalProfileConfigured(Fact):
    """Somebody set the profile."""

    content: ProfileContent
    configured_by: str
    configured_at: Utc


class FiscalProfilePersonalDataErased(PersonalDataErased):
    """What the profile held of its owner is erased; it is incomplete until somebody sets it again."""


def profile_content(owner: ProfileOwner, request: ProfileRequest) -> ProfileContent:
    """What a request makes of the profile. Raises `TAX_ID_INVALID`."""
    wanted = request.invoice_preferences or InvoicePreferences()
    preferences = wanted.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"type"})
    tax_id = request.tax_id and request.tax_id.strip()
    return ProfileContent(
        owner=owner,
        legal_name=request.legal_name,
        tax_id=canonical_tax_id(owner.country_code, tax_id, for_buyer=owner.owner_type == "BUYER")
        if tax_id
        else None,
        address=request.address,
        address_normalized=normalized_address(request.address, owner.country_code),
        invoice_type=wanted.type,
        preferences=preferences or None,
    )


def configure_profile(
    profile: FiscalProfile | None,
    content: ProfileContent,
    *,
    configured_by: str,
    at: Utc,
    expected_revision: int | None = None,
) -> tuple[FiscalProfileConfigured, ...]:
    """Sets a profile; () where nothing changes. Raises `STALE_ETAG` where another revision was expected."""
    revision = 0 if profile is None else profile.revision
    if expected_revision is not None and expected_revision != revision:
        raise DomainError("STALE_ETAG", "The profile has changed since it was read; read it again.")
    if profile is not None and profile.content == content:
        return ()
    return (FiscalProfileConfigured(content=content, configured_by=configured_by, configured_at=at),)


def missing_fields(content: ProfileContent, demanded: Sequence[ProfileField]) -> tuple[ProfileField, ...]:
    """What of the demanded is not there, in the order demanded."""
    return lacking(demanded, content.legal_name, content.tax_id, content.address_normalized)


def lacking(
    demanded: Sequence[ProfileField], legal_name: str | None, tax_id: str | None, address: Address | None
) -> tuple[ProfileField, ...]:
    """The same of what is known of a party otherwise."""
    address = address or Address()
    given: dict[ProfileField, str | None] = {
        "legalName": legal_name,
        "taxId": tax_id,
        "address.line1": address.line1,
        "address.city": address.city,
        "address.countryCode": address.country_code,
    }
    return tuple(field for field in demanded if not given[field])


def _evolve(
    profile: FiscalProfile | None, fact: FiscalProfileConfigured | FiscalProfilePersonalDataErased
) -> FiscalProfile:
    match fact:
        case FiscalProfileConfigured():
            return FiscalProfile(
                content=fact.content,
                revision=1 if profile is None else profile.revision + 1,
                updated_at=fact.configured_at,
                updated_by=fact.configured_by,
            )
        case FiscalProfilePersonalDataErased():
            assert profile is not None, "nothing is erased of a profile without history"
            content = without_personal_data(profile.content, fact.subject, fact.retention_class)
            return profile.model_copy(update={"content": content, "revision": profile.revision + 1})
        case _:
            assert_never(fact)


FISCAL_PROFILE: StreamType[FiscalProfile] = StreamType(
    "fiscal-profile",
    (
        EventType("fiscal-profile.configured", FiscalProfileConfigured),
        EventType("fiscal-profile.personal-data-erased", FiscalProfilePersonalDataErased),
    ),
    _evolve,
)
