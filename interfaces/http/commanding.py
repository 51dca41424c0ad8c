"""How a command is carried out: its key first, then its body, then the ledger (contract §3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from application.ledger import Answer, Audit, Command, Committed, Handler
from application.operations.operation import Operation
from application.ports import ElevationClaims
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import answered, idempotency_claim
from interfaces.http.trace import note_ids


@dataclass(frozen=True)
class Prepared:
    """A request that was read: what to decide, and what deciding reads and whose data it brings.

    `elevations` are the tokens that the handler uses; those that do not serve are told to auditors.
    """

    handler: Handler
    streams: frozenset[StreamId]
    subjects: frozenset[str] = field(default_factory=frozenset)
    dry_run: bool = False
    elevations: tuple[ElevationClaims, ...] = ()


async def carry_out(
    request: AnyRequest, operation: Operation, key: str | None, prepare: Callable[[], Awaitable[Prepared]]
) -> Response[Any]:
    """Answers with the stored answer of the key, or with what deciding gives.

    A dry run keeps nothing, its key neither; its answer is 200 and says `dryRun`.
    """
    claim = await idempotency_claim(request, operation, key)
    audit = caller_of(request).audit(operation.name, operation.permissions)
    try:
        prepared = await prepare()
    except DomainError as refused:
        # That a key was used is told before what is wrong with the request.
        if claim is not None and (stored := await system_of(request).ledger.stored(claim)) is not None:
            return answered(stored)
        await _record_refused_elevation(request, audit, refused, ())
        raise
    command = Command(
        audit=audit,
        handler=prepared.handler,
        streams=prepared.streams,
        idempotency=None if prepared.dry_run else claim,
        subjects=prepared.subjects,
        dry_run=prepared.dry_run,
    )
    try:
        committed = await system_of(request).ledger.commit(command)
    except DomainError as refused:
        if not prepared.dry_run:
            await _record_refused_elevation(request, audit, refused, prepared.elevations)
        raise
    if prepared.dry_run:
        rehearsed = Answer(200, {**committed.answer.body, "dryRun": True})
        return answered(Committed(rehearsed, committed.position))
    note_ids(request.scope, committed.answer.body)
    return answered(committed)


async def _record_refused_elevation(
    request: AnyRequest, audit: Audit, refused: DomainError, elevations: tuple[ElevationClaims, ...]
) -> None:
    """The refusal took back all that the command wrote, so what became of the token is written by itself."""
    if refused.code == "ELEVATION_INVALID":
        await system_of(request).elevations.record_refused_use(audit, elevations, refused.reason_code)
