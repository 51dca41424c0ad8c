"""Where a document's reader wants e-mail: looked up when it is sent, never copied (architecture §4)."""

from domain.accounts.account import Account
from domain.accounts.fiscal_profile import FiscalProfile
from domain.documents.delivery import party_of
from domain.documents.document_facts import DocumentDrafted
from domain.documents.order_state import Order
from domain.invoicing.invoice import Invoice


def reader_address(
    drafted: DocumentDrafted, source: Order | Invoice | Account | None, profile: FiscalProfile | None
) -> str | None:
    """The e-mail address of whom the document is made for; None where there is none, or it was erased.

    `source` is what the document is made of, `profile` its reader's fiscal profile, whose `receptorEmail`
    goes before the order's. An invoice goes to the billing contact that it was issued to; of what is made of
    a receipt `source` is the account that paid, so that an address corrected in CRM serves at once.
    """
    preferred = (profile.content.preferences or {}).get("receptorEmail") if profile is not None else None
    if preferred:
        return str(preferred)
    if isinstance(source, Account):
        return source.email
    if isinstance(source, Invoice):
        return (source.issued.bill_to.email or None) if source.issued is not None else None
    if source is None or source.order is None:
        return None
    party = party_of(drafted.audience, source.order)
    return (party.email or None) if party is not None else None
