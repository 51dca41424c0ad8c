"""What every stored fact and every value inside one has in common."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z` and microseconds, the one form in which times are stored and answered."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _as_rfc3339_writes_it(value: object) -> object:
    """Pydantic alone would also take seconds since 1970, as numbers and as strings of digits."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise PydanticCustomError("time_rfc3339", "Input should be an RFC 3339 time with Z or an offset")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_out_of_range", "Input should be within the years 1 to 9999") from None


Utc = Annotated[
    AwareDatetime,
    BeforeValidator(_as_rfc3339_writes_it),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""A moment in UTC. As text it is RFC 3339 with `Z` or an offset; numbers and naive times are refused."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_rfc3339_writes_dates(value: object) -> object:
    """Pydantic alone would also take midnights and seconds since 1970."""
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    if is_date or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise PydanticCustomError("date_rfc3339", "Input should be a calendar date, YYYY-MM-DD")


CalendarDate = Annotated[date, BeforeValidator(_as_rfc3339_writes_dates)]
"""A day of the calendar. As text it is `YYYY-MM-DD` (RFC 3339); numbers and times are refused."""

NO_CONTROLS = r"^[^\x00-\x1F\x7F\uFFFE\uFFFF]*$"
"""Text without control characters and noncharacters, which PostgreSQL text and XML could not hold."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
"""An upstream id: any non-empty string up to 64 characters (contract §2)."""

Uuid = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        to_lower=True,
    ),
]
"""A UUID, kept in lower case (contract §2)."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 in capitals; ZZ where the country is unknown."""


class Value(BaseModel):
    """An immutable value with camelCase names on the outside and no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class UpstreamValue(BaseModel):
    """An immutable value that another system sent: its extra fields are kept (contract §2)."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)


class Fact(Value):
    """Something that happened. Stored under a name of our own with a schema version, never a module path."""


class Stamp(Value):
    """What the committer tells a decider: the moment (UTC, never before any recorded one)."""

    at: AwareDatetime
