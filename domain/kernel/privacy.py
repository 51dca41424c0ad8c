"""Personal data in facts: which fields belong to a person and how long they may be kept (architecture §4).

A value that holds personal data names its subject in one of its fields and marks the others with `Pii`. The
ledger stores marked fields sealed under a key of that subject and retention class; when the key is destroyed
the facts still load, with what is left: the fields' `erased` values.
"""

from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel

from domain.kernel.facts import Fact

RetentionClass = Literal["FISCAL", "CONTACT", "ACCESS"]
"""FISCAL: kept as long as the law wants the documents. CONTACT, ACCESS: erased when the subject asks."""

ERASED_TEXT = "[erased]"
"""Stands where a text that must not be absent was erased."""


@dataclass(frozen=True)
class Pii:
    """Marks a field as personal data: `Annotated[str, Pii("FISCAL", erased=ERASED_TEXT)]`.

    `erased` is what the field holds after erasure; None, for optional fields, leaves it out.
    """

    retention_class: RetentionClass
    erased: str | None = None


@dataclass(frozen=True)
class PersonalData:
    """Whose data a value holds: subjects are `kind:id`, the id being what `subject_field` leads to.

    `subject_field` is an attribute, or attributes of attributes with dots between. `unknown_fields` is the
    retention class of fields that no model describes, which may be personal too.
    """

    kind: Literal["party", "user"]
    subject_field: str
    unknown_fields: RetentionClass


class SealedFor(NamedTuple):
    """For whom a part of a stored event is sealed, and by which key."""

    subject: str
    retention_class: RetentionClass
    key_id: UUID


class PersonalDataErased(Fact):
    """The key of a subject's data in this stream was destroyed; nobody can read it any more.

    `positions` are the ledger positions of the events that lost data. Each stream type whose facts hold
    personal data has a fact of its own of this shape, named `<stream-type>.personal-data-erased`.
    """

    subject: str
    retention_class: RetentionClass
    key_id: str
    positions: tuple[int, ...]


ModelT = TypeVar("ModelT", bound=BaseModel)


@cache
def personal_fields(model: type[BaseModel]) -> dict[str, Pii]:
    """The marked fields of a model, by attribute name."""
    marked = {}
    for name, field in model.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Pii):
                marked[name] = mark
    return marked


def personal_data(model: type[Any]) -> PersonalData | None:
    """Whose data values of this class hold; None where they hold none."""
    found = getattr(model, "personal", None)
    return found if isinstance(found, PersonalData) else None


def subject_of(value: BaseModel) -> str:
    """The subject whose data the value holds, as `kind:id`. Raises `ValueError` where it holds none."""
    personal = personal_data(type(value))
    if personal is None:
        raise ValueError(f"{type(value).__name__} holds no personal data")
    return f"{personal.kind}:{attrgetter(personal.subject_field)(value)}"


def without_personal_data(value: ModelT, subject: str, retention_class: RetentionClass) -> ModelT:
    """The value as it reads once that subject's data of that class is erased; itself if it holds none."""
    if subject_of(value) != subject:
        return value
    marked = personal_fields(type(value))
    erased = value.model_copy(
        update={name: mark.erased for name, mark in marked.items() if mark.retention_class == retention_class}
    )
    personal = personal_data(type(value))
    if personal is not None and personal.unknown_fields == retention_class and value.__pydantic_extra__:
        object.__setattr__(erased, "__pydantic_extra__", {})
    return erased
