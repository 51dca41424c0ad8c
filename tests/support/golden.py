"""What must not change by accident, as files; `make golden` rewrites them and the diff is reviewed.

    python -m tests.support.golden

A file of a stored event is what some ledger holds for good: when an event's shape changes, its schema
version rises, its new file is written beside the old one, and the old one must still be read.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from application.operations import OPERATIONS
from application.operations.operation import Operation
from application.operations.unrouted import UNROUTED_OPERATIONS, UnroutedOperation
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.external_calls import EXTERNAL_CALLS, ExternalCall
from tests.docs import generated_documents
from tests.support import golden_documents
from tests.support.fact_examples import examples
from tests.support.subject_keys import MemoryKeys

FOLDER = Path(__file__).parents[1] / "golden"
EVENTS = FOLDER / "events"
EXAMPLE_STREAM = StreamId("example", "1")
OPERATIONS_FILE = FOLDER / "operations.json"
UNROUTED_OPERATIONS_FILE = FOLDER / "unrouted-operations.json"
EXTERNAL_CALLS_FILE = FOLDER / "external-calls.json"


def golden_events() -> dict[str, bytes]:
    """The stored bytes of an example of each event, by file name."""
    mapper, keys = LedgerMapper(REGISTRY), MemoryKeys()
    encoded = [mapper.encode(EXAMPLE_STREAM, fact, keys) for fact in examples()]
    return {f"{name}.v{schema_version}.json": state for name, schema_version, state in encoded}


def golden_operations() -> str:
    """The operation catalog as clients read it."""
    return _catalog(OPERATIONS)


def golden_unrouted_operations() -> str:
    """What no route leads to, as operators and auditors read it."""
    return _catalog(UNROUTED_OPERATIONS)


def golden_external_calls() -> str:
    """The catalog of calls that leave the house, as operators read it."""
    return _catalog(EXTERNAL_CALLS)


def _catalog(rows: Sequence[Operation] | Sequence[UnroutedOperation] | Sequence[ExternalCall]) -> str:
    return json.dumps({"items": [row.row() for row in rows]}, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrites every golden file."""
    EVENTS.mkdir(parents=True, exist_ok=True)
    for name, state in golden_events().items():
        (EVENTS / name).write_bytes(state)
    OPERATIONS_FILE.write_text(golden_operations(), encoding="utf-8")
    UNROUTED_OPERATIONS_FILE.write_text(golden_unrouted_operations(), encoding="utf-8")
    EXTERNAL_CALLS_FILE.write_text(golden_external_calls(), encoding="utf-8")
    golden_documents.main()
    generated_documents.main()


if __name__ == "__main__":
    main()
