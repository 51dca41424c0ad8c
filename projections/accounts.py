"""The names of accounts: which account each means, and the party that an account belongs to (ADR 0018).

It looks at events as they are stored: every schema version stores what is read here under these names.
"""

from collections.abc import Iterable

from pydantic_core import from_json
from sqlalchemy import Column, Index, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.accounts.names import account_name
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, RowFold, one_row

ACCOUNT_TABLE = Table(
    "account_v1",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("party_id", Text, nullable=False),
)

NAME_TABLE = Table(
    "account_name_v1",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
)
Index("account_name_v1_account", NAME_TABLE.c.account_id)


def _party(event: RecordedEvent) -> str:
    stored = from_json(event.state)
    return str((stored if event.name == "account.opened" else stored["account"])["partyId"])


def _account_key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


def _account(_: Row | None, event: RecordedEvent) -> Row | None:
    """What is only a name of another account is none itself."""
    if event.name == "account.aliased":
        return None
    return {"account_id": event.stream.id, "party_id": _party(event)}


def _name_keys(event: RecordedEvent) -> list[Key]:
    """An alias' party is a name that the account's own update, in the same transaction, makes its own."""
    if event.name == "account.aliased":
        return [(event.stream.id,)]
    return sorted({(event.stream.id,), (_party(event),)})


def _name(_: Row | None, event: RecordedEvent, key: Key) -> Row:
    aliased = event.name == "account.aliased"
    account_id = from_json(event.state)["accountId"] if aliased else event.stream.id
    return {"name": key[0], "account_id": account_id}


ACCOUNTS = Projection(
    name="accounts",
    event_names=frozenset({"account.opened", "account.updated", "account.aliased"}),
    row_folds=(one_row(ACCOUNT_TABLE, _account_key, _account), RowFold(NAME_TABLE, _name_keys, _name)),
    opens=False,
)

_NAME = bindparam("name", type_=Text)
_OTHER = NAME_TABLE.alias("other")
_ACCOUNT_OF = (
    select(ACCOUNT_TABLE)
    .select_from(ACCOUNT_TABLE.join(NAME_TABLE, NAME_TABLE.c.account_id == ACCOUNT_TABLE.c.account_id))
    .where(NAME_TABLE.c.name == _NAME)
)
_NAMES_BESIDE = (
    select(_OTHER.c.name)
    .select_from(NAME_TABLE.join(_OTHER, _OTHER.c.account_id == NAME_TABLE.c.account_id))
    .where(NAME_TABLE.c.name == _NAME)
)


_NAMES_OF_ALL = (
    select(_OTHER.c.name)
    .select_from(NAME_TABLE.join(_OTHER, _OTHER.c.account_id == NAME_TABLE.c.account_id))
    .where(NAME_TABLE.c.name == func.any(bindparam("names", type_=ARRAY(Text))))
)


def select_account_names(names: Iterable[str]) -> Query:
    """Every name of every account that one of the names means."""
    return Query(_NAMES_OF_ALL, {"names": [account_name(name) for name in names]})


def select_account(name: str) -> Query:
    """The account that a name means, with its id and its party's; no row where nobody knows it."""
    return Query(_ACCOUNT_OF, {"name": account_name(name)})


def select_names_beside(name: str) -> Query:
    """Every name of the account that a name means, this one included."""
    return Query(_NAMES_BESIDE, {"name": account_name(name)})
