"""Request bodies: read whole, within a limit, as strict JSON."""

from typing import Any

import pydantic_core
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from application.validation import invalid_field
from domain.kernel.errors import DomainError
from interfaces.http.guards import AnyRequest

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Ten thousand lines of an order fit; a flood does not."""


def require_media_type(request: AnyRequest, accepted: tuple[str, ...]) -> str:
    """The request's media type, without parameters. Raises `UNSUPPORTED_MEDIA_TYPE`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise DomainError("UNSUPPORTED_MEDIA_TYPE", f"The body must be one of: {', '.join(accepted)}.")
    return media_type


async def read_json(request: AnyRequest) -> Any:
    """The body as JSON: UTF-8, no NaN or Infinity. Raises `VALIDATION_FAILED`."""
    body = await request.body()
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        # The parser's own words quote the body, which may be personal.
        raise invalid_field("body", "JSON_INVALID", "The body is not valid JSON in UTF-8.") from None


class RequestBody(BaseModel):
    """A JSON body by its camelCase names only; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)
