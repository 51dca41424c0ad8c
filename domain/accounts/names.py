"""The names of an account: its own id, its party's, and those it had before CRM named it (ADR 0018).

S1 asks for accounts by `accountId`, S4 by `partyId`; both name one account (contract §5).
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from domain.kernel.facts import NO_CONTROLS, Value

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_account_id(name: str) -> bool:
    """Whether a name has the form of an account's id, a UUID; any other can only be a party's."""
    return _UUID.fullmatch(name) is not None


def account_name(name: str) -> str:
    """A name in the spelling by which it is looked up: UUIDs in lower case, everything else as it is."""
    return name.lower() if is_account_id(name) else name


PartyId = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=64, pattern=NO_CONTROLS),
    AfterValidator(account_name),
]
"""A party's id: any text of 1 to 64 characters (contract §2)."""


class NamedAccount(Value):
    """A name that a request gives an account."""

    account_id: PartyId
