"""Whose fiscal profiles a document names, and which of them lack what its country demands (S3 §4.2, §6.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from application.ledger import Transaction
from domain.accounts.fiscal_profile import (
    FISCAL_PROFILE,
    FiscalProfile,
    OwnerType,
    ProfileField,
    ProfileOwner,
    lacking,
    missing_fields,
)
from domain.documents.document_facts import MissingProfile
from domain.documents.order_snapshot import Party
from domain.fiscal.driver import CountryDriver, PartyRole
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class FiscalParty:
    """An issuer or a buyer: the profiles that may be theirs, the first that there is being taken.

    `demanded` is what must be known of them. `party` is what the source of the document knows; an issuer of
    whom it knows nothing is shown by the bare id. `takes_source` says whether that will do.
    """

    role: PartyRole
    owners: tuple[ProfileOwner, ...]
    demanded: tuple[ProfileField, ...] = ()
    party: Party | None = None
    takes_source: bool = True

    def undemanding(self) -> "FiscalParty":
        """The same party, of whom nothing has to be known."""
        return replace(self, demanded=())

    def profile(self, transaction: Transaction) -> tuple[ProfileOwner, FiscalProfile] | None:
        """The profile that is taken; one whose name is erased is none."""
        for owner in self.owners:
            profile = transaction.state(FISCAL_PROFILE, owner.profile_id)
            if profile is not None and profile.content.legal_name:
                return owner, profile
        return None

    def missing(self, transaction: Transaction) -> tuple[ProfileField, ...]:
        """What is demanded and not known."""
        if not self.demanded:
            return ()
        if (taken := self.profile(transaction)) is not None:
            return missing_fields(taken[1].content, self.demanded)
        if not self.takes_source:
            return self.demanded
        if self.party is None:
            return () if self.role == "ISSUER" else self.demanded
        return lacking(self.demanded, self.party.legal_name, self.party.tax_id, self.party.address)


@dataclass(frozen=True)
class FiscalParties:
    """The issuer and, where the document names its buyer by profile, the buyer."""

    parties: tuple[FiscalParty, ...]

    @property
    def streams(self) -> frozenset[StreamId]:
        """The profiles that may be theirs."""
        return frozenset(
            FISCAL_PROFILE.stream(owner.profile_id) for party in self.parties for owner in party.owners
        )

    def named(self, transaction: Transaction) -> Iterator[tuple[PartyRole, ProfileOwner]]:
        """By role the profiles that the document shows."""
        for party in self.parties:
            if (taken := party.profile(transaction)) is not None:
                yield party.role, taken[0]

    def issuer_tax_id(self, transaction: Transaction) -> str | None:
        """The issuer's tax id, by its profile or as the source has it."""
        for party in self.parties:
            if party.role == "ISSUER":
                taken = party.profile(transaction)
                if taken is not None:
                    return taken[1].content.tax_id
                return None if party.party is None else party.party.tax_id
        return None

    def missing(self, transaction: Transaction) -> tuple[MissingProfile, ...]:
        """Whose profile lacks what; () where the document may have its number."""
        found = []
        for party in self.parties:
            if fields := party.missing(transaction):
                taken = party.profile(transaction)
                owner = party.owners[0] if taken is None else taken[0]
                found.append(
                    MissingProfile(
                        owner_type=owner.owner_type,
                        owner_id=owner.owner_id,
                        country_code=owner.country_code,
                        fields=fields,
                    )
                )
        return tuple(found)


def issuer_party(
    driver: CountryDriver,
    country_code: str,
    issuer_entity_id: str,
    *,
    owner_type: OwnerType = "PLATFORM",
    party: Party | None = None,
    is_demanded: bool,
) -> FiscalParty:
    """The issuer, by its PLATFORM or SELLER profile (contract §6); `owner_type` is looked at first."""
    types: tuple[OwnerType, ...] = (
        ("SELLER", "PLATFORM") if owner_type == "SELLER" else ("PLATFORM", "SELLER")
    )
    owners = (
        ProfileOwner(owner_type=each, owner_id=issuer_entity_id, country_code=country_code) for each in types
    )
    return FiscalParty(
        role="ISSUER",
        owners=tuple(owners),
        demanded=driver.profile_demands("ISSUER", is_business=True) if is_demanded else (),
        party=party,
        takes_source=driver.takes_snapshot_for_profile("ISSUER"),
    )


def buyer_party(driver: CountryDriver, country_code: str, buyer: Party) -> FiscalParty:
    """The buyer of what is invoiced."""
    owner = ProfileOwner(owner_type="BUYER", owner_id=buyer.party_id, country_code=country_code)
    return FiscalParty(
        role="BUYER",
        owners=(owner,),
        demanded=driver.profile_demands("BUYER", is_business=buyer.type == "B2B"),
        party=buyer,
        takes_source=driver.takes_snapshot_for_profile("BUYER"),
    )
