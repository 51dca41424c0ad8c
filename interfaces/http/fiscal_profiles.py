"""Fiscal profiles as requests name them, and as clients read them (contract §6)."""

from typing import Annotated

from litestar.params import PathParameter, QueryParameter

from application.validation import parse
from domain.accounts.addresses import PostalAddress
from domain.accounts.fiscal_profile import InvoicePreferences, OwnerType, ProfileField, ProfileOwner
from domain.kernel.errors import DomainError, not_found
from domain.kernel.facts import Utc, Value
from interfaces.http.guards import AnyRequest, caller_of

OwnerTypeName = Annotated[OwnerType, PathParameter(name="ownerType")]
OwnerId = Annotated[
    str, PathParameter(name="ownerId", description="the party's id upstream, 1 to 64 characters")
]
ProfileCountry = Annotated[
    str,
    QueryParameter(
        name="countryCode",
        pattern="^[A-Z]{2}$",
        description="whose law the profile is for",
    ),
]


class FiscalProfileAnswer(Value):
    """A profile; `version` counts what changed, an erasure included, and `etag` is what `If-Match` wants.

    What was erased is null, or missing among the preferences.
    """

    profile_id: str
    owner_type: OwnerType
    owner_id: str
    country_code: str
    legal_name: str | None
    tax_id: str | None
    address: PostalAddress | None
    address_normalized: PostalAddress | None
    invoice_preferences: InvoicePreferences
    complete: bool
    missing_fields: list[ProfileField]
    version: int
    etag: str
    updated_at: Utc
    updated_by: str


def owner_in_reach(
    request: AnyRequest, owner_type: OwnerType, owner_id: str, country_code: str
) -> ProfileOwner:
    """Whose profile is meant. Raises `NOT_FOUND` where the caller may not know of it, `VALIDATION_FAILED`."""
    named = {"ownerType": owner_type, "ownerId": owner_id, "countryCode": country_code}
    owner = parse(ProfileOwner, named)
    if not caller_of(request).reaches_profile(owner):
        raise profile_not_found()
    return owner


def profile_not_found() -> DomainError:
    """The answer for a profile that is not there, or not for this caller."""
    return not_found("The fiscal profile")
