"""ETag, If-Match and If-None-Match (contract §2, BILL-DEC-006).

If-Match names one version, `"<version>"`, or `*`; If-None-Match any number of tags (RFC 9110).
"""

import re
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter

from application.validation import invalid_field

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description='the ETag that GET answered, `"<version>"`, or `*`',
        schema_extra={"pattern": r'^(\*|(W/)?"[0-9]{1,18}")$'},
    ),
]

IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", description="ETags of what the client has; 304 if current"),
]

NOT_MODIFIED = {
    HTTPStatus.NOT_MODIFIED: ResponseSpec(
        data_container=None, description="what the client has is current", generate_examples=False
    )
}
"""What a query that takes If-None-Match may answer, too."""

_ANY_TAG = re.compile(r'(?:W/)?("[^"]*")')
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


def shown_unless_known(
    body: Any,
    tag: str,
    if_none_match: str | None,
    position: int | None = None,
    cache_control: str | None = None,
) -> Response[Any]:
    """A query's answer with its ETag, and the position where it shows one; 304 where the client has it."""
    headers = {"ETag": tag}
    if cache_control is not None:
        headers["Cache-Control"] = cache_control
    if position is not None:
        headers["X-Ledger-Position"] = str(position)
    if if_none_match is not None and (if_none_match.strip() == "*" or tag in _ANY_TAG.findall(if_none_match)):
        return Response(None, headers=headers, status_code=HTTPStatus.NOT_MODIFIED)
    return Response(body, headers=headers)
