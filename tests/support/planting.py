"""Puts secrets wherever a request has room for them, by the OpenAPI document, to be looked for afterwards."""

import copy
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx
from stdnum import luhn

from tests.support.openapi_examples import JSON, Example

Kind = Literal["card", "secret", "personal"]
Place = tuple[str | int, ...]
"""Where in a request: `("body", "address", "line1")`, `("query", "q")`, `("header", "Idempotency-Key")`."""

_ID = re.compile(r"(?i)(ids?|refs?|number|keys?|version)$")
_IDS = frozenset(
    {"username", "permissions", "sku", "streamType", "ownerType", "cursor", "id", "source", "gateway"}
)
_SECRETS = frozenset({"pin", "password", "token"})
_EXTRA = ("cardNumber", "cvc", "note")
"""Fields that no body has; some clients send them all the same."""

PLACES_OF_NOBODY: tuple[Place, ...] = (
    *(("header", name) for name in ("traceparent", "tracestate", "X-Card", "Cookie", "Referer")),
    *(("header", name) for name in ("X-Forwarded-For", "If-None-Match", "X-Request-Id")),
    ("query", "cardNumber"),
)
"""What no operation asks for, and what none answers differently for."""

_serial = itertools.count(int(uuid4().hex[:9], 16) % 10**9)


@dataclass(frozen=True)
class Planted:
    """A value that was sent in one place of one operation, and may be found nowhere."""

    value: str
    kind: Kind
    operation: str
    place: Place

    @property
    def is_hidden(self) -> bool:
        """Whether it may be kept nowhere: card numbers but in ids, and whatever is where secrets are sent."""
        if self.kind == "card":
            return not self.is_id
        return self.kind == "secret" and (self.place[0] in {"header", "query"} or is_secret(str(self._name)))

    @property
    def written(self) -> str:
        """The value as it is sent: beside a word where it would be read as a position that is yet to come."""
        return f"no {self.value}" if self.kind == "card" and self.place[0] != "body" else self.value

    @property
    def is_id(self) -> bool:
        """Whether an id stands there, which is kept as it is, whatever it looks like (contract §5)."""
        part, name = self.place[0], str(self._name)
        if part == "path" or name.lower() == "x-user-id":
            return True
        return part == "body" and not is_secret(name) and bool(name in _IDS or _ID.search(name))

    @property
    def _name(self) -> str | int:
        return next((each for each in reversed(self.place) if isinstance(each, str)), "")


@dataclass(frozen=True)
class Request:
    """A request as it goes out."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None
    media_type: str | None = None


def is_secret(name: str) -> bool:
    """Whether a field of that name holds what proves something: a PIN, a password, a token."""
    return name in _SECRETS or name.endswith("Token")


def a_value(kind: Kind, operation: str, place: Place) -> Planted:
    """A value that nobody sent before: a card's number, a token or an address."""
    number = next(_serial)
    match kind:
        case "card":
            digits = f"455612{number:09d}"
            value = digits + luhn.calc_check_digit(digits)
        case "secret":
            value = f"hush{uuid4().hex}"
        case "personal":
            value = f"lady{uuid4().hex[:20]}@discreet.example"
    return Planted(value, kind, operation, place)


def request_of(operation: Mapping[str, Any], path: str, method: str, example: Example) -> Request:
    """The request that the example describes, or one made up where there is none."""
    at = {parameter["name"]: parameter["in"] for parameter in operation.get("parameters", [])}
    values = {**{name: str(uuid4()) for name, where in at.items() if where == "path"}, **example.parameters}
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = {name: value for name, value in values.items() if at.get(name) == "query"}
    headers = {name: str(value) for name, value in values.items() if at.get(name) == "header"}
    media_type, body = next(iter(example.bodies.items()), (None, None))
    if media_type is None and "requestBody" in operation:
        media_type, body = JSON, _made_up(operation["requestBody"]["content"].get(JSON, {}).get("schema", {}))
    return Request(method.upper(), f"{path}?{urlencode(query)}" if query else path, headers, body, media_type)


def places(operation: Mapping[str, Any], request: Request) -> Iterator[Place]:
    """Wherever something can be put: parameters, leaves of the body, and fields beside them."""
    for parameter in operation.get("parameters", []):
        yield parameter["in"], parameter["name"]
    if request.media_type is not None:
        schema = operation["requestBody"]["content"].get(request.media_type, {}).get("schema", {})
        yield from (
            ("body", *place) for place in dict.fromkeys((*_leaves(request.body), *_of_schema(schema)))
        )
        yield from (("body", name) for name in _EXTRA)


def with_planted(request: Request, path: str, planted: Planted) -> Request:
    """The same request with the value in its place; `path` is the one that the request's was made of."""
    part, name = planted.place[0], str(planted.place[1])
    match part:
        case "body":
            body = copy.deepcopy(request.body)
            _put(body, planted.place[1:], planted.value)
            return replace(request, body=body)
        case "header":
            return replace(request, headers={**request.headers, name: planted.written})
        case "query":
            return replace(request, path=str(httpx.URL(request.path).copy_set_param(name, planted.written)))
        case _:
            here, mark, query = request.path.partition("?")
            segments = here.split("/")
            segments[path.split("/").index(f"{{{name}}}")] = quote(planted.written, safe="")
            return replace(request, path="/".join(segments) + mark + query)


def _leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _leaves(held, (*place, name))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _leaves(held, (*place, index))
    elif place:
        yield place


def _of_schema(schema: Mapping[str, Any], place: Place = ()) -> Iterator[Place]:
    """Fields of objects that the schema describes, of those only that an example need not have."""
    for option in schema.get("anyOf", []):
        yield from _of_schema(option, place)
    for name, field in schema.get("properties", {}).items():
        inner = dict.fromkeys(_of_schema(field, (*place, name)))
        yield from inner or [(*place, name)]


def _put(body: Any, place: Place, value: Any) -> None:
    for part in place[:-1]:
        if isinstance(body, dict) and not isinstance(body.get(part), dict | list):
            body[part] = {}
        body = body[part]
    body[place[-1]] = value


def _made_up(schema: Mapping[str, Any]) -> Any:
    """The least that the schema asks for."""
    if "anyOf" in schema:
        return _made_up(schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            return {name: _made_up(schema["properties"][name]) for name in schema.get("required", [])}
        case "array":
            return []
        case "integer":
            return 1
        case "boolean":
            return False
        case _:
            return schema.get("const") or next(iter(schema.get("enum", [])), "x")
