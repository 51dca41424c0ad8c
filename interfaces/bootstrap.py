"""Where ports meet adapters: everything of one ledger hangs on one `System` (its loops: `workers.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from psycopg_pool import AsyncConnectionPool

from application.ap_paying import ApPayer
from application.artifact_keeping import VaultArtifactKeeper
from application.artifacts import Artifacts
from application.credentials import Credentials
from application.document_policies import document_policies
from application.downloads import Downloads
from application.elevation import Elevations
from application.erasure import Erasure, SubjectKeys
from application.files import DocumentFiles
from application.gateway import GatewayDoor
from application.identity import TokenVerifier
from application.intake.intake import ArtifactKeeper
from application.ledger import Ledger
from application.paying import Cashier
from application.people import People
from application.ports import (
    Clock,
    DocumentObserver,
    DownloadTokens,
    Fingerprint,
    Ids,
    Patterns,
    ReadStore,
    ReceiptText,
    Renderer,
    SubjectSecrets,
)
from application.signing import Signer
from application.stamping import Stamper, UnconfiguredStamper
from application.vault import Vault
from application.verification import Verifier
from domain.documents.policy import DocumentPolicies
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from domain.kernel.registry import Registry
from domain.streams import REGISTRY
from infrastructure.artifact_source import HttpsArtifactSource
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.database import as_service, still_open
from infrastructure.download_tokens import MacArtifactTokens, MacDownloadTokens
from infrastructure.elevation_tokens import MacElevationTokens
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.erasures import PostgresSubjectKeys, PostgresSubjectSecrets
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.proof import PostgresLedgerProof
from infrastructure.eventstore.subject_keys import SubjectKeyWrap
from infrastructure.gateways.bank_transfers import BANK, BankNotices
from infrastructure.gateways.configured import bank_gateway, card_gateway
from infrastructure.gateways.stripe import STRIPE
from infrastructure.gateways.stripe_notices import StripeNotices
from infrastructure.identity import JwtVerifier, LocalKeys, LocalTokens, PublishedKeys
from infrastructure.keys.fingerprints import KeyedFingerprint
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.keys.upgrading import upgrade_keys
from infrastructure.mail.folders import PaperFolders
from infrastructure.mail.subject_folders import SubjectFolders
from infrastructure.migrations import migrate
from infrastructure.outbox.target import TargetSeal
from infrastructure.patterns import Re2Patterns
from infrastructure.policy_folder import policy_texts
from infrastructure.readstore.old_versions import PostgresOldReadModels
from infrastructure.readstore.store import PostgresReadStore
from infrastructure.readstore.subject_index import ReadModelSubjectIndex
from infrastructure.rendering.pool import RenderPool
from infrastructure.rendering.receipt_text import receipt_text
from infrastructure.secret_hashing import SealedArgon2
from infrastructure.settings import Settings
from infrastructure.stamping.http_authority import HttpAuthority
from infrastructure.telemetry import MetricsObserver
from infrastructure.vault.folder import FolderVault
from projections.registry import PROJECTIONS

POOL_SIZE = 10

IN_HAND_STEPS = 3
"""For how many steps at a gateway a request is left to who took it: it takes two, and the ledger some."""


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


def policies_of(settings: Settings) -> DocumentPolicies:
    """The packaged document policies and the operator's own. Raises ValueError with files and lines."""
    folder = settings.policy_dir
    return document_policies(policy_texts(Path(folder)) if folder else {})


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
    files: DocumentFiles
    download_tokens: DownloadTokens
    downloads: Downloads
    artifacts: Artifacts
    artifact_keeper: ArtifactKeeper
    stampers: Mapping[str, Stamper]
    cashier: Cashier
    ap_payer: ApPayer
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
    policies: DocumentPolicies
    ids: Ids
    request_hash_key: bytes
    service_url: str
    pool: Pool
    committer: Committer
    receipt_text: ReceiptText = receipt_text

    @property
    def gateway_doors(self) -> dict[str, GatewayDoor]:
        """Where each gateway's notices come in, by its name."""
        settings = self.settings
        return {
            STRIPE: GatewayDoor(StripeNotices(settings.stripe_webhook_secrets), self.cashier.hear),
            BANK: GatewayDoor(BankNotices(settings.bank_webhook_secrets), self.ap_payer.hear),
        }

    async def start(self) -> None:
        """Opens the pool and starts the committer; the database may come up later."""
        await self.pool.open()
        self.committer.start()

    async def stop(self) -> None:
        """Finishes what is under way and lets everything go."""
        self.committer.stop()
        await self.pool.close()
        for stamper in self.stampers.values():
            await stamper.close()
        await self.cashier.gateway.close()
        await self.ap_payer.gateway.close()
        self.renderer.close()


def build_system(
    settings: Settings, *, clock: Clock | None = None, renderer: Renderer | None = None
) -> System:
    """Wires a system; nothing is connected yet. Documents are drawn in a child process, or by `renderer`.

    Raises `KeyUnusable`, and ValueError where a document policy is wrong.
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
    papers = PaperFolders(*paper_folders(settings, keys))
    subject_keys = PostgresSubjectKeys(pool)
    secrets = PostgresSubjectSecrets(pool, wrap)
    files = DocumentFiles(vault, secrets)
    download_tokens = MacDownloadTokens(keys.derive(b"download-token"), clock.now)
    tokens = _token_verifier(settings, keys, clock)
    fingerprint = KeyedFingerprint(keys.derive(b"fingerprint"))
    policies = policies_of(settings)
    credentials, elevations = _approvals(keys, ledger, tokens, People(fingerprint))
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
        files=files,
        download_tokens=download_tokens,
        downloads=Downloads(ledger, REGISTRY, files, download_tokens, clock),
        artifacts=_artifacts(settings, keys, ledger, vault, secrets, clock),
        artifact_keeper=VaultArtifactKeeper(ledger, REGISTRY, vault, subject_keys, secrets, clock),
        stampers=_stampers(settings),
        cashier=_cashier(settings, ledger, policies, clock),
        ap_payer=ApPayer(ledger, REGISTRY, bank_gateway(settings)),
        credentials=credentials,
        elevations=elevations,
        verifier=Verifier(PostgresLedgerProof(ledger, reader, REGISTRY), REGISTRY, files, signer, renderer),
        subject_keys=subject_keys,
        secrets=secrets,
        old_read_models=old_read_models,
        erasure=Erasure(
            *(subject_keys, ReadModelSubjectIndex(read_store), old_read_models, papers),
            *(ledger, REGISTRY, clock),
        ),
        observer=MetricsObserver(),
        patterns=Re2Patterns(),
        policies=policies,
        ids=RandomIds(),
        fingerprint=fingerprint,
        request_hash_key=keys.derive(b"request-hash"),
        service_url=urls.service,
        pool=pool,
        committer=committer,
    )


def _cashier(settings: Settings, ledger: Ledger, policies: DocumentPolicies, clock: Clock) -> Cashier:
    in_hand = IN_HAND_STEPS * timedelta(seconds=settings.gateway_timeout_seconds)
    gateway = card_gateway(settings)
    return Cashier(ledger, REGISTRY, gateway, policies, RandomIds(), clock, in_hand=in_hand)


def _approvals(
    keys: KeyStore, ledger: Ledger, tokens: TokenVerifier, people: People
) -> tuple[Credentials, Elevations]:
    hashing = SealedArgon2(keys.derive(b"credential-verifier"))
    approvals = MacElevationTokens(keys.derive(b"elevation-token"))
    elevations = Elevations(ledger, approvals, hashing, tokens, people, RandomIds())
    return Credentials(ledger, hashing, people), elevations


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


def paper_folders(settings: Settings, keys: KeyStore) -> tuple[SubjectFolders, SubjectFolders]:
    """The outbox and the print room. E-mails stay in the outbox though they are sent another way by now."""
    key = keys.derive(b"paper-folder")
    folder = settings.data_dir
    return SubjectFolders(folder / "mail", key), SubjectFolders(folder / "post", key)


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


def _stampers(settings: Settings) -> dict[str, Stamper]:
    """Every authority that a driver names, by that name."""
    simulated = settings.simulated_authority_url
    return {SIMULATED_AUTHORITY: HttpAuthority(simulated) if simulated else UnconfiguredStamper()}


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


def target_seal(keys: KeyStore) -> TargetSeal:
    """Seals where subscribers stand and their secrets. Raises `KeyUnusable`."""
    return TargetSeal(keys.derive(b"webhook-secret"))
