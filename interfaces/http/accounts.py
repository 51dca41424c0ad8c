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
    """An account that the caller may know of: its id, and its party's."""

    account_id: str
    party_id: str


async def find_account(
    request: AnyRequest,
    operation: Operation,
    name: str,
    min_position: int | None,
    what: str = "The account",
) -> tuple[KnownAccount | None, int]:
    """The account that a name means, None where nobody knows it, and the position that shows it.

    Raises `NOT_FOUND`, as of `what`, where the token is bound to accounts that do not hold it, by whichever
    names.
    """
    found = await read(request, operation, min_position, select_account(name), select_names_beside(name))
    accounts, names = found.results
    granted = caller_of(request).claims.account_ids
    if granted is not None:
        known = {account_name(name), *(row["name"] for row in names)}
        if known.isdisjoint(account_name(own) for own in granted):
            raise not_found(what)
    account = KnownAccount(accounts[0]["account_id"], accounts[0]["party_id"]) if accounts else None
    return account, found.position


async def account_in_reach(
    request: AnyRequest, operation: Operation, name: str, min_position: int | None
) -> tuple[KnownAccount, int]:
    """The account that a name means, and the position that shows it. Raises `NOT_FOUND`."""
    account, position = await find_account(request, operation, name, min_position)
    if account is None:
        raise not_found("The account")
    return account, position


async def require_reach(request: AnyRequest, operation: Operation, account_id: str, what: str) -> None:
    """Raises `NOT_FOUND` as of `what`, such as "The invoice", where its account is none of the token's.

    It answers as what does not exist would, and so tells nobody that it does.
    """
    if caller_of(request).claims.account_ids is None:
        return
    account, _ = await find_account(request, operation, account_id, None, what)
    if account is None:
        raise not_found(what)
