"""Request bodies: read whole, within a limit, as strict JSON, and described in the OpenAPI document."""

from typing import Annotated, Any, TypeVar, cast

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from application.validation import invalid_field, parse
from domain.accounts.choices import ReasonCategory, is_reason
from domain.kernel.card_numbers import WITHOUT_CARD_DATA
from domain.kernel.errors import DomainError
from domain.kernel.facts import NO_CONTROLS
from interfaces.http.guards import AnyRequest
from interfaces.http.trace import note_ids

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Ten thousand lines of an order fit; a flood does not."""

JSON = "application/json"

ElevationToken = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""What `auth/elevate` answered."""

Notes = Annotated[str, StringConstraints(max_length=1000, pattern=NO_CONTROLS), WITHOUT_CARD_DATA]
"""What people add to a reason."""

PaymentMethodToken = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
    WITHOUT_CARD_DATA,
]
"""What stands for a customer's payment method at a gateway; never the number of a card (S2)."""

ModelT = TypeVar("ModelT", bound=BaseModel)


DryRun = Annotated[bool, Field(strict=True)]
"""Whether only to tell what would happen (contract §2)."""


class RequestBody(BaseModel):
    """A JSON body by its camelCase names only; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def require_media_type(request: AnyRequest, accepted: tuple[str, ...]) -> str:
    """The request's media type, without parameters. Raises `UNSUPPORTED_MEDIA_TYPE`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise DomainError("UNSUPPORTED_MEDIA_TYPE", f"The body must be one of: {', '.join(accepted)}.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise DomainError("UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed.")
    return media_type


async def read_json(request: AnyRequest) -> Any:
    """The body as JSON: UTF-8, no NaN or Infinity. Raises `VALIDATION_FAILED`.

    Of a name given twice the last value counts, as with most readers, for whatever is decided or hashed.
    """
    body = await request.body()
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        # The parser's own words quote the body, which may be personal.
        raise invalid_field("body", "JSON_INVALID", "The body is not valid JSON in UTF-8.") from None


async def read_body(
    request: AnyRequest, model: type[ModelT], *, answer: type[BaseModel] | None = None
) -> ModelT:
    """The JSON body as a model, with nothing converted. Raises `UNSUPPORTED_MEDIA_TYPE`, `VALIDATION_FAILED`.

    What GET shows beyond the model, by its `answer`, is read-only: it may be sent back and is ignored.
    """
    require_media_type(request, (JSON,))
    content = await read_json(request)
    if not isinstance(content, dict):
        raise invalid_field("body", "NOT_AN_OBJECT", "The body is a JSON object.")
    if answer is not None:
        read_only = _names(answer) - _names(model)
        content = {name: value for name, value in content.items() if name not in read_only}
    note_ids(request.scope, content)
    return parse(model, content)


def _names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON Schema in one piece, its definitions put where they are referred to."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        match value:
            case {"$ref": str(reference)}:
                return inlined(definitions[reference.rpartition("/")[2]])
            case dict():
                return {name: inlined(item) for name, item in value.items()}
            case list():
                return [inlined(item) for item in value]
            case _:
                return value

    return cast(dict[str, Any], inlined(schema))


def require_reason(category: ReasonCategory, code: str) -> None:
    """Raises `VALIDATION_FAILED` for what is no reason of the category."""
    if not is_reason(category, code):
        raise invalid_field("reasonCode", "UNKNOWN", f"It is no reason of the category {category}.")
