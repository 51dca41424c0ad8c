"""What every stored fact and every value inside one has in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z` and microseconds, the one form in which times are stored and answered."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Utc = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A moment; naive times are refused."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""An upstream id: any non-empty string up to 64 characters (contract §2)."""

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
