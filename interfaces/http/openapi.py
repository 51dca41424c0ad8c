"""What the OpenAPI document says that Litestar does not find out: bodies, files, parameters as sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, cast

from litestar.openapi import spec
from litestar.openapi.spec.enums import OpenAPIType


@dataclass
class DescribedOperation(spec.Operation):
    """An operation whose parameters have a value or are left out: no URL and no header holds a null."""

    def __post_init__(self) -> None:
        for parameter in self.parameters or ():
            if isinstance(parameter, spec.Parameter) and isinstance(parameter.schema, spec.Schema):
                parameter.schema = _without_null(parameter.schema)


def describing_body(
    content: Mapping[str, dict[str, Any]], *, required: bool = True
) -> type[DescribedOperation]:
    """The OpenAPI operation of a handler that reads its body by itself: a JSON Schema by media type."""
    body = spec.RequestBody(
        required=required,
        # A JSON Schema is a schema of OpenAPI 3.1 as it stands; Litestar's own class knows only a part of it.
        content={name: spec.OpenAPIMediaType(schema=cast(spec.Schema, of)) for name, of in content.items()},
    )

    @dataclass
    class Operation(DescribedOperation):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.request_body = body

    return Operation


def describing_file(*media_types: str) -> type[DescribedOperation]:
    """The OpenAPI operation of a handler that answers a file's bytes, of one of these media types."""

    @dataclass
    class Operation(DescribedOperation):
        def __post_init__(self) -> None:
            super().__post_init__()
            answer = (self.responses or {})[str(HTTPStatus.OK.value)]
            if isinstance(answer, spec.OpenAPIResponse):
                answer.content = {name: spec.OpenAPIMediaType() for name in media_types}

    return Operation


def _without_null(schema: spec.Schema) -> spec.Schema:
    """The same schema for a value that is there; Litestar shows that a parameter is optional as a null."""
    if isinstance(schema.type, list) and schema.enum is not None:
        (kind,) = (kind for kind in schema.type if kind != OpenAPIType.NULL)
        return replace(schema, type=kind, enum=[value for value in schema.enum if value is not None])
    values = [one for one in schema.one_of or () if isinstance(one, spec.Schema)]
    match [one for one in values if one.type != OpenAPIType.NULL]:
        case [value]:
            own = {name: of for name, of in vars(schema).items() if of is not None and name != "one_of"}
            return replace(value, **own)
        case _:
            return schema
