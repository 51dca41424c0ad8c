"""An account as CRM tells of it, and what of its names Billing knows before (contract §4, ADR 0018).

Lifecycle: opened by the first rules or policies set under an unknown name; updated whenever CRM tells of it,
newest wins. An opened account of which CRM never told becomes the alias of the one to which CRM gives its
party. Commands: open, update, alias.
"""

from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field

from domain.accounts.names import PartyId
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Uuid, Value
from domain.kernel.money import CurrencyCode, MinorUnits
from domain.kernel.privacy import ERASED_TEXT, PersonalData, PersonalDataErased, Pii, without_personal_data
from domain.kernel.streams import EventType, StreamType
from domain.upstream import Address, Email, Name, SnapshotValue, TaxId

Classification = Literal["B2C", "B2B"]
Flag = Annotated[bool, Field(strict=True)]


class BillingContact(SnapshotValue):
    """Whom bills are sent to."""

    email: Email | None = None


class AccountData(SnapshotValue):
    """An account as `crm.ACCOUNT_UPDATED` brings it; extra fields are kept, sealed as its contact is.

    `credit_limit` is in minor units of `currency_uom_id`. `party_id` may be absent on arrival, never in what
    is stored.
    """

    personal: ClassVar[PersonalData] = PersonalData("party", "party_id", unknown_fields="CONTACT")

    customer_account_id: Uuid
    party_id: PartyId | None = None
    classification: Classification
    display_name: Annotated[Name, Pii("FISCAL", erased=ERASED_TEXT)]
    approval_required: Flag | None = None
    charge_account_eligible: Flag | None = None
    credit_limit: MinorUnits | None = None
    currency_uom_id: CurrencyCode | None = None
    billing_contact: Annotated[BillingContact | None, Pii("CONTACT")] = None
    billing_address: Annotated[Address | None, Pii("FISCAL")] = None
    tax_id: Annotated[TaxId | None, Pii("FISCAL")] = None


class AccountOpened(Fact):
    """Something was set for an account of which CRM has not told yet, under the name `party_id`."""

    party_id: PartyId


class AccountUpdated(Fact):
    """CRM told how the account stands."""

    account: AccountData


class AccountAliased(Fact):
    """CRM gave the account's party to another account: this one's id is a name of that one from now on."""

    account_id: Uuid


class AccountPersonalDataErased(PersonalDataErased):
    """What the account held of its party is erased; classification and terms of credit stay."""


class Account(Value):
    """An account's state. `data` is None until CRM tells of it."""

    party_id: str
    alias_of: str | None = None
    data: AccountData | None = None

    @property
    def email(self) -> str | None:
        """The address that bills can be mailed to."""
        contact = None if self.data is None else self.data.billing_contact
        return None if contact is None or not contact.email else contact.email


def open_account(account: Account | None, party_id: str) -> tuple[AccountOpened, ...]:
    """Opens an account under the name of its party; () where it exists."""
    return () if account is not None else (AccountOpened(party_id=party_id),)


def update_account(account: Account | None, data: AccountData) -> tuple[AccountUpdated, ...]:
    """Records what CRM tells; the same content again is ().

    An update that names no party leaves the account its party, and a new account its own id as that.
    """
    if data.party_id is None:
        party_id = data.customer_account_id if account is None else account.party_id
        data = data.model_copy(update={"party_id": party_id})
    if account is not None and account.data == data:
        return ()
    return (AccountUpdated(account=data),)


def alias_account(account: Account, account_id: str) -> tuple[AccountAliased, ...]:
    """Makes the account a name of the one to which CRM gives its party.

    Raises `PARTY_CONFLICT` where CRM told of this account too: a party belongs to one account.
    """
    if account.data is not None:
        raise party_conflict()
    return (AccountAliased(account_id=account_id),)


def party_conflict() -> DomainError:
    """What refuses to give one name to two accounts."""
    return DomainError("PARTY_CONFLICT", "This party belongs to another account, of which CRM told before.")


AccountFact = AccountOpened | AccountUpdated | AccountAliased | AccountPersonalDataErased


def _evolve(account: Account | None, fact: AccountFact) -> Account:
    match fact:
        case AccountOpened():
            return Account(party_id=fact.party_id)
        case AccountUpdated():
            assert fact.account.party_id is not None, "a stored account names its party"
            return Account(party_id=fact.account.party_id, data=fact.account)
        case AccountAliased():
            assert account is not None, "an account is opened before it becomes an alias"
            return account.model_copy(update={"alias_of": fact.account_id})
        case AccountPersonalDataErased():
            assert account is not None, "nothing is erased of an account without history"
            data = account.data
            erased = data and without_personal_data(data, fact.subject, fact.retention_class)
            return account.model_copy(update={"data": erased})
        case _:
            assert_never(fact)


ACCOUNT: StreamType[Account] = StreamType(
    "account",
    (
        EventType("account.opened", AccountOpened),
        EventType("account.updated", AccountUpdated),
        EventType("account.aliased", AccountAliased),
        EventType("account.personal-data-erased", AccountPersonalDataErased),
    ),
    _evolve,
)
