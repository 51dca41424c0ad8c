"""Checkouts as requests name them."""

from typing import Annotated

from litestar.params import PathParameter

from application.handlers.checkout import Asked
from application.validation import parse
from domain.accounts.names import PartyId
from domain.kernel.facts import Identifier, Value
from interfaces.http.bodies import RequestBody
from interfaces.http.guards import AnyRequest, caller_of

CheckoutId = Annotated[
    str, PathParameter(name="checkoutId", description="the checkout's id upstream, 1 to 64 characters")
]


class OfAccount(RequestBody):
    """A body that names the account that the checkout is for, by its id or its party's."""

    account_id: PartyId


class _NamedCheckout(Value):
    checkout_id: Identifier


def asked_of(request: AnyRequest, checkout_id: str, body: OfAccount) -> Asked:
    """What the request is about. Raises `VALIDATION_FAILED` for an id that no checkout can have."""
    named = parse(_NamedCheckout, {"checkoutId": checkout_id})
    return Asked(named.checkout_id, body.account_id, caller_of(request))
