"""The parts of the documents that are written from the code: settings, events, operations, roles, metrics.

    python -m tests.docs.generated_documents

rewrites them; what stands between the markers `<!-- generated: NAME -->` and `<!-- end: NAME -->` is theirs.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from prometheus_client.metrics import MetricWrapperBase

from application.operations import OPERATIONS
from application.operations.unrouted import UNROUTED_OPERATIONS
from application.roles import PERMISSIONS, ROLE_PERMISSIONS
from domain.accounts.choices import (
    DELIVERY_METHODS,
    GROUPING_STRATEGIES,
    PO_POLICIES,
    Choice,
    ReasonCategory,
    reason_codes,
)
from domain.accounts.payment_terms import PAYMENT_TERMS
from domain.streams import STREAM_TYPES
from infrastructure import telemetry
from infrastructure.external_calls import EXTERNAL_CALLS
from infrastructure.settings import Settings
from tests.docs.conformance import conformance_tables, rules_tables

PROJECT = Path(__file__).resolve().parents[2]


def settings_table() -> str:
    """Every setting: its variable, its default and what it means."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = str(int(field.default)) if isinstance(field.default, bool) else str(field.default)
        rows.append(
            (
                f"`BILLING_{name.upper()}`",
                f"`{default}`" if default else "(empty)",
                field.description or "",
            )
        )
    return _table(("variable", "default", "meaning"), rows)


def events_list() -> str:
    """Every stored event with its fields, then the values that stand inside them."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for stream_type in STREAM_TYPES:
        for event_type in stream_type.event_types:
            schema = event_type.fact.model_json_schema()
            values |= schema.get("$defs", {})
            title = f"**`{event_type.name}`**, schema version {event_type.schema_version}."
            parts.append(f"{title} {_one_line(schema['description'])}\n\n- {_fields(schema)}")
    rows = [(f"`{name}`", _fields(schema)) for name, schema in sorted(values.items())]
    return "\n\n".join([*parts, "Values inside them:", _table(("value", "fields"), rows)])


def operations_list() -> str:
    """Every operation as its row in the catalog says."""
    rows = [operation.row() for operation in OPERATIONS]
    overview = _table(
        ("operation", "kind", "route"),
        [(f"[`{row['name']}`](#{anchor(row['name'])})", row["kind"], _route(row)) for row in rows],
    )
    return "\n\n".join([overview, *(_operation(row) for row in rows)])


def unrouted_operations_list() -> str:
    """Everything that is done without a request, as its row says."""
    return "\n\n".join(_unrouted_operation(operation.row()) for operation in UNROUTED_OPERATIONS)


def external_calls_list() -> str:
    """Every call that leaves the house as its row says."""
    return "\n\n".join(_external_call(call.row()) for call in EXTERNAL_CALLS)


def roles_matrix() -> str:
    """Which role has which permission, and which operations ask for it today."""
    asked: dict[str, list[str]] = {permission: [] for permission in PERMISSIONS}
    for operation in OPERATIONS:
        for permission in operation.permissions:
            asked[permission].append(f"`{operation.name}`")
    rows = [
        (
            f"`{permission}`",
            ", ".join(f"`{role}`" for role, held in ROLE_PERMISSIONS.items() if permission in held),
            ", ".join(asked[permission]) or "(none yet)",
        )
        for permission in sorted(PERMISSIONS)
    ]
    return _table(("permission", "roles that have it", "operations that accept it"), rows)


def metrics_table() -> str:
    """Every metric of our own with its labels."""
    rows = []
    for value in vars(telemetry).values():
        if isinstance(value, MetricWrapperBase):
            (family,) = value.describe()
            suffix = "_total" if family.type == "counter" else ""
            labels = ", ".join(f"`{label}`" for label in value._labelnames)
            rows.append((f"`{family.name}{suffix}`", family.type, labels or "(none)", family.documentation))
    return _table(("metric", "type", "labels", "meaning"), sorted(rows))


def choices_table() -> str:
    """Every code of the closed lists, with what discovery says of it."""
    lists: dict[str, tuple[Choice, ...]] = {
        "payment terms": PAYMENT_TERMS,
        "delivery methods": DELIVERY_METHODS,
        "grouping strategies": GROUPING_STRATEGIES,
        "uniqueness of purchase orders": PO_POLICIES,
    }
    lists |= {f"reasons, {category}": reason_codes(category) for category in get_args(ReasonCategory)}
    rows = [(name, f"`{choice.code}`", choice.label) for name, choices in lists.items() for choice in choices]
    return _table(("list", "code", "label"), rows)


SECTIONS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "settings": ("README.md", settings_table),
    "events": ("docs/auditors.md", events_list),
    "operations": ("docs/operations-catalog.md", operations_list),
    "unrouted operations": ("docs/operations-catalog.md", unrouted_operations_list),
    "external calls": ("docs/operations-catalog.md", external_calls_list),
    "roles": ("docs/roles.md", roles_matrix),
    "choices": ("docs/integrators.md", choices_table),
    "metrics": ("docs/operators.md", metrics_table),
    "conformance": ("docs/conformance.md", conformance_tables),
    "rules": ("docs/conformance.md", rules_tables),
}
"""By name: the document that holds the section and what writes it."""


def replaced(text: str, name: str, content: str) -> str:
    """The document's text with the section's content between its markers. Raises ValueError without them."""
    begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"there is no section {name} to write")
    return f"{before}{begin}\n{content}\n{end}{after}"


def anchor(heading: str) -> str:
    """The anchor that a heading gets in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    """Rewrites every generated section."""
    for name, (document, write) in SECTIONS.items():
        path = PROJECT / document
        path.write_text(replaced(path.read_text(encoding="utf-8"), name, write()), encoding="utf-8")


def _operation(row: Mapping[str, Any]) -> str:
    authz, idempotency = row["authz"], row["idempotency"]
    permissions = ", ".join(f"`{permission}`" for permission in authz["permissions"])
    lines = [
        f"### {row['name']}",
        "",
        f"{row['summary']}.",
        "",
        f"- Route: {_route(row)}; answers {_words(str(status) for status in row['statuses'])}.",
        f"- Success: {row['success']}.",
        f"- Permission: {'any one of ' if len(authz['permissions']) > 1 else ''}{permissions or '(none)'}.",
    ]
    lines += [f"- {title}: {authz[part]}." for title, part in _NARROWED_BY if authz[part]]
    if row["kind"] == "command":
        required = "required" if idempotency["required"] else "optional"
        lines.append(
            f"- Idempotency ({required}): by {idempotency['source']}; a repeat gets {idempotency['replay']};"
            f" while the first is under way: {idempotency['inflight']}."
        )
    if row["audit"]["event"]:
        lines.append(f"- Recorded as `{row['audit']['event']}`.")
    if row["classification"]:
        lines.append(f"- Effect: {_words(row['classification'])}.")
    if row["redaction"]:
        lines.append(f"- Redacted in logs: {_words(f'`{name}`' for name in row['redaction'])}.")
    if row["errors"]:
        lines.append(f"- Errors: {_words(f'`{code}`' for code in row['errors'])}.")
    return "\n".join(lines)


def _unrouted_operation(row: Mapping[str, Any]) -> str:
    idempotency = row["idempotency"]
    lines = [
        f"### {row['name']}",
        "",
        f"{row['summary']}.",
        "",
        f"- Follows from {_words(f'`{name}`' for name in row['causedBy'])}.",
        f"- Success: {row['success']}.",
        f"- Idempotency: by {idempotency['source']}; a repeat changes {idempotency['replay']}; two at once:"
        f" {idempotency['inflight']}.",
        f"- Recorded as {_words(f'`{name}`' for name in row['audit']['events'])}.",
    ]
    if row["classification"]:
        lines.append(f"- Effect: {_words(row['classification'])}.")
    if row["redaction"]:
        lines.append(f"- Redacted in logs: {_words(f'`{name}`' for name in row['redaction'])}.")
    return "\n".join(lines)


def _external_call(row: Mapping[str, Any]) -> str:
    idempotency = row["idempotency"]
    lines = [
        f"### {row['name']}",
        "",
        f"- Made by {_words(f'`{name}`' for name in row['adapters'])} for {_words(row['causedBy'])}.",
        f"- Effect: {_words(row['classification']) or 'none, it only reads'}.",
        f"- Idempotency: by {idempotency['key']}; a repeat: {idempotency['replay']}; while the first is under"
        f" way: {idempotency['inflight']}.",
        f"- Success: {row['success']}.",
        f"- Timeout: {row['timeout']}. Retries: {row['retries']}. Fallback: {row['fallback']}.",
    ]
    if row["audit"]["event"]:
        lines.append(f"- Recorded as `{row['audit']['event']}`.")
    return "\n".join([*lines, f"- Redacted in logs: {_words(f'`{name}`' for name in row['redaction'])}."])


_NARROWED_BY = (("Ownership", "ownership"), ("Scope", "scope"))


def _route(row: Mapping[str, Any]) -> str:
    return f"`{row['method']} {row['path']}`"


def _fields(schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        return _type(schema)
    shown = []
    for name, field in schema["properties"].items():
        kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
        optional = "?" if len(kinds) < len(field.get("anyOf", [field])) else ""
        shown.append(f"`{name}{optional}` {' or '.join(_type(kind) for kind in kinds)}")
    return ", ".join(shown)


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return f"`{reference.rpartition('/')[2]}`"
        case {"enum": list(words)}:
            return " / ".join(str(word) for word in words)
        case {"const": word}:
            return str(word)
        case {"format": "date-time"}:
            return "time"
        case {"format": "date"}:
            return "date"
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict(items)}:
            return f"map to {_type(items)}"
        case {"type": str(kind)}:
            return kind
    raise ValueError(f"there is no word for {schema}")


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _words(words: Iterable[str]) -> str:
    return ", ".join(words)


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    main()
