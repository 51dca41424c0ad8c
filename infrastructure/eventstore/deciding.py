"""Decides the commands of one batch, in turn, on the states as they stand at one revision of the ledger.

A refused command leaves nothing behind; what one command appends the next one sees. Facts are encoded and
hashed here, so that one that cannot be stored fails its own command and no other.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID, uuid5

from application.ledger import Answer, Command, Committed, LedgerUnavailable
from application.ports import Ids
from domain.kernel.errors import DomainError
from domain.kernel.facts import Stamp
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import AnswerSeal, StoredCommand
from infrastructure.eventstore.appending import AnnouncementRow, Append, CommandRow
from infrastructure.eventstore.basis import Basis
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.rows import EventRow, originator_id
from infrastructure.eventstore.subject_keys import BatchKeys, SubjectNotLoaded
from infrastructure.eventstore.transaction import Folded, NotLoaded, OpenTransaction
from infrastructure.eventstore.waiting import Outcome, Waiting

LOADS_PER_COMMAND = 20
"""How many streams and subjects a command may turn out to need beyond those that it names."""
DECIDING_SECONDS = 0.5
"""What a batch may spend on deciding; the rest joins the next one, so that the head lock is never lost."""
KEY_LIFETIME = timedelta(days=30)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for a key that never expires: psycopg has no datetime for PostgreSQL's infinity."""
OUTBOX_NAMESPACE = UUID("5f3a1c8e-6f0b-4d0e-9a55-8f6f0e6f2a10")


@dataclass
class Decided:
    """A batch's outcome before it is committed: who is told what, and the rows to write.

    `defects` are the outcomes that only we are to blame for. `known` are the streams as the basis has them,
    `changed` those that it leaves in another state. `began_at` (monotonic seconds) is when work on it began.
    """

    basis: Basis
    known: dict[StreamId, Folded]
    stamp: Stamp
    keys: BatchKeys
    outcomes: list[tuple[Waiting, Outcome]] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    commands: list[CommandRow] = field(default_factory=list)
    announcements: list[AnnouncementRow] = field(default_factory=list)
    defects: list[tuple[Waiting, Exception]] = field(default_factory=list)
    again: list[Waiting] = field(default_factory=list)
    changed: dict[StreamId, Folded] = field(default_factory=dict)
    stored: dict[bytes, StoredCommand] = field(default_factory=dict)
    began_at: float = 0.0

    @property
    def batch(self) -> list[Waiting]:
        """Its commands, those included that have to be decided again."""
        return [*(waiting for waiting, _ in self.outcomes), *self.again]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.events and not self.commands

    @property
    def append(self) -> Append:
        """What is to be written behind the basis."""
        basis, minted = self.basis, self.keys.minted
        return Append(basis.revision, basis.position, self.events, self.commands, self.announcements, minted)

    @property
    def revision(self) -> int:
        """The ledger's revision once it is committed."""
        return self.basis.revision + (not self.is_empty)

    def behind(self, read: Basis) -> Basis | None:
        """The ledger with this committed, from what was read of it before or after that.

        None where what was read shows that somebody else has come between.
        """
        if read.revision == self.revision:
            return read
        if read.revision != self.basis.revision:
            return None
        return replace(
            read,
            position=read.position + len(self.events),
            revision=self.revision,
            recorded_at=self.stamp.at if self.events else read.recorded_at,
            commands=read.commands | self.stored,
            subject_keys=[*read.subject_keys, *(row.as_live for row in self.keys.minted)],
        )


class Decider:
    """Decides batches. It touches nothing outside: the committer loads before and writes after."""

    def __init__(self, registry: Registry, mapper: LedgerMapper, answers: AnswerSeal, ids: Ids) -> None:
        self._registry = registry
        self._mapper = mapper
        self._answers = answers
        self._ids = ids

    def decide(
        self,
        batch: Iterable[Waiting],
        known: dict[StreamId, Folded],
        basis: Basis,
        keys: BatchKeys,
        stamp: Stamp,
    ) -> Decided:
        """What the batch's commands lead to, in turn; those that need more loaded are to be decided again."""
        decided = Decided(basis, known, stamp, keys)
        overlay = dict(known)
        stop_at = time.monotonic() + DECIDING_SECONDS
        for waiting in batch:
            if decided.outcomes and time.monotonic() > stop_at:
                decided.again.append(waiting)
                continue
            try:
                self._decide_one(waiting, overlay, stamp, decided)
            except NotLoaded as error:
                if not error.streams.issubset(waiting.streams):
                    waiting.loads += 1
                    waiting.extra_streams |= error.streams
                _load_and_try_again(waiting, error, decided)
            except SubjectNotLoaded as error:
                if error.subject not in waiting.subjects:
                    waiting.loads += 1
                    waiting.extra_subjects.add(error.subject)
                _load_and_try_again(waiting, error, decided)
            except DomainError as error:
                decided.outcomes.append((waiting, error))
            except Exception as error:
                decided.defects.append((waiting, error))
                decided.outcomes.append((waiting, error))
        return decided

    def _decide_one(
        self,
        waiting: Waiting,
        overlay: dict[StreamId, Folded],
        stamp: Stamp,
        decided: Decided,
    ) -> None:
        command = waiting.command
        claim = command.idempotency
        if claim:
            stored = decided.stored.get(claim.key_hash) or decided.basis.commands.get(claim.key_hash)
            if stored:
                decided.outcomes.append((waiting, self._answers.replay(stored, claim)))
                return
        transaction = OpenTransaction(self._registry, overlay, stamp)
        answer = command.handler(transaction)
        last_position = decided.basis.position + len(decided.events)
        if command.dry_run:
            decided.outcomes.append((waiting, Committed(answer, last_position)))
            return
        outcome = Committed(answer, last_position + len(transaction.events))
        rows = self._rows(command, transaction, stamp, last_position, decided.keys)
        command_row = self._command_row(command, outcome, stamp)
        decided.announcements += _announcements(transaction, rows)
        decided.events += rows
        if command_row is not None:
            decided.commands.append(command_row)
            decided.stored[command_row.key_hash] = StoredCommand(
                command_row.key_hash, command_row.request_hash, command_row.answer, command_row.position
            )
        transaction.keep()
        decided.changed.update(transaction.changed)
        decided.outcomes.append((waiting, outcome))

    def _rows(
        self,
        command: Command,
        transaction: OpenTransaction,
        stamp: Stamp,
        last_position: int,
        keys: BatchKeys,
    ) -> list[EventRow]:
        if not transaction.events:
            return []
        audit = command.audit
        transaction_id = self._ids.new()
        rows = []
        for position, event in enumerate(transaction.events, start=last_position + 1):
            name, schema_version, state = self._mapper.encode(event.stream, event.fact, keys)
            row = EventRow(
                id=position,
                originator_id=originator_id(event.stream),
                originator_version=event.version,
                topic=name,
                state=state,
                tenant_id=audit.tenant_id,
                schema_version=schema_version,
                transaction_id=transaction_id,
                actor=audit.actor,
                role=audit.role,
                on_behalf_of=audit.on_behalf_of,
                operation=audit.operation,
                correlation_id=audit.correlation_id,
                causation_id=audit.causation_id,
                recorded_at=stamp.at,
            )
            rows.append(row)
        return rows

    def _command_row(self, command: Command, outcome: Committed, stamp: Stamp) -> CommandRow | None:
        claim = command.idempotency
        if claim is None or not _is_kept(outcome.answer):
            return None
        return CommandRow(
            key_hash=claim.key_hash,
            request_hash=claim.request_hash,
            answer=self._answers.seal(outcome.answer, claim.key_hash),
            position=outcome.position,
            recorded_at=stamp.at,
            expires_at=NEVER if claim.never_expires else stamp.at + KEY_LIFETIME,
        )


def _is_kept(answer: Answer) -> bool:
    """A refusal that leaves facts behind is no answer to repeat: the same key may succeed (contract §2).

    Nor is what says that the answer is still to come (102).
    """
    return HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST or (
        answer.status == HTTPStatus.PAYMENT_REQUIRED
    )


def _load_and_try_again(waiting: Waiting, error: Exception, decided: Decided) -> None:
    """A command may wander so far and no farther; what it named is loaded for as long as it has patience.

    A long stream is loaded outside the lock, and a connection that is lost takes with it what was loaded.
    """
    if waiting.loads > LOADS_PER_COMMAND:
        decided.outcomes.append((waiting, error))
    elif time.monotonic() > waiting.give_up_at:
        decided.outcomes.append((waiting, LedgerUnavailable("what the command reads could not be loaded")))
    else:
        decided.again.append(waiting)


def _announcements(transaction: OpenTransaction, rows: list[EventRow]) -> list[AnnouncementRow]:
    announced = []
    for announcement in transaction.announcements:
        row = rows[announcement.event_index]
        event_id = uuid5(OUTBOX_NAMESPACE, f"{row.originator_id}@{row.originator_version}")
        announced.append(AnnouncementRow(row.id, event_id, announcement.fact_type))
    return announced
