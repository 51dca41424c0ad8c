"""Turns pydantic's findings into the contract's field errors, without repeating a refused value."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.kernel.card_numbers import CARD_DATA_REFUSED
from domain.kernel.errors import DomainError, FieldError

ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_FIELD_ERRORS = 50
"""More would not help anybody; a client that sends rubbish should not get a megabyte of it explained."""


def parse(model: type[ModelT], value: Any, prefix: str = "") -> ModelT:
    """Reads a request's value into a model, by camelCase names only.

    Raises `CARD_DATA_REFUSED` where a free text holds card data, else `VALIDATION_FAILED`.
    """
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        found = field_errors(error, prefix)
        if any(detail["type"] == CARD_DATA_REFUSED for detail in error.errors(include_input=False)):
            raise card_data_refused(found) from None
        raise invalid(found) from None


def card_data_refused(errors: tuple[FieldError, ...]) -> DomainError:
    """A request that holds card data, which is never taken in."""
    return DomainError(
        "CARD_DATA_REFUSED", "Card data is not taken: send a token of it instead.", field_errors=errors
    )


def invalid(errors: tuple[FieldError, ...]) -> DomainError:
    """A malformed request."""
    return DomainError("VALIDATION_FAILED", "The request is malformed.", field_errors=errors)


def invalid_field(field: str, code: str, message: str) -> DomainError:
    """A request with one malformed field."""
    return invalid((FieldError(field, code, message),))


def field_errors(error: ValidationError, prefix: str = "") -> tuple[FieldError, ...]:
    """One field error for each finding: the camelCase path, pydantic's word for it, its sentence."""
    found = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        path = ".".join(str(part) for part in (prefix, *detail["loc"]) if part != "")
        found.append(FieldError(path, detail["type"].upper(), f"{detail['msg']}."))
    return tuple(found[:MAX_FIELD_ERRORS])
