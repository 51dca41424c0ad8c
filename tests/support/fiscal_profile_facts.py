"""Fiscal profiles to test with, and a full example of each of their events."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from application.handlers.fiscal_profiles import ProfileChange
from domain.accounts.fiscal_profile import (
    FiscalProfileConfigured,
    FiscalProfilePersonalDataErased,
    OwnerType,
    ProfileContent,
    ProfileOwner,
    ProfileRequest,
    profile_content,
)
from domain.kernel.facts import Fact
from domain.kernel.privacy import RetentionClass

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
OWNER_ID = "buyer-17"
RFC = "GODE561231GR8"


def profile_request(**changes: Any) -> dict[str, Any]:
    """A PUT's body for a buyer in Mexico; None takes a field out."""
    body: dict[str, Any] = {
        "legalName": "Gannet Ropeworks SA de CV",
        "taxId": "gode 561231 gr8",
        "address": {
            "line1": "3  Calle  del Muelle",
            "city": "Monterrey",
            "region": "mx-nle",
            "postalCode": "64 000",
            "countryCode": "mx",
        },
        "invoicePreferences": {
            "type": "B2B",
            "receptorEmail": "marigold@example.org",
            "usoCfdi": "G03",
        },
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def an_owner(
    owner_type: OwnerType = "BUYER", owner_id: str = OWNER_ID, country_code: str = "MX"
) -> ProfileOwner:
    """Whose profile it is."""
    return ProfileOwner(owner_type=owner_type, owner_id=owner_id, country_code=country_code)


def content(owner: ProfileOwner | None = None, **changes: Any) -> ProfileContent:
    """What the request makes of the profile."""
    request = ProfileRequest.model_validate(profile_request(**changes), by_name=False)
    return profile_content(owner or an_owner(), request)


def configured(owner: ProfileOwner | None = None, **changes: Any) -> FiscalProfileConfigured:
    """Ana set the profile."""
    return FiscalProfileConfigured(content=content(owner, **changes), configured_by="ana", configured_at=NOON)


def erased(
    retention_class: RetentionClass = "FISCAL", owner_id: str = OWNER_ID
) -> FiscalProfilePersonalDataErased:
    """The owner asked to be forgotten."""
    return FiscalProfilePersonalDataErased(
        subject=f"party:{owner_id}", retention_class=retention_class, key_id=str(UUID(int=31)), positions=(1,)
    )


def a_change(owner: ProfileOwner | None = None, revision: int | None = None, **changes: Any) -> ProfileChange:
    """Ana sets the profile, knowing of that revision."""
    return ProfileChange(content(owner, **changes), "ana", revision)


def examples() -> tuple[Fact, ...]:
    """One full example of every stored event of fiscal profiles, optional fields included."""
    floor = {**profile_request()["address"], "line2": "2o piso"}
    return (configured(address=floor), erased("CONTACT"))
