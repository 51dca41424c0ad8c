"""Setting fiscal profiles, and how they are answered (contract §6).

What a command answers names the profile's version and nothing personal, for stored answers outlive an erasure
(ADR 0014). What clients are told is read from the stream as it stood at that version, a repeat's answer too.
"""

from dataclasses import dataclass
from typing import Any

from application.ledger import Answer, Handler, Transaction
from domain.accounts.addresses import PostalAddress
from domain.accounts.fiscal_profile import (
    FISCAL_PROFILE,
    FiscalProfile,
    ProfileContent,
    configure_profile,
    missing_fields,
)
from domain.fiscal.registry import driver_for
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class ProfileChange:
    """Who sets which profile; `expected_revision` is what `If-Match` names."""

    content: ProfileContent
    configured_by: str
    expected_revision: int | None

    @property
    def stream(self) -> StreamId:
        """The profile's history."""
        return FISCAL_PROFILE.stream(self.content.owner.profile_id)


def change_profile(change: ProfileChange) -> Handler:
    """Sets a profile and answers its `{version}`: 201 for the first, 200 for a change or for none."""

    def handle(transaction: Transaction) -> Answer:
        stream = change.stream
        before = transaction.state(FISCAL_PROFILE, stream.id)
        facts = configure_profile(
            before,
            change.content,
            configured_by=change.configured_by,
            at=transaction.stamp.at,
            expected_revision=change.expected_revision,
        )
        transaction.append(stream, facts)
        return Answer(201 if before is None else 200, {"version": transaction.version(stream)})

    return handle


def profile_answer(profile: FiscalProfile) -> dict[str, Any]:
    """A profile, JSON-ready; `missingFields` are what its country's law demands today and it lacks."""
    content, owner = profile.content, profile.content.owner
    demands = driver_for(owner.country_code).profile_demands(
        "BUYER" if owner.owner_type == "BUYER" else "ISSUER", is_business=content.invoice_type == "B2B"
    )
    missing = missing_fields(content, demands)
    return {
        "profileId": owner.profile_id,
        **owner.model_dump(mode="json", by_alias=True),
        "legalName": content.legal_name,
        "taxId": content.tax_id,
        "address": _parts(content.address),
        "addressNormalized": _parts(content.address_normalized),
        "invoicePreferences": content.invoice_preferences,
        "complete": not missing,
        "missingFields": list(missing),
        "version": profile.revision,
        "etag": f'"{profile.revision}"',
        "updatedAt": rfc3339(profile.updated_at),
        "updatedBy": profile.updated_by,
    }


def _parts(address: PostalAddress | None) -> dict[str, str] | None:
    """The parts that there are."""
    return None if address is None else address.model_dump(by_alias=True, exclude_none=True)
