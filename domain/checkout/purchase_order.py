"""A purchase order's number: how it is written, and where it may be used only once (BILL-DEC-009)."""

import unicodedata
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from domain.accounts.choices import PoUniquenessScope
from domain.kernel.claim import Purpose
from domain.kernel.facts import NO_CONTROLS

PoNumber = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=64, pattern=NO_CONTROLS),
]
"""As the customer wrote it, 1 to 64 characters, without the white space around it."""


class Usage(NamedTuple):
    """A number within the bounds in which it may be used once: what a claim on it is for, and its content."""

    purpose: Purpose
    content: tuple[str, ...]


def plain_number(po_number: str) -> str:
    """The number by which it is recognised again, whatever its case, width and inner white space."""
    folded = unicodedata.normalize("NFKC", po_number).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def usages(scope: PoUniquenessScope, account_ids: tuple[str, ...], po_number: str) -> tuple[Usage, ...]:
    """What a capture uses up; all of it must be free. `account_ids` are the account's id and its former ones.

    NONE uses up nothing. GLOBAL uses up the account's too, so that the numbers stay known where the account
    goes from one to the other.
    """
    plain = plain_number(po_number)
    of_account = tuple(Usage("ACCOUNT_PO", (account_id, plain)) for account_id in account_ids)
    match scope:
        case "NONE":
            return ()
        case "ACCOUNT":
            return of_account
        case "GLOBAL":
            return (*of_account, Usage("GLOBAL_PO", (plain,)))
