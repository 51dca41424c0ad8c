"""The door for upstream facts: CloudEvents 1.0 in structured JSON, one or a batch (contract §4)."""

import asyncio
import time
from dataclasses import asdict, replace
from typing import Any

from litestar import Response

from application.handlers.documents import DocumentEntry
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.intake.intake import Reading
from application.ledger import Answer, Command, Committed
from application.operations.inbound import RECEIVE_EVENTS
from application.validation import invalid_field, parse
from domain.kernel.errors import DomainError
from domain.kernel.facts import Value
from interfaces.http.bodies import JSON, read_json, require_media_type, schema_of
from interfaces.http.guards import AnyRequest, caller_of, desk_of, system_of
from interfaces.http.idempotency import IdempotencyKey, answered, idempotency_claim
from interfaces.http.openapi import describing_body
from interfaces.http.problems import Problem, envelope
from interfaces.http.routes import route
from projections.documents import DOCUMENTS, select_settled_documents

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MAX_BATCH_EVENTS = 1000
EVENTS_A_TURN = 10
LONGEST_WAIT_SECONDS = 5.0
_SHORTEST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.05


class DocumentEntryAnswer(Value):
    """A document that a fact led to; a parked one waits for its cause to be mended."""

    document_id: str
    document_key: str
    doc_type: str
    status: str
    parked: bool


class EventResult(Value):
    """What became of one event; `error` is the envelope of a rejected one."""

    id: str
    outcome: str
    error: Problem | None = None
    documents: list[DocumentEntryAnswer]


class EventResults(Value):
    """What became of each event, in the order sent."""

    results: list[EventResult]


_EVENT = schema_of(CloudEvent)
_BATCH = {"type": "array", "items": _EVENT, "maxItems": MAX_BATCH_EVENTS}


_ANY = {"oneOf": [_EVENT, _BATCH]}


@route(RECEIVE_EVENTS, operation_class=describing_body({ONE: _EVENT, BATCH: _BATCH, JSON: _ANY}))
async def receive_events(
    request: AnyRequest, idempotency_key: IdempotencyKey = None
) -> Response[EventResults]:
    """Takes events in, waits up to five seconds for what they lead to, and tells what became of each."""
    media_type = require_media_type(request, (ONE, BATCH, JSON))
    claim = await idempotency_claim(request, RECEIVE_EVENTS, idempotency_key)
    if claim is not None and (stored := await system_of(request).ledger.stored(claim)) is not None:
        return answered(stored)
    content = await read_json(request)
    if media_type != JSON and isinstance(content, list) != (media_type == BATCH):
        raise invalid_field("body", "OTHER_MEDIA_TYPE", f"One event is {ONE}, an array of them {BATCH}.")
    events = content if isinstance(content, list) else [content]
    if len(events) > MAX_BATCH_EVENTS:
        raise invalid_field("body", "TOO_MANY", f"A batch holds {MAX_BATCH_EVENTS} events at most.")
    received = await _receive_all(request, events)
    outcomes = [outcome for outcome, _ in received]
    position = max((position for _, position in received), default=0)
    if not isinstance(content, list) and outcomes[0].error is not None:
        raise outcomes[0].error
    documents = [document for outcome in outcomes for document in outcome.documents]
    for outcome in outcomes:
        if outcome.outcome == "DUPLICATE":
            for document in outcome.documents:
                system_of(request).observer.repeated(document.doc_type)
        if outcome.outcome == "ACCEPTED":
            for document in outcome.documents:
                if document.blocked:
                    system_of(request).observer.blocked(document.country_code)
    entries, seen_position = await _issued_or_late(request, documents)
    late = any(entry.status == "DRAFT" and not entry.blocked for entry in entries.values())
    correlation_id = caller_of(request).correlation_id
    results = EventResults(results=[_result(outcome, entries, correlation_id) for outcome in outcomes])
    answer = Answer(202 if late else 200, results.model_dump(mode="json", by_alias=True))
    if claim is None:
        # Who reads behind this position finds the issues that this answer tells of.
        return answered(Committed(answer, max(position, seen_position)))
    audit = caller_of(request).audit(RECEIVE_EVENTS)
    kept = await system_of(request).ledger.commit(Command(audit, lambda _: answer, idempotency=claim))
    return answered(kept)


async def _receive_all(request: AnyRequest, events: list[Any]) -> list[tuple[Outcome, int]]:
    """Takes events in, in their order; now and then others get a turn, for reading them is computation."""
    under_way = []
    for index, event in enumerate(events, start=1):
        under_way.append(asyncio.create_task(_receive(request, event)))
        if index % EVENTS_A_TURN == 0:
            await asyncio.sleep(0)
    return await asyncio.gather(*under_way)


async def _receive(request: AnyRequest, event: Any) -> tuple[Outcome, int]:
    """Takes one event in; the outcome and the position of its last event (0 if it was malformed)."""
    try:
        if not isinstance(event, dict):
            raise invalid_field("body", "NOT_AN_OBJECT", "An event is a JSON object.")
        reading = Reading(system_of(request).fingerprint, desk_of(request))
        fact = read_fact(parse(CloudEvent, event), reading)
    except DomainError as error:
        event_id = event.get("id") if isinstance(event, dict) else None
        return Outcome(event_id if isinstance(event_id, str) else "", "REJECTED", error=error), 0
    intake = await fact.intake.with_files_kept(system_of(request).artifact_keeper)
    fact = replace(fact, intake=intake)
    audit = caller_of(request).audit(RECEIVE_EVENTS)
    command = Command(audit, receive_fact(fact), fact.streams, subjects=fact.intake.subjects)
    committed = await system_of(request).ledger.commit(command)
    outcome: Outcome = committed.answer.body
    return outcome, committed.position


async def _issued_or_late(
    request: AnyRequest, documents: list[DocumentEntry]
) -> tuple[dict[str, DocumentEntry], int]:
    """The documents once they are issued, or as they are after five seconds; the position that shows it."""
    seen_position = 0
    entries = {document.document_id: document for document in documents}
    waiting = {key for key, entry in entries.items() if entry.status == "DRAFT" and not entry.blocked}
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    pause_seconds = _SHORTEST_PAUSE_SECONDS
    while waiting and time.monotonic() < give_up_at:
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 1.5, _LONGEST_PAUSE_SECONDS)
        found = await system_of(request).read_store.fetch(
            (DOCUMENTS.name,), select_settled_documents(sorted(waiting))
        )
        seen_position = found.position
        for row in found.results[0]:
            document_id = row["document_id"]
            entries[document_id] = replace(entries[document_id], status=row["status"], parked=row["parked"])
            if row["status"] != "DRAFT":
                waiting.discard(document_id)
    return entries, seen_position


def _result(outcome: Outcome, entries: dict[str, DocumentEntry], correlation_id: str) -> EventResult:
    documents = [entries[document.document_id] for document in outcome.documents]
    return EventResult(
        id=outcome.id,
        outcome=outcome.outcome,
        error=None
        if outcome.error is None
        else Problem.model_validate(envelope(outcome.error, correlation_id)),
        documents=[_entry_answer(entry) for entry in documents],
    )


def _entry_answer(entry: DocumentEntry) -> DocumentEntryAnswer:
    shown = asdict(entry)
    return DocumentEntryAnswer(**{name: shown[name] for name in DocumentEntryAnswer.model_fields})


HANDLERS = (receive_events,)
