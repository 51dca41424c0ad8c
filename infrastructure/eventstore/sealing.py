"""Seals the personal fields of facts and states, and opens them: AES-256-GCM under keys of their subjects.

Where a value holds personal data, its stored JSON has instead of the marked fields one `sealed` object:
retention class → `<key id>.<base64 of nonce and ciphertext>`. What is sealed is bound to stream, place,
subject and class, so that it opens nowhere else. Subjects and all other fields stay readable.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Protocol, Union, get_args, get_origin
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel
from pydantic_core import from_json

from domain.kernel.privacy import (
    PersonalData,
    RetentionClass,
    SealedFor,
    personal_data,
    personal_fields,
)
from domain.kernel.streams import StreamId

SEALED = "sealed"
_NONCE_BYTES = 12
_REMEMBERED_KEY_IDS = 10_000


class SubjectKey(NamedTuple):
    """A key of a subject, ready for use."""

    key_id: UUID
    cipher: AESGCM


class SealingKeys(Protocol):
    """Where keys to seal with come from."""

    def key_for(self, subject: str, retention_class: RetentionClass) -> SubjectKey:
        """The subject's key of that class, made if there is none."""
        ...

    def nonce(self) -> bytes:
        """12 fresh bytes, never given twice for one key."""
        ...


OpeningKeys = Mapping[UUID, AESGCM | None]
"""Keys to open with, by id; None for a destroyed one. One that is absent is a fault, not an erasure."""


class SubjectKeyMissing(Exception):
    """A key that stored data was sealed under is neither there nor destroyed."""


@dataclass(frozen=True)
class _Place:
    """What personal data a model holds, and in which of its fields (by alias) there is more."""

    personal: PersonalData | None
    subject_path: tuple[str, ...] = ()
    classes: Mapping[str, RetentionClass] = field(default_factory=dict)
    erased: Mapping[RetentionClass, Mapping[str, str]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    inner: tuple[tuple[str, "_Place", str], ...] = ()


@cache
def place_of(model: type[BaseModel]) -> _Place | None:
    """Where values of a model hold personal data; None if nowhere."""
    inner = []
    for name, info in model.model_fields.items():
        found = _inner(info.annotation)
        if found is not None:
            inner.append((info.alias or name, *found))
    personal = personal_data(model)
    if personal is None:
        return _Place(None, inner=tuple(inner)) if inner else None
    marked = personal_fields(model)
    aliases = {name: info.alias or name for name, info in model.model_fields.items()}
    erased: dict[RetentionClass, dict[str, str]] = {}
    for name, mark in marked.items():
        if mark.erased is not None:
            erased.setdefault(mark.retention_class, {})[aliases[name]] = mark.erased
    return _Place(
        personal,
        subject_path=_aliases(model, personal.subject_field),
        classes={aliases[name]: mark.retention_class for name, mark in marked.items()},
        erased=erased,
        known=frozenset(aliases.values()),
        inner=tuple(inner),
    )


def _inner(annotation: Any) -> tuple[_Place, str] | None:
    """The place that a field's type leads to, and whether as one value, a list's items or a dict's values."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inner(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return next((found for argument in get_args(annotation) if (found := _inner(argument))), None)
    if origin in (tuple, list):
        found = _inner(get_args(annotation)[0])
        return found and (found[0], "items")
    if origin is dict:
        found = _inner(get_args(annotation)[1])
        return found and (found[0], "values")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        place = place_of(annotation)
        return (place, "value") if place is not None else None
    return None


def _aliases(model: type[BaseModel], path: str) -> tuple[str, ...]:
    aliases = []
    current: Any = model
    for name in path.split("."):
        info = current.model_fields[name]
        aliases.append(info.alias or name)
        current = info.annotation
    return tuple(aliases)


def _walk(content: dict[str, Any], place: _Place, path: str) -> Iterator[tuple[dict[str, Any], _Place, str]]:
    """Every JSON object that holds personal data, inner ones last, with its path."""
    if place.personal is not None:
        yield content, place, path
    for alias, inner, kind in place.inner:
        value = content.get(alias)
        if value is None:
            continue
        where = f"{path}/{alias}"
        if kind == "value":
            yield from _walk(value, inner, where)
        elif kind == "items":
            for index, item in enumerate(value):
                yield from _walk(item, inner, f"{where}/{index}")
        else:
            for key, item in value.items():
                yield from _walk(item, inner, f"{where}/{key}")


def _subject(content: dict[str, Any], place: _Place) -> str:
    assert place.personal is not None, "only places with personal data are walked to"
    found: Any = content
    for name in place.subject_path:
        found = found[name]
    return f"{place.personal.kind}:{found}"


def _bound(stream: StreamId, path: str, subject: str, retention_class: str) -> bytes:
    return json.dumps([stream.type, stream.id, path, subject, retention_class]).encode()


def seal(content: dict[str, Any], model: type[BaseModel], stream: StreamId, keys: SealingKeys) -> None:
    """Seals what is personal in a model's JSON, in place."""
    place = place_of(model)
    if place is None:
        return
    for holder, at, path in _walk(content, place, ""):
        _seal_one(holder, at, path, stream, keys)


def _seal_one(holder: dict[str, Any], place: _Place, path: str, stream: StreamId, keys: SealingKeys) -> None:
    assert place.personal is not None, "only places with personal data are walked to"
    groups: dict[RetentionClass, dict[str, Any]] = {}
    for alias in list(holder):
        if alias in place.classes:
            groups.setdefault(place.classes[alias], {})[alias] = holder.pop(alias)
        elif alias not in place.known:
            groups.setdefault(place.personal.unknown_fields, {})[alias] = holder.pop(alias)
    if not groups:
        return
    subject = _subject(holder, place)
    holder[SEALED] = {
        retention_class: _sealed_text(
            keys.key_for(subject, retention_class),
            keys.nonce(),
            fields,
            _bound(stream, path, subject, retention_class),
        )
        for retention_class, fields in groups.items()
    }


def _sealed_text(key: SubjectKey, nonce: bytes, fields: dict[str, Any], bound: bytes) -> str:
    plain = json.dumps(
        fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()
    return f"{key.key_id}.{base64.b64encode(nonce + key.cipher.encrypt(nonce, plain, bound)).decode()}"


def sealed_parts(content: dict[str, Any], model: type[BaseModel]) -> tuple[SealedFor, ...]:
    """For whom parts of a stored JSON are sealed. Raises `ValueError`, `LookupError` if malformed."""
    place = place_of(model)
    if place is None:
        return ()
    return tuple(
        SealedFor(_subject(holder, at), retention_class, _key_id(text.partition(".")[0]))
        for holder, at, _ in _walk(content, place, "")
        for retention_class, text in holder.get(SEALED, {}).items()
    )


def unseal(content: dict[str, Any], model: type[BaseModel], stream: StreamId, keys: OpeningKeys) -> None:
    """Opens what is sealed in a stored JSON, in place; what was erased reads as its field says.

    Raises `SubjectKeyMissing`, `cryptography.exceptions.InvalidTag`, or `ValueError` where it is malformed.
    """
    place = place_of(model)
    if place is None:
        return
    for holder, at, path in _walk(content, place, ""):
        for retention_class, text in holder.pop(SEALED, {}).items():
            key_id, _, data = text.partition(".")
            bound = _bound(stream, path, _subject(holder, at), retention_class)
            holder.update(_opened(_key_id(key_id), data, bound, keys) or at.erased.get(retention_class, {}))


@lru_cache(_REMEMBERED_KEY_IDS)
def _key_id(text: str) -> UUID:
    """A history names few keys, each many times; reading one anew costs as much as finding its part."""
    return UUID(text)


def _opened(key_id: UUID, data: str, bound: bytes, keys: OpeningKeys) -> dict[str, Any] | None:
    try:
        cipher = keys[key_id]
    except KeyError:
        raise SubjectKeyMissing(f"subject key {key_id} is missing") from None
    if cipher is None:
        return None
    sealed = base64.b64decode(data, validate=True)
    fields: dict[str, Any] = from_json(
        cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound), allow_inf_nan=False
    )
    return fields
