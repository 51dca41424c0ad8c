"""The only place where ports meet adapters: everything of one ledger hangs on one `System`."""

from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom

from psycopg_pool import AsyncConnectionPool

from application.artifact_keeping import VaultArtifactKeeper
from application.artifacts import Artifacts
from application.credentials import Credentials
from application.downloads import Downloads
from application.elevation import Elevations
from application.erasure import Erasure, SubjectKeys
from application.files import DocumentFiles
from application.identity import TokenVerifier
from application.intake.intake import ArtifactKeeper
from application.issuing import Issuer, IssuingLoop
from application.ledger import Ledger
from application.people import People
from application.ports import (
    Clock,
    DocumentObserver,
    Fingerprint,
    Ids,
    Patterns,
    ReadStore,
    Renderer,
    SubjectSecrets,
)
from application.signing import Signer
from application.vault import Vault
from application.verification import Verifier
from domain.kernel.registry import Registry
from domain.streams import REGISTRY
from infrastructure.artifact_source import HttpsArtifactSource
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.database import as_service, still_open
from infrastructure.download_tokens import MacArtifactTokens, MacDownloadTokens
from infrastructure.elevation_tokens import MacElevationTokens
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.command_log import CommandLogKeeper
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.erasures import PostgresSubjectKeys, PostgresSubjectSecrets
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.proof import PostgresLedgerProof
from infrastructure.eventstore.snapshotting import Snapshotter
from infrastructure.eventstore.subject_keys import SubjectKeyWrap
from infrastructure.identity import JwtVerifier, LocalKeys, LocalTokens, PublishedKeys
from infrastructure.keys.fingerprints import KeyedFingerprint
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.keys.upgrading import upgrade_keys
from infrastructure.migrations import migrate
from infrastructure.outbox.delivery import WebhookChannel
from infrastructure.outbox.messages import Messages
from infrastructure.outbox.relay import OutboxRelay
from infrastructure.outbox.schedule import Schedule
from infrastructure.outbox.subscribers import WEBHOOK
from infrastructure.outbox.target import TargetSeal
from infrastructure.outbox.turn import Delivery
from infrastructure.patterns import Re2Patterns
from infrastructure.readstore.head import HeadWatch
from infrastructure.readstore.old_versions import PostgresOldReadModels
from infrastructure.readstore.runner import ProjectionRunner
from infrastructure.readstore.store import PostgresReadStore
from infrastructure.readstore.subject_index import ReadModelSubjectIndex
from infrastructure.readstore.worklist import DocumentWorkList
from infrastructure.rendering.pool import RenderPool
from infrastructure.secret_hashing import SealedArgon2
from infrastructure.settings import Settings
from infrastructure.telemetry import MetricsObserver
from infrastructure.vault.folder import FolderVault
from projections.documents import EVERYTHING, Shard
from projections.registry import PROJECTIONS

POOL_SIZE = 10


@dataclass(frozen=True)
class Urls:
    """How the database is reached: to migrate it, and to serve from it with the service's rights only."""

    admin: str
    service: str


def database_urls(settings: Settings) -> Urls:
    """The database of the settings, or the embedded one of the data folder."""
    if settings.database_url:
        return Urls(settings.database_url, as_service(settings.database_url))
    return Urls(admin_url(settings.data_dir), service_url(settings.data_dir))


def bring_up_to_date(settings: Settings) -> None:
    """Makes database, keys and vault folder what this version works with; safe to repeat.

    Raises `MigrationRefused`, `KeyUnusable`, `VaultUnavailable`.
    """
    urls = database_urls(settings)
    migrate(urls.admin)
    upgrade_keys(settings.data_dir / "keys", urls.service)
    KeyStore.create(settings.data_dir / "keys")
    FolderVault.initialise(settings.vault_folder)


@dataclass(frozen=True)
class System:
    """One ledger with everything around it. `start` before use, `stop` after."""

    settings: Settings
    clock: Clock
    registry: Registry
    reader: EventReader
    keys: KeyStore
    signer: Signer
    vault: Vault
    renderer: Renderer
    ledger: Ledger
    read_store: ReadStore
    tokens: TokenVerifier
    downloads: Downloads
    artifacts: Artifacts
    artifact_keeper: ArtifactKeeper
    credentials: Credentials
    elevations: Elevations
    verifier: Verifier
    subject_keys: SubjectKeys
    secrets: SubjectSecrets
    old_read_models: PostgresOldReadModels
    erasure: Erasure
    observer: DocumentObserver
    fingerprint: Fingerprint
    patterns: Patterns
    ids: Ids
    request_hash_key: bytes
    service_url: str
    pool: Pool
    committer: Committer

    async def start(self) -> None:
        """Opens the pool and starts the committer; the database may come up later."""
        await self.pool.open()
        self.committer.start()

    async def stop(self) -> None:
        """Finishes what is under way and lets everything go."""
        self.committer.stop()
        await self.pool.close()
        self.renderer.close()


def build_system(
    settings: Settings, *, clock: Clock | None = None, renderer: Renderer | None = None
) -> System:
    """Wires a system; nothing is connected yet. Documents are drawn in a child process, or by `renderer`.

    Raises `KeyUnusable`.
    """
    clock = clock or SystemClock()
    renderer = renderer or RenderPool(1)
    urls = database_urls(settings)
    keys = KeyStore.create(settings.data_dir / "keys")
    signer = Ed25519Signer(keys.seal)
    vault = FolderVault(settings.vault_folder, keys.vault, signer, clock.now)
    wrap = SubjectKeyWrap(keys.subjects)
    reader = EventReader(LedgerMapper(REGISTRY), wrap)
    pool = _connection_pool(urls.service)
    answers = AnswerSeal(keys.derive(b"stored-answer"))
    committer = Committer(BatchCommitter(urls.service, REGISTRY, answers, wrap, clock, RandomIds()))
    ledger = PostgresLedger(pool, committer, reader, answers, clock)
    read_store = PostgresReadStore(pool)
    old_read_models = PostgresOldReadModels(pool, PROJECTIONS, clock)
    subject_keys = PostgresSubjectKeys(pool)
    secrets = PostgresSubjectSecrets(pool, wrap)
    files = DocumentFiles(vault, secrets)
    tokens = _token_verifier(settings, keys, clock)
    fingerprint = KeyedFingerprint(keys.derive(b"fingerprint"))
    people = People(fingerprint)
    hashing = SealedArgon2(keys.derive(b"credential-verifier"))
    return System(
        settings=settings,
        clock=clock,
        registry=REGISTRY,
        reader=reader,
        keys=keys,
        signer=signer,
        vault=vault,
        renderer=renderer,
        ledger=ledger,
        read_store=read_store,
        tokens=tokens,
        downloads=Downloads(
            ledger, REGISTRY, files, MacDownloadTokens(keys.derive(b"download-token"), clock.now), clock
        ),
        artifacts=_artifacts(settings, keys, ledger, vault, secrets, clock),
        artifact_keeper=VaultArtifactKeeper(ledger, REGISTRY, vault, subject_keys, secrets, clock),
        credentials=Credentials(ledger, hashing, people),
        elevations=Elevations(
            ledger, MacElevationTokens(keys.derive(b"elevation-token")), hashing, tokens, people, RandomIds()
        ),
        verifier=Verifier(PostgresLedgerProof(ledger, reader, REGISTRY), files, signer, renderer),
        subject_keys=subject_keys,
        secrets=secrets,
        old_read_models=old_read_models,
        erasure=Erasure(
            subject_keys, ReadModelSubjectIndex(read_store), old_read_models, ledger, REGISTRY, clock
        ),
        observer=MetricsObserver(),
        patterns=Re2Patterns(),
        ids=RandomIds(),
        fingerprint=fingerprint,
        request_hash_key=keys.derive(b"request-hash"),
        service_url=urls.service,
        pool=pool,
        committer=committer,
    )


def _connection_pool(url: str) -> Pool:
    return AsyncConnectionPool(
        url,
        open=False,
        min_size=1,
        max_size=POOL_SIZE,
        timeout=5,
        check=still_open,
        kwargs={"autocommit": True, "connect_timeout": 5},
    )


def _artifacts(
    settings: Settings,
    keys: KeyStore,
    ledger: Ledger,
    vault: Vault,
    secrets: SubjectSecrets,
    clock: Clock,
) -> Artifacts:
    source = HttpsArtifactSource(settings.artifact_host_names)
    tokens = MacArtifactTokens(keys.derive(b"artifact-token"), clock.now)
    return Artifacts(ledger, REGISTRY, vault, secrets, source, tokens, clock, RandomIds())


def event_reader(settings: Settings) -> EventReader:
    """Reads stored events, for who needs no whole system. Raises `KeyUnusable`."""
    keys = KeyStore(settings.data_dir / "keys")
    return EventReader(LedgerMapper(REGISTRY), SubjectKeyWrap(keys.subjects))


def _token_verifier(settings: Settings, keys: KeyStore, clock: Clock) -> JwtVerifier:
    token_keys = (
        PublishedKeys(settings.jwt_jwks_url, clock.now) if settings.jwt_jwks_url else LocalKeys(keys.jwt)
    )
    return JwtVerifier(token_keys, settings.issuer, settings.audience, clock.now)


def local_tokens(settings: Settings, keys: KeyStore) -> LocalTokens:
    """Who issues tokens where no identity provider is configured."""
    return LocalTokens(keys.jwt, settings.issuer, settings.audience)


def projection_runners(system: System) -> list[ProjectionRunner]:
    """One runner a projection, not started; together they watch the head once."""
    head = HeadWatch(system.service_url)
    return [
        ProjectionRunner(system.service_url, projection, system.reader, head) for projection in PROJECTIONS
    ]


def target_seal(keys: KeyStore) -> TargetSeal:
    """Seals where subscribers stand and their secrets. Raises `KeyUnusable`."""
    return TargetSeal(keys.derive(b"webhook-secret"))


def outbox_relay(system: System) -> OutboxRelay:
    """What tells subscribers of outbound facts, not started."""
    settings = system.settings
    delivery = Delivery(
        messages=Messages(system.reader, system.registry, settings.event_source),
        channels={WEBHOOK: WebhookChannel(target_seal(system.keys), system.clock)},
        schedule=Schedule(timedelta(hours=settings.webhook_give_up_hours), SystemRandom().random),
        clock=system.clock,
        ids=RandomIds(),
    )
    return OutboxRelay(system.service_url, delivery)


def command_log_keeper(system: System) -> CommandLogKeeper:
    """What makes and drops the command log's partitions, not started."""
    return CommandLogKeeper(system.service_url, system.clock)


def snapshotter(system: System) -> Snapshotter:
    """What keeps snapshots of long streams, not started."""
    return Snapshotter(system.service_url, system.registry, system.reader)


def issuing_loop(system: System, shard: Shard = EVERYTHING) -> IssuingLoop:
    """What finishes a shard of the numbered documents, not started."""
    issuer = Issuer(
        system.ledger,
        system.registry,
        system.vault,
        system.secrets,
        system.signer,
        system.renderer,
        system.clock,
        system.observer,
    )
    return IssuingLoop(issuer, DocumentWorkList(system.pool, system.clock, shard))
