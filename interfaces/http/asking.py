"""Who asks for something of invoices and their payments, as handlers want to know it."""

from application.handlers.invoices import Asking
from interfaces.http.guards import AnyRequest, caller_of, desk_of


def asking_of(request: AnyRequest) -> Asking:
    """The caller, with the accounts that its token is bound to and by whose policies documents are made."""
    caller = caller_of(request)
    return Asking(
        subject=caller.claims.sub,
        on_behalf_of=caller.on_behalf_of,
        permissions=caller.permissions,
        granted=caller.claims.account_ids,
        desk=desk_of(request),
    )
