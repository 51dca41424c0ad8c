"""What the worker's processes do over a system: each loop made of its ports and adapters, not started."""

from datetime import timedelta
from random import SystemRandom

from application.delivering import Deliverer, DueDelivery
from application.due_loop import DueLoop
from application.due_payments import DuePayment
from application.issuing import Issuer, IssuingLoop
from application.resuming import Resumer
from application.stamping_work import StampingLoop, StampOffice
from infrastructure.clock import RandomIds
from infrastructure.eventstore.command_log import CommandLogKeeper
from infrastructure.eventstore.snapshotting import Snapshotter
from infrastructure.mail.folders import OutboxFolder, PaperFolders, PrintRoom
from infrastructure.mail.message import Writing
from infrastructure.mail.smtp import SmtpMailer
from infrastructure.mail.smtp_server import SmtpServer
from infrastructure.outbox.delivery import WebhookChannel
from infrastructure.outbox.messages import Messages
from infrastructure.outbox.relay import OutboxRelay
from infrastructure.outbox.schedule import Schedule
from infrastructure.outbox.subscribers import WEBHOOK
from infrastructure.outbox.turn import Delivery
from infrastructure.readstore.head import HeadWatch
from infrastructure.readstore.runner import ProjectionRunner
from infrastructure.readstore.worklist import (
    BlockedWorkList,
    DeliveryWorkList,
    DocumentWorkList,
    PaymentWorkList,
)
from interfaces.bootstrap import System, paper_folders, target_seal
from projections.ap_payments_due import select_due_ap_payments
from projections.documents_due import EVERYTHING, Shard
from projections.payments import select_due_payments
from projections.registry import PROJECTIONS


def projection_runners(system: System) -> list[ProjectionRunner]:
    """One runner a projection, not started; together they watch the head once."""
    head = HeadWatch(system.service_url)
    return [
        ProjectionRunner(system.service_url, projection, system.reader, head) for projection in PROJECTIONS
    ]


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


def resumer(system: System) -> Resumer:
    """What goes on with documents whose fiscal profile was completed."""
    return Resumer(system.ledger, BlockedWorkList(system.pool), system.policies, system.observer)


def delivering_loop(system: System) -> DueLoop[DueDelivery]:
    """What brings documents to their readers by e-mail and post, not started."""
    settings = system.settings
    outbox, print_room = paper_folders(settings, system.keys)
    writing = Writing(settings.mail_from)
    smtp_url = settings.smtp_url.get_secret_value()
    deliverer = Deliverer(
        system.ledger,
        system.registry,
        system.secrets,
        system.files,
        system.download_tokens,
        SmtpMailer(SmtpServer.of(smtp_url), writing) if smtp_url else OutboxFolder(outbox, writing),
        PrintRoom(print_room),
        PaperFolders(outbox, print_room),
        system.clock,
        settings.links_url,
    )
    work = DeliveryWorkList(system.pool, system.clock)
    return DueLoop("delivery", work, deliverer.deliver, system.clock)


def paying_loop(system: System) -> DueLoop[DuePayment]:
    """What takes on customers' payments that hang, not started."""
    cashier, clock = system.cashier, system.clock

    async def settle(due: DuePayment) -> None:
        await cashier.settle(due.billing_payment_id)

    work = PaymentWorkList(
        system.pool, lambda limit: select_due_payments(clock.now(), cashier.in_hand, limit)
    )
    return DueLoop("payment", work, settle, clock)


def ap_paying_loop(system: System) -> DueLoop[DuePayment]:
    """What has payments to vendors made by the bank, not started."""
    payer, clock = system.ap_payer, system.clock
    work = PaymentWorkList(system.pool, lambda limit: select_due_ap_payments(clock.now(), limit))
    return DueLoop("ap-payment", work, lambda due: payer.settle(due.billing_payment_id), clock)


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


def stamping_loops(system: System, shard: Shard = EVERYTHING) -> list[StampingLoop]:
    """What has a shard of the numbered documents stamped, a loop each authority, not started."""
    work = DocumentWorkList(system.pool, system.clock, shard)
    return [
        StampingLoop(
            authority,
            StampOffice(
                stamper,
                system.ledger,
                system.registry,
                system.vault,
                system.secrets,
                system.clock,
                system.observer,
            ),
            work,
        )
        for authority, stamper in system.stampers.items()
    ]
