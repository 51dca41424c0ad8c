"""Accounts as CRM tells of them."""

from dataclasses import dataclass
from typing import Any

from application.handlers.accounts import name_streams, take_account
from application.intake.intake import Reading, WithoutDocuments, WithoutFiles
from application.ledger import Transaction
from application.validation import parse
from domain.accounts.account import ACCOUNT, AccountData
from domain.inbound.inbound import Effect
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class UpdatedAccount(WithoutFiles, WithoutDocuments):
    """`crm.ACCOUNT_UPDATED`: how the account stands now."""

    data: AccountData

    @property
    def about(self) -> StreamId:
        """The account."""
        return ACCOUNT.stream(self.data.customer_account_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """Whatever the account's id and its party's may mean already."""
        return name_streams(*self._names)

    @property
    def subjects(self) -> frozenset[str]:
        """Its party, which goes by the account's id where CRM names none."""
        return frozenset({f"{AccountData.personal.kind}:{self._names[-1]}"})

    def take(self, transaction: Transaction) -> Effect:
        """Records it, and lets the account answer to its party's name."""
        return take_account(transaction, self.data)

    @property
    def _names(self) -> list[str]:
        names = (self.data.customer_account_id, self.data.party_id)
        return [name for name in names if name is not None]


def read_updated_account(data: dict[str, Any], _: Reading) -> UpdatedAccount:
    """Reads `crm.ACCOUNT_UPDATED`."""
    return UpdatedAccount(parse(AccountData, data, "data"))
