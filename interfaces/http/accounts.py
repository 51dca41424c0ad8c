"""Accounts as paths name them: by their id, a former one or their party's (contract §5, ADR 0018)."""

from typing import Annotated, NamedTuple

from litestar.params import PathParameter

from application.operations.operation import Operation
from domain.accounts.names import account_name
from domain.kernel.errors import not_found
from interfaces.http.guards import AnyRequest, caller_of
from interfaces.http.reading import read
from projections.accounts import select_account, select_names_beside

AccountName = Annotated[
    str, PathParameter(name="accountId", description="the account's id, or its party's (`partyId`)")
]


class KnownAccount(NamedTuple):
    """An account that the caller may know of, and the ledger position that shows it."""

    account_id: str
    party_id: str
    position: int


async def account_in_reach(
    request: AnyRequest, operation: Operation, name: str, min_position: int | None
) -> KnownAccount:
    """The account that a name means. Raises `NOT_FOUND`, also where the token is bound to other accounts."""
    found = await read(request, operation, min_position, select_account(name), select_names_beside(name))
    accounts, names = found.results
    granted = caller_of(request).claims.account_ids
    if not accounts or (
        granted is not None
        and {account_name(own) for own in granted}.isdisjoint(row["name"] for row in names)
    ):
        raise not_found("The account")
    return KnownAccount(accounts[0]["account_id"], accounts[0]["party_id"], found.position)
