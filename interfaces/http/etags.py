"""ETag and If-Match: `"<version>"`, strong, one version at a time or `*` (contract §2, BILL-DEC-006)."""

import re
from typing import Annotated

from litestar.params import HeaderParameter

from application.validation import invalid_field
from domain.kernel.errors import DomainError

IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description='the ETag that GET answered, `"<version>"`')
]

_ONE_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that the header asks for; None where any will do. Raises `VALIDATION_FAILED`."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ONE_TAG.fullmatch(if_match.strip())
    if found is None:
        raise invalid_field("If-Match", "INVALID", "It is the ETag that GET answered.")
    return int(found[1])


def require_current(expected: int | None, version: int) -> None:
    """Raises `STALE_ETAG` where another version was expected than there is."""
    if expected is not None and expected != version:
        raise DomainError("STALE_ETAG", "It has changed since it was read; read it again.")
