"""How a command is carried out: its key first, then its body, then the ledger (contract §3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from application.ledger import Answer, Command, Committed, Handler
from application.operations.operation import Operation
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import answered, idempotency_claim


@dataclass(frozen=True)
class Prepared:
    """A request that was read: what to decide, and what deciding reads and whose data it brings."""

    handler: Handler
    streams: frozenset[StreamId]
    subjects: frozenset[str] = field(default_factory=frozenset)
    dry_run: bool = False


async def carry_out(
    request: AnyRequest, operation: Operation, key: str | None, prepare: Callable[[], Awaitable[Prepared]]
) -> Response[Any]:
    """Answers with the stored answer of the key, or with what deciding gives.

    A dry run keeps nothing, its key neither; its answer is 200 and says `dryRun`.
    """
    claim = await idempotency_claim(request, operation, key)
    try:
        prepared = await prepare()
    except DomainError:
        # That a key was used is told before what is wrong with the request.
        if claim is not None and (stored := await system_of(request).ledger.stored(claim)) is not None:
            return answered(stored)
        raise
    command = Command(
        audit=caller_of(request).audit(operation.name, operation.permissions),
        handler=prepared.handler,
        streams=prepared.streams,
        idempotency=None if prepared.dry_run else claim,
        subjects=prepared.subjects,
        dry_run=prepared.dry_run,
    )
    committed = await system_of(request).ledger.commit(command)
    if prepared.dry_run:
        rehearsed = Answer(200, {**committed.answer.body, "dryRun": True})
        return answered(Committed(rehearsed, committed.position))
    return answered(committed)
