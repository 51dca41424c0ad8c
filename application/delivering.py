"""Delivers issued documents by e-mail and post: recorded before, sent, recorded after (S3 §4.1, §8.3).

An attempt is recorded before anything leaves the house, so that a crash cannot send it twice unseen. The
address is looked up when it is needed, and is nowhere but in the message.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from application.files import DocumentFiles, FileErased
from application.handlers.accounts import account_state, name_streams
from application.handlers.deliveries import (
    begin_delivery,
    profile_owner,
    record_delivered,
    record_not_delivered,
    record_unconfirmed,
)
from application.ledger import (
    Answer,
    Audit,
    Command,
    Handler,
    Ledger,
    LedgerUnavailable,
    Transaction,
    worker_audit,
)
from application.mailing import (
    Attachment,
    KeptPapers,
    Letter,
    Mail,
    Mailer,
    NotSent,
    PostRoom,
    Unconfirmed,
    compose,
    compose_attached,
    title_of,
)
from application.operations.unrouted import DELIVER_DOCUMENT
from application.ports import Clock, DownloadClaims, DownloadTokens, SubjectSecrets
from application.vault import VaultError
from domain.accounts.account import ACCOUNT, Account
from domain.accounts.fiscal_profile import FISCAL_PROFILE, FiscalProfile
from domain.documents.delivery import DeliveryOf
from domain.documents.document import DOCUMENT, Document
from domain.documents.notices import ReaderType, notice_of, reader_of, words_of
from domain.documents.reader_address import reader_address
from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from domain.receivables.receipt import RECEIPT, Receipt

log = structlog.get_logger(__name__)

LINK_LIFETIME = timedelta(days=7)
RECORD_AGAIN_SECONDS = (1, 2, 4, 8, 16)
"""What is not recorded was not confirmed, so a database that is away for a moment is waited for."""


@dataclass(frozen=True)
class DueDelivery:
    """A delivery whose time has come.

    `stream` is where it is recorded: a month of its document's accesses, or a receipt, which brings its PDF
    along where others bring a link.
    """

    of: DeliveryOf
    stream: StreamId

    @property
    def key(self) -> str:
        """The delivery."""
        return self.of.delivery_id

    @property
    def logged_as(self) -> Mapping[str, str]:
        """The ids that a log line names it by."""
        of = self.of
        receipt = {"receiptId": self.stream.id} if self.stream.type == RECEIPT.name else {}
        return {"documentId": of.document_id, "deliveryId": of.delivery_id, "channel": of.channel, **receipt}


@dataclass(frozen=True)
class _Reader:
    """Whom a document goes to. Nothing of it may be logged."""

    document: Document
    source: Any
    type: ReaderType
    id: str
    address: str | None
    destroyed_keys: frozenset[UUID]
    audit: Audit

    @property
    def subject_id(self) -> str:
        """As the key store and the folders know them."""
        return f"party:{self.id}"


class Deliverer:
    """Makes one attempt of one delivery at a time; only one process may be at it."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        secrets: SubjectSecrets,
        files: DocumentFiles,
        tokens: DownloadTokens,
        mailer: Mailer,
        post_room: PostRoom,
        papers: KeptPapers,
        clock: Clock,
        public_url: str,
    ) -> None:
        """`public_url` is where readers reach the API, without a slash at its end."""
        self._ledger = ledger
        self._registry = registry
        self._secrets = secrets
        self._files = files
        self._tokens = tokens
        self._mailer = mailer
        self._post_room = post_room
        self._papers = papers
        self._clock = clock
        self._public_url = public_url

    async def deliver(self, due: DueDelivery) -> None:
        """Makes the attempt that is due and records what became of it. Raises `LedgerUnavailable`."""
        reader = await self._reader(due.of.document_id)
        by_mail = due.of.channel == "EMAIL"
        try:
            message = await (self._mail(due, reader) if by_mail else self._letter(due, reader))
        except NotSent as failure:
            await self._fail(due, reader, failure)
            if failure.reason == "erased":
                # Also what a process wrote that died before it could look again.
                await self._papers.forget(reader.subject_id)
            return
        repeatable = self._mailer.repeatable if by_mail else True
        begun = await self._commit(
            reader.audit, due, begin_delivery(due.stream, due.of, repeatable=repeatable)
        )
        attempt: int | None = begun["attempt"]
        if attempt is None:
            return
        try:
            await self._send(message)
        except NotSent as failure:
            await self._fail(due, reader, failure)
        except Unconfirmed:
            log.error("delivery-unconfirmed", **due.logged_as, attempt=attempt)
            await self._record(reader.audit, due, record_unconfirmed(due.stream, due.of, attempt))
        else:
            await self._record(reader.audit, due, record_delivered(due.stream, due.of, attempt))
            await self._forget_if_erased(due.of.document_id, reader)

    async def _send(self, message: Mail | Letter) -> None:
        if isinstance(message, Mail):
            await self._mailer.send(message)
        else:
            await self._post_room.lay_in(message)

    async def _forget_if_erased(self, document_id: str, reader: _Reader) -> None:
        """Where its reader was erased while a message was being written, it is removed as the others were."""
        if (await self._reader(document_id)).destroyed_keys - reader.destroyed_keys:
            await self._papers.forget(reader.subject_id)

    async def _fail(self, due: DueDelivery, reader: _Reader, failure: NotSent) -> None:
        log.warning("delivery-failed", **due.logged_as, reason=failure.reason, replyCode=failure.reply_code)
        record = record_not_delivered(
            due.stream, due.of, failure.reason, again=failure.again, reply_code=failure.reply_code
        )
        await self._record(reader.audit, due, record)

    async def _mail(self, due: DueDelivery, reader: _Reader) -> Mail:
        if reader.address is None:
            raise NotSent("erased" if reader.destroyed_keys else "address_missing", again=False)
        drafted, numbered = reader.document.drafted, reader.document.numbered
        notice = None if numbered is None else notice_of(drafted, numbered.number)
        if notice is None:
            raise NotSent("withdrawn", again=False)
        words = words_of(notice.doc_type, notice.number, notice.language)
        now, reference = self._clock.now(), drafted.source_ref.id
        attachment, copy_number = None, 0
        if due.stream.type == RECEIPT.name:
            copy_number = reader.source.emails[due.of.delivery_id].copy_number
            attachment = Attachment(f"{notice.number}.pdf", await self._pdf(reader.document))
            text, html = compose_attached(words, notice.language, reference)
        else:
            link = self._link(due.of.document_id, reader, now + LINK_LIFETIME)
            text, html = compose(words, notice.language, link, now + LINK_LIFETIME, reference)
        return Mail(
            delivery_id=due.of.delivery_id,
            subject_id=reader.subject_id,
            written_at=now,
            language=notice.language,
            address=reader.address,
            title=title_of(words, notice.language, notice.number, copy_number),
            text=text,
            html=html,
            attachment=attachment,
        )

    def _link(self, document_id: str, reader: _Reader, expires_at: datetime) -> str:
        claims = DownloadClaims(
            document_id=document_id,
            file_format="PDF",
            caller=reader.subject_id,
            role=reader.type,
            tenant=reader.audit.tenant_id,
            expires_at=expires_at,
        )
        return f"{self._public_url}/v1/documents/download?token={self._tokens.issue(claims)}"

    async def _letter(self, due: DueDelivery, reader: _Reader) -> Letter:
        content = await self._pdf(reader.document)
        assert reader.document.numbered is not None, "what is sealed has a number"
        name = f"{reader.document.numbered.number}-{due.of.document_id}.pdf"
        return Letter(reader.subject_id, name, content)

    async def _pdf(self, document: Document) -> bytes:
        """The sealed file. Raises `NotSent`."""
        if document.issued is None:
            raise NotSent("withdrawn", again=False)
        try:
            return await self._files.read(document.issued, document.issued.pdf_name)
        except FileErased:
            raise NotSent("erased", again=False) from None
        except VaultError:
            raise NotSent("file_unavailable", again=True) from None

    async def _reader(self, document_id: str) -> _Reader:
        history = await self._ledger.history(DOCUMENT.stream(document_id))
        document: Document = self._folded(DOCUMENT.stream(document_id), history)
        party = reader_of(document.drafted)
        assert party is not None, "what is made for FINANCE is sent to nobody"
        source_stream, owner = document.drafted.content_ref.stream, profile_owner(document.drafted)
        profile_stream = None if owner is None else FISCAL_PROFILE.stream(owner.profile_id)
        wanted = {source_stream} if profile_stream is None else {source_stream, profile_stream}
        histories = await self._ledger.histories(wanted)
        events = [event for stream in wanted for event in histories.get(stream, ())]
        profile: FiscalProfile | None = None
        if profile_stream is not None and profile_stream in histories:
            profile = self._folded(profile_stream, histories[profile_stream])
        source = self._folded(source_stream, histories[source_stream])
        audit = worker_audit(history[0], DELIVER_DOCUMENT)
        addressed: Any = source
        if isinstance(source, Receipt):
            account_id, addressed = await self._account(audit, source)
            events += await self._ledger.history(ACCOUNT.stream(account_id))
        return _Reader(
            document=document,
            source=source,
            type=party[0],
            id=party[1],
            address=reader_address(document.drafted, addressed, profile),
            destroyed_keys=await self._destroyed_keys(f"party:{party[1]}", events),
            audit=audit,
        )

    async def _account(self, audit: Audit, receipt: Receipt) -> tuple[str, Account]:
        """The id and state of the account that a receipt is for, whatever its name means by now."""
        name = receipt.generated.customer_account_id

        def handle(transaction: Transaction) -> Answer:
            return Answer(200, account_state(transaction, name))

        asked = Command(audit, handle, name_streams(name), dry_run=True)
        known: tuple[str, Account] = (await self._ledger.commit(asked)).answer.body
        return known

    async def _destroyed_keys(self, subject_id: str, events: Sequence[RecordedEvent]) -> frozenset[UUID]:
        parts = (part for event in events for part in event.sealed_for)
        keys = {part.key_id for part in parts if part.subject == subject_id}
        secrets = await self._secrets.by_id(keys)
        return frozenset(key_id for key_id, secret in secrets.items() if secret is None)

    def _folded(self, stream: StreamId, events: Sequence[RecordedEvent]) -> Any:
        return self._registry.fold(stream, (event.fact for event in events))

    async def _record(self, audit: Audit, due: DueDelivery, handler: Handler) -> None:
        """Records what became of an attempt; again, for a while, where the ledger cannot be reached."""
        for pause_seconds in RECORD_AGAIN_SECONDS:
            try:
                await self._commit(audit, due, handler)
                return
            except LedgerUnavailable as error:
                log.warning("delivery-not-recorded", **due.logged_as, error=type(error).__name__)
                await asyncio.sleep(pause_seconds)
        await self._commit(audit, due, handler)

    async def _commit(self, audit: Audit, due: DueDelivery, handler: Handler) -> Any:
        streams = frozenset({due.stream, DOCUMENT.stream(due.of.document_id)})
        return (await self._ledger.commit(Command(audit, handler, streams))).answer.body
