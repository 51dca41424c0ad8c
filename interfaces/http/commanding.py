"""How a command is carried out: its key first, then its body, then the ledger (contract §3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from application.ledger import Answer, Audit, Command, Committed, Handler, IdempotencyClaim
from application.operations.operation import Operation
from application.ports import ElevationClaims
from domain.accounts.elevation import ELEVATION_MISSING
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


@dataclass(frozen=True)
class Decided:
    """What became of a request in the ledger, who asked for it, and under which key if any."""

    committed: Committed
    audit: Audit
    claim: IdempotencyClaim | None
    dry_run: bool


async def carry_out(
    request: AnyRequest, operation: Operation, key: str | None, prepare: Callable[[], Awaitable[Prepared]]
) -> Response[Any]:
    """Answers with the stored answer of the key, or with what deciding gives.

    A dry run keeps nothing, its key neither; its answer is 200 and says `dryRun`.
    """
    decided = await decide(request, operation, key, prepare)
    committed = decided.committed
    if decided.dry_run:
        rehearsed = Answer(200, {**committed.answer.body, "dryRun": True})
        return answered(Committed(rehearsed, committed.position))
    return answered(committed)


async def decide(
    request: AnyRequest, operation: Operation, key: str | None, prepare: Callable[[], Awaitable[Prepared]]
) -> Decided:
    """Lets the ledger decide on a request. Raises `DomainError` where it is refused."""
    claim = await idempotency_claim(request, operation, key)
    audit = caller_of(request).audit(operation)
    try:
        prepared = await prepare()
    except DomainError as refused:
        # That a key was used is told before what is wrong with the request.
        if claim is not None and (stored := await system_of(request).ledger.stored(claim)) is not None:
            return Decided(stored, audit, claim, dry_run=False)
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
    if isinstance(committed.answer.body, DomainError):
        # A refusal that is on record: what stands in the way, with a task for whoever can mend it.
        raise committed.answer.body
    if not prepared.dry_run:
        note_ids(request.scope, committed.answer.body)
    return Decided(committed, audit, claim, prepared.dry_run)


async def _record_refused_elevation(
    request: AnyRequest, audit: Audit, refused: DomainError, elevations: tuple[ElevationClaims, ...]
) -> None:
    """The refusal took back all that the command wrote, so what became of the token is written by itself."""
    if refused.code == "ELEVATION_INVALID" and refused.reason_code != ELEVATION_MISSING:
        await system_of(request).elevations.record_refused_use(audit, elevations, refused.reason_code)
