"""What every ledger promises; each adapter's test module runs this suite with its own fixtures."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from application.ledger import (
    Answer,
    Audit,
    Command,
    Committed,
    EventFilter,
    Handler,
    IdempotencyClaim,
    Ledger,
    Transaction,
)
from domain.documents.access import DOCUMENT_ACCESS, DocumentDownloaded
from domain.inbound.inbound import INBOUND
from domain.kernel.errors import DomainError
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from tests.support.clocks import SetClock
from tests.support.facts import received

AUDIT = Audit(
    tenant_id="default",
    actor="ana",
    role="SYSTEM",
    operation="documents.download",
    correlation_id="4bf92f3577b34da6a3ce929d0e0e4736",
    causation_id="17",
    on_behalf_of="user-9",
)


def a_stream() -> StreamId:
    """A stream that nobody has written to, in this ledger or any other."""
    return DOCUMENT_ACCESS.stream(f"{uuid4()}/2026-03")


def downloads(transaction: Transaction, stream: StreamId) -> int:
    """How many downloads the stream counts."""
    month = transaction.state(DOCUMENT_ACCESS, stream.id)
    return 0 if month is None else month.downloads


def downloading(stream: StreamId, times: int = 1) -> Handler:
    """Records downloads; answers how many there are then, and at which version."""

    def handle(transaction: Transaction) -> Answer:
        for _ in range(times):
            transaction.append(
                stream, (DocumentDownloaded(document_id=stream.id, caller="ana", file_format="PDF"),)
            )
        return Answer(200, {"downloads": downloads(transaction, stream), "v": transaction.version(stream)})

    return handle


def asking(*streams: StreamId) -> Handler:
    """Writes nothing; answers how many downloads each stream counts."""
    return lambda transaction: Answer(200, [downloads(transaction, stream) for stream in streams])


def command(handler: Handler, *streams: StreamId, claim: IdempotencyClaim | None = None) -> Command:
    """A command of Ana's that names these streams."""
    return Command(AUDIT, handler, frozenset(streams), claim)


def a_claim(request: bytes = b"request") -> IdempotencyClaim:
    """A key that nobody has used."""
    return IdempotencyClaim(key_hash=uuid4().bytes * 2, request_hash=request.ljust(32))


def positions(events: Sequence[RecordedEvent]) -> list[int]:
    """Where the events stand."""
    return [event.position for event in events]


class LedgerContract:
    """Subclasses give fixtures `ledger`, and `clock`, the `SetClock` that its time comes from.

    The ledger need not be empty, so that one may serve a whole module.
    """

    async def _download(self, ledger: Ledger, stream: StreamId, times: int = 1) -> Committed:
        return await ledger.commit(command(downloading(stream, times), stream))

    async def test_what_was_recorded_is_read_with_who_did_it(self, ledger: Ledger, clock: SetClock) -> None:
        stream = a_stream()
        clock.move(3600)
        committed = await self._download(ledger, stream)
        (event,) = await ledger.history(stream)
        assert event.fact == DocumentDownloaded(document_id=stream.id, caller="ana", file_format="PDF")
        assert (
            event.state == b'{"caller":"ana","documentId":"' + stream.id.encode() + b'","fileFormat":"PDF"}'
        )
        assert (event.stream, event.version, event.position) == (stream, 1, committed.position)
        assert (event.name, event.schema_version) == ("document-access.downloaded", 2)
        recorded = Audit(
            tenant_id=event.tenant_id,
            actor=event.actor,
            role=event.role,
            operation=event.operation,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            on_behalf_of=event.on_behalf_of,
        )
        assert recorded == AUDIT

    async def test_an_audit_without_cause_and_principal_is_read_without(self, ledger: Ledger) -> None:
        stream = a_stream()
        audit = replace(AUDIT, causation_id=None, on_behalf_of=None)
        await ledger.commit(Command(audit, downloading(stream), frozenset({stream})))
        (event,) = await ledger.history(stream)
        assert (event.causation_id, event.on_behalf_of) == (None, None)

    async def test_a_command_sees_what_was_committed_and_what_it_appended(self, ledger: Ledger) -> None:
        stream = a_stream()
        assert (await self._download(ledger, stream, 2)).answer == Answer(200, {"downloads": 2, "v": 2})
        assert (await self._download(ledger, stream)).answer == Answer(200, {"downloads": 3, "v": 3})

    async def test_a_command_may_read_streams_that_it_did_not_name(self, ledger: Ledger) -> None:
        one, other, unknown = a_stream(), a_stream(), a_stream()
        await self._download(ledger, one)
        await self._download(ledger, other, 2)
        committed = await ledger.commit(command(asking(one, other, unknown)))
        assert committed.answer.body == [1, 2, 0]

    async def test_positions_have_no_gaps(self, ledger: Ledger) -> None:
        one, other = a_stream(), a_stream()
        before = await ledger.head_position()
        ends = [(await self._download(ledger, stream, 2)).position for stream in (one, other, one)]
        assert ends == [before + 2, before + 4, before + 6]
        assert await ledger.head_position() == before + 6
        assert positions(await ledger.history(one)) == [before + 1, before + 2, before + 5, before + 6]
        assert [event.version for event in await ledger.history(one)] == [1, 2, 3, 4]

    async def test_a_command_that_writes_nothing_answers_with_the_head(self, ledger: Ledger) -> None:
        await self._download(ledger, a_stream())
        head = await ledger.head_position()
        committed = await ledger.commit(command(asking(a_stream())))
        assert (committed.position, await ledger.head_position()) == (head, head)
        assert not committed.replayed

    async def test_a_refusal_reaches_the_caller_and_records_nothing(self, ledger: Ledger) -> None:
        stream, head = a_stream(), await ledger.head_position()

        def refuse(transaction: Transaction) -> Answer:
            downloading(stream)(transaction)
            raise DomainError("SERIES_EXISTS", "No.")

        with pytest.raises(DomainError) as refusal:
            await ledger.commit(command(refuse, stream))
        assert refusal.value.code == "SERIES_EXISTS"
        assert (await ledger.history(stream), await ledger.head_position()) == ([], head)

    async def test_a_defect_reaches_the_caller_records_nothing_and_stops_nobody(self, ledger: Ledger) -> None:
        stream = a_stream()

        def stumble(transaction: Transaction) -> Answer:
            downloading(stream)(transaction)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await ledger.commit(command(stumble, stream))
        assert (await self._download(ledger, stream)).answer.body == {"downloads": 1, "v": 1}

    async def test_one_command_is_one_transaction_at_one_moment(
        self, ledger: Ledger, clock: SetClock
    ) -> None:
        stream = a_stream()
        stamps = []

        def look(transaction: Transaction) -> Answer:
            stamps.append(transaction.stamp.at)
            return downloading(stream, 2)(transaction)

        await ledger.commit(command(look, stream))
        clock.move(1)
        await self._download(ledger, stream)
        first, second, third = await ledger.history(stream)
        assert first.transaction_id == second.transaction_id != third.transaction_id
        assert first.recorded_at == second.recorded_at == stamps[-1]

    async def test_recorded_time_follows_the_clock_but_never_goes_back(
        self, ledger: Ledger, clock: SetClock
    ) -> None:
        stream = a_stream()
        latest = clock.move(1_000_000)
        await self._download(ledger, stream)
        clock.move(-600)
        await self._download(ledger, stream)
        later = clock.move(1200)
        await self._download(ledger, stream)
        assert [event.recorded_at for event in await ledger.history(stream)] == [latest, latest, later]

    async def test_commands_at_the_same_time_are_decided_one_after_the_other(self, ledger: Ledger) -> None:
        stream, before = a_stream(), await ledger.head_position()
        told = await asyncio.gather(*(self._download(ledger, stream) for _ in range(40)))
        assert sorted(committed.answer.body["downloads"] for committed in told) == list(range(1, 41))
        assert [event.version for event in await ledger.history(stream)] == list(range(1, 41))
        assert positions(await ledger.history(stream)) == list(range(before + 1, before + 41))
        for committed in told:
            assert committed.position == before + committed.answer.body["downloads"]

    async def test_a_dry_run_answers_as_the_real_one_would_and_leaves_nothing(self, ledger: Ledger) -> None:
        stream = a_stream()
        await self._download(ledger, stream)
        head = await ledger.head_position()
        rehearsed = await ledger.commit(replace(command(downloading(stream), stream), dry_run=True))
        assert rehearsed == Committed(Answer(200, {"downloads": 2, "v": 2}), head)
        assert await ledger.head_position() == head
        assert (await self._download(ledger, stream)).answer == rehearsed.answer

    async def test_a_key_is_answered_once_and_then_from_the_store(self, ledger: Ledger) -> None:
        stream, claim = a_stream(), a_claim()
        assert await ledger.stored(claim) is None
        first = await ledger.commit(command(downloading(stream), stream, claim=claim))
        await self._download(ledger, stream)
        again = await ledger.commit(command(downloading(stream), stream, claim=claim))
        assert (again.answer, again.position) == (first.answer, first.position)
        assert (first.replayed, again.replayed) == (False, True)
        assert await ledger.stored(claim) == again
        assert len(await ledger.history(stream)) == 2

    async def test_a_key_used_for_another_request_is_refused(self, ledger: Ledger) -> None:
        stream, claim = a_stream(), a_claim()
        await ledger.commit(command(downloading(stream), stream, claim=claim))
        other = replace(claim, request_hash=b"other".ljust(32))
        for ask in (ledger.commit(command(downloading(stream), stream, claim=other)), ledger.stored(other)):
            with pytest.raises(DomainError) as refusal:
                await ask
            assert refusal.value.code == "IDEMPOTENCY_KEY_REUSED"
        assert len(await ledger.history(stream)) == 1

    async def test_a_refused_command_leaves_its_key_free(self, ledger: Ledger) -> None:
        stream, claim = a_stream(), a_claim()

        def refuse(_: Transaction) -> Answer:
            raise DomainError("SERIES_EXISTS", "No.")

        with pytest.raises(DomainError):
            await ledger.commit(command(refuse, claim=claim))
        committed = await ledger.commit(command(downloading(stream), stream, claim=claim))
        assert (committed.answer.status, committed.replayed) == (200, False)

    async def test_a_key_is_kept_even_where_nothing_was_recorded(self, ledger: Ledger) -> None:
        stream, claim = a_stream(), a_claim()
        await ledger.commit(command(asking(stream), stream, claim=claim))
        await self._download(ledger, stream)
        again = await ledger.commit(command(asking(stream), stream, claim=claim))
        assert (again.answer.body, again.replayed) == ([0], True)

    async def test_of_the_same_key_at_the_same_time_one_is_decided(self, ledger: Ledger) -> None:
        stream, claim = a_stream(), a_claim()
        told = await asyncio.gather(
            *(ledger.commit(command(downloading(stream), stream, claim=claim)) for _ in range(10))
        )
        assert [committed.answer.body for committed in told] == [{"downloads": 1, "v": 1}] * 10
        assert sorted(committed.replayed for committed in told) == [False] + [True] * 9
        assert len(await ledger.history(stream)) == 1

    async def test_history_ends_at_a_version(self, ledger: Ledger) -> None:
        stream = a_stream()
        await self._download(ledger, stream, 3)
        for version, expected in ((0, []), (2, [1, 2]), (9, [1, 2, 3])):
            events = await ledger.history(stream, up_to_version=version)
            assert [event.version for event in events] == expected

    async def test_history_at_a_position_never_shows_half_a_transaction(self, ledger: Ledger) -> None:
        stream = a_stream()
        first = (await self._download(ledger, stream)).position
        second = (await self._download(ledger, stream, 3)).position
        assert second == first + 3
        shown = {
            position: len(await ledger.history(stream, up_to_position=position))
            for position in (first - 1, first, first + 1, first + 2, second, second + 5)
        }
        assert shown == {
            first - 1: 0,
            first: 1,
            first + 1: 4,
            first + 2: 4,
            second: 4,
            second + 5: 4,
        }

    async def test_history_as_of_a_moment_includes_it(self, ledger: Ledger, clock: SetClock) -> None:
        stream = a_stream()
        before = clock.move(2_000_000)
        at = clock.move(1)
        await self._download(ledger, stream)
        clock.move(1)
        await self._download(ledger, stream)
        assert await ledger.history(stream, as_of=before) == []
        assert len(await ledger.history(stream, as_of=at)) == 1

    async def test_auditors_find_events_by_what_they_ask(self, ledger: Ledger, clock: SetClock) -> None:
        one, other, inbound = a_stream(), a_stream(), INBOUND.stream(str(uuid4()))
        start = await ledger.head_position()
        early = clock.move(3_000_000)
        await self._download(ledger, one, 2)
        late = clock.move(1)
        bob = replace(AUDIT, actor=f"bob-{uuid4()}")
        await ledger.commit(Command(bob, downloading(other), frozenset({other})))

        def receive(transaction: Transaction) -> Answer:
            transaction.append(inbound, (received(),))
            return Answer(200, None)

        await ledger.commit(command(receive, inbound))

        async def found(**wanted: object) -> list[int]:
            event_filter = EventFilter(after_position=start, **wanted)  # type: ignore[arg-type]
            return [position - start for position in positions(await ledger.search(event_filter))]

        assert await found() == [1, 2, 3, 4]
        assert await found(limit=3) == [1, 2, 3]
        assert await found(actor=bob.actor) == [3]
        assert await found(names=("inbound.received",)) == [4]
        assert await found(names=("inbound.received", "document-access.downloaded")) == [1, 2, 3, 4]
        assert await found(stream=one) == [1, 2]
        assert await found(streams=(other, inbound)) == [3, 4]
        assert await found(stream_type="inbound") == [4]
        assert await found(recorded_from=early, recorded_to=early) == [1, 2]
        assert await found(recorded_from=late) == [3, 4]
        assert await found(stream=one, actor=bob.actor) == []
        newest = await ledger.search(
            EventFilter(streams=(one, other, inbound), descending=True, after_position=start + 4, limit=2)
        )
        assert positions(newest) == [start + 3, start + 2]

    async def test_only_what_the_command_wrote_can_be_announced(self, ledger: Ledger) -> None:
        stream = a_stream()
        await self._download(ledger, stream)

        def announce(transaction: Transaction) -> Answer:
            transaction.announce(stream, "docs.DocumentIssued")
            return Answer(200, None)

        with pytest.raises(ValueError, match="announce"):
            await ledger.commit(command(announce, stream))
