"""The only place where ports meet adapters: everything of one ledger hangs on one `System`."""

from dataclasses import dataclass

from psycopg_pool import AsyncConnectionPool

from application.downloads import Downloads
from application.identity import TokenVerifier
from application.issuing import Issuer, IssuingLoop
from application.ledger import Ledger
from application.ports import Clock, DocumentObserver, ReadStore, Renderer
from application.signing import Signer
from application.vault import Vault
from application.verification import Verifier
from domain.kernel.registry import Registry
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.database import as_service
from infrastructure.download_tokens import MacDownloadTokens
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.proof import PostgresLedgerProof
from infrastructure.identity import JwtVerifier, LocalKeys, LocalTokens, PublishedKeys
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.readstore.runner import ProjectionRunner
from infrastructure.readstore.store import PostgresReadStore
from infrastructure.readstore.worklist import DocumentWorkList
from infrastructure.rendering.pool import RenderPool
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


@dataclass(frozen=True)
class System:
    """One ledger with everything around it. `start` before use, `stop` after."""

    settings: Settings
    clock: Clock
    registry: Registry
    mapper: LedgerMapper
    keys: KeyStore
    signer: Signer
    vault: Vault
    renderer: Renderer
    ledger: Ledger
    read_store: ReadStore
    tokens: TokenVerifier
    downloads: Downloads
    verifier: Verifier
    observer: DocumentObserver
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
    mapper = LedgerMapper(REGISTRY)
    pool: Pool = AsyncConnectionPool(
        urls.service,
        open=False,
        min_size=1,
        max_size=POOL_SIZE,
        timeout=5,
        kwargs={"autocommit": True, "connect_timeout": 5},
    )
    answers = AnswerSeal(keys.derive(b"stored-answer"))
    committer = Committer(urls.service, REGISTRY, answers, clock, RandomIds())
    ledger = PostgresLedger(pool, committer, mapper, answers)
    read_store = PostgresReadStore(pool)
    return System(
        settings=settings,
        clock=clock,
        registry=REGISTRY,
        mapper=mapper,
        keys=keys,
        signer=signer,
        vault=vault,
        renderer=renderer,
        ledger=ledger,
        read_store=read_store,
        tokens=_token_verifier(settings, keys, clock),
        downloads=Downloads(
            ledger, REGISTRY, vault, MacDownloadTokens(keys.derive(b"download-token"), clock.now), clock
        ),
        verifier=Verifier(PostgresLedgerProof(ledger, mapper, REGISTRY), vault, signer, renderer),
        observer=MetricsObserver(),
        request_hash_key=keys.derive(b"request-hash"),
        service_url=urls.service,
        pool=pool,
        committer=committer,
    )


def _token_verifier(settings: Settings, keys: KeyStore, clock: Clock) -> JwtVerifier:
    token_keys = (
        PublishedKeys(settings.jwt_jwks_url, clock.now) if settings.jwt_jwks_url else LocalKeys(keys.jwt)
    )
    return JwtVerifier(token_keys, settings.issuer, settings.audience, clock.now)


def local_tokens(settings: Settings, keys: KeyStore) -> LocalTokens:
    """Who issues tokens where no identity provider is configured."""
    return LocalTokens(keys.jwt, settings.issuer, settings.audience)


def projection_runners(system: System) -> list[ProjectionRunner]:
    """One runner a projection, not started."""
    return [ProjectionRunner(system.service_url, projection, system.mapper) for projection in PROJECTIONS]


def issuing_loop(system: System, shard: Shard = EVERYTHING) -> IssuingLoop:
    """What finishes a shard of the numbered documents, not started."""
    issuer = Issuer(
        system.ledger,
        system.registry,
        system.vault,
        system.signer,
        system.renderer,
        system.clock,
        system.observer,
    )
    return IssuingLoop(issuer, DocumentWorkList(system.pool, system.clock, shard))
